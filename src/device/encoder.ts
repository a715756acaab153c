import { Baton } from "./baton.ts";
import { BindGroups } from "./bind_groups.ts";
import type { Block } from "./blocks.ts";
import type { Bindings, Workgroups } from "./dispatch.ts";
import type { DeviceStorage } from "./storage.ts";
import type { Pipeline, Reporting } from "./pipelines.ts";
import { packParams, PARAMS_SLOT, type Program, type Scalars } from "./program.ts";
import type { Profile, Profiler } from "./profiler.ts";
import type { RecordedDispatch, Recording, Replay } from "./replay/recording.ts";
import { encodeCopies, Textures } from "./textures.ts";
import { USAGE } from "./usage.ts";

/** Bytes of the uniform arena: the `Params` of one submit. */
const ARENA_BYTES = 1 << 20;

/** Counts of what the device has made and done; a steady training step changes `submits` and `dispatches` only. */
export interface Counters {
  /** GPUBuffers created, staging buffers included. */
  readonly buffers: number;
  /** Compute pipelines compiled. */
  readonly pipelines: number;
  /** Bind groups created. */
  readonly bindGroups: number;
  /** Queue submits. */
  readonly submits: number;
  /** Dispatches encoded. */
  readonly dispatches: number;
  /** Read-backs. */
  readonly reads: number;
}

/**
 * Encodes dispatches into one open compute pass and submits them together. `Params` go through one uniform arena (a
 * bump allocator) with dynamic offsets, so a bind group depends on buffers only and is found in the cache from the
 * second step on.
 */
export class Encoder {
  #gpu: GPUDevice;
  #arena: GPUBuffer;
  #host = new ArrayBuffer(ARENA_BYTES);
  #view = new DataView(this.#host);
  #offset = 0;
  #offsets = new Uint32Array(1);
  #encoder: GPUCommandEncoder | null = null;
  #pass: GPUComputePassEncoder | null = null;
  #current: GPUComputePipeline | null = null;
  #label = "";
  #bindGroups: BindGroups;
  #textures: Textures;
  #serial = 0;
  #recording: Recording | null = null;
  #profiler: Profiler | null = null;
  #baton: Baton | null = null;
  #submits = 0;
  #dispatches = 0;

  /** Encodes for this device; errors of making bind groups arrive later, through `reporting`. */
  constructor(gpu: GPUDevice, { details, failures }: Reporting) {
    this.#gpu = gpu;
    const usage = USAGE.UNIFORM | USAGE.COPY_DST;
    this.#arena = gpu.createBuffer({ label: "params", size: ARENA_BYTES, usage });
    this.#textures = new Textures((texture) => {
      const problem = "Cannot make a texture as the device is out of memory";
      return failures.watch("out-of-memory", problem, details(), () => gpu.createTexture(texture));
    });
    this.#bindGroups = new BindGroups(gpu, this.#arena, (shader, make) => {
      const problem = () => {
        this.forgetBindGroups(); // the next dispatch makes it again, and so tells its cause again
        return "Cannot bind the buffers of a dispatch";
      };
      return failures.watch("validation", problem, { ...details(), shader }, make);
    }, this.#textures);
  }

  /** Recording that takes every dispatch in, if any. */
  get recording(): Recording | null {
    return this.#recording;
  }

  /** Whether every dispatch, or all of one label in turn, gets a pass of its own and is timed. */
  get profiles(): boolean {
    return this.#profiler !== null;
  }

  /** Bind groups, submits and dispatches so far. */
  get counts(): Pick<Counters, "bindGroups" | "submits" | "dispatches"> {
    return { bindGroups: this.#bindGroups.created, submits: this.#submits, dispatches: this.#dispatches };
  }

  /** Lets a recording take every dispatch of `body` in. */
  recordInto<T>(recording: Recording, body: () => T): T {
    const before = this.#recording;
    this.#recording = recording;
    try {
      return body();
    } finally {
      this.#recording = before;
    }
  }

  /** Times every dispatch until {@linkcode Encoder.takeProfile}. */
  startProfile(profiler: Profiler): void {
    this.#profiler = profiler;
  }

  /** Gives the baton that every submit from now on passes on; makes it at the first call. */
  carryBaton(): Baton {
    return this.#baton ??= new Baton(this.#gpu);
  }

  /** Passes no baton on any more. */
  dropBaton(): void {
    this.#baton?.destroy();
    this.#baton = null;
  }

  /** Takes note that an error is known: what the baton could say of it was said. */
  renewBaton(): void {
    this.#baton?.renew();
  }

  /** Serial of the submit that the next command goes with. */
  get serial(): number {
    return this.#serial;
  }

  /** Serial of the last submit that has commands. */
  get latest(): number {
    return this.#encoder ? this.#serial : this.#serial - 1;
  }

  /** True when nothing waits for a submit. */
  get idle(): boolean {
    return this.#encoder === null;
  }

  /** True when an encoded, not yet submitted command uses the block. */
  uses(block: Block): boolean {
    return this.#encoder !== null && block.lastUse === this.#serial;
  }

  /** Encodes one dispatch. */
  dispatch(
    program: Program,
    pipeline: Pipeline,
    bindings: Bindings,
    scalars: Scalars,
    workgroups: Workgroups,
    label: string,
  ): void {
    if (this.#offset + PARAMS_SLOT > ARENA_BYTES || this.#profiler?.full) this.flush();
    const group = this.#bindGroups.get(pipeline, bindings, this.#serial);
    if (pipeline.textures.length > 0) {
      this.#endPass();
      encodeCopies(this.#openEncoder(), this.#textures.copiesOf(pipeline, bindings));
    }
    const pass = this.#openPass(label, pipeline.label);
    if (this.#current !== pipeline.pipeline) pass.setPipeline(this.#current = pipeline.pipeline);
    let packed: Uint8Array | null = null;
    if (pipeline.hasParams) {
      packParams(this.#view, this.#offset, program.params, scalars.asked, program.name);
      if (this.#recording) packed = new Uint8Array(this.#host.slice(this.#offset, this.#offset + PARAMS_SLOT));
      this.#offsets[0] = this.#offset;
      pass.setBindGroup(0, group, this.#offsets, 0, 1);
      this.#offset += PARAMS_SLOT;
    } else pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
    this.#dispatches++;
    this.#recording?.add({ program, pipeline, bindings: { ...bindings }, workgroups, label, params: packed }, scalars);
    if (this.#profiler && !this.#profiler.groups) this.#endPass();
  }

  /** Ends the profile and gives what it measured. */
  async takeProfile(): Promise<Profile> {
    const profiler = this.#profiler;
    this.#profiler = null;
    const profile = await profiler?.profile() ?? { rows: [], trace: { displayTimeUnit: "ms", traceEvents: [] } };
    profiler?.destroy();
    return profile;
  }

  /** Makes a bind group whose `Params` are in a buffer of their own, and the copies that it needs. */
  bind({ pipeline, bindings }: RecordedDispatch, params: GPUBuffer): Pick<Replay, "group" | "copies"> {
    return {
      group: this.#bindGroups.make(pipeline, bindings, params),
      copies: this.#textures.copiesOf(pipeline, bindings),
    };
  }

  /** Encodes the dispatches of a recorded step, apart from what waits for a submit. */
  encode(replays: readonly Replay[]): GPUCommandBuffer {
    const encoder = this.#gpu.createCommandEncoder({ label: "replay" });
    let pass = encoder.beginComputePass();
    let current: GPUComputePipeline | null = null;
    for (let i = 0; i < replays.length; i++) {
      const { pipeline, group, workgroups, hasParams, copies } = replays[i]!;
      if (copies.length > 0) {
        pass.end();
        encodeCopies(encoder, copies);
        pass = encoder.beginComputePass();
        current = null;
      }
      if (current !== pipeline) pass.setPipeline(current = pipeline);
      this.#offsets[0] = i * PARAMS_SLOT;
      if (hasParams) pass.setBindGroup(0, group, this.#offsets, 0, 1);
      else pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
    }
    pass.end();
    return encoder.finish();
  }

  /** Submits what was encoded, and so many dispatches of a recorded step behind it. */
  replay(commands: GPUCommandBuffer, dispatches: number): void {
    this.#dispatches += dispatches;
    this.#submit(commands);
  }

  /** Encodes a copy into a staging buffer; ends the open pass. */
  copy(from: DeviceStorage, offset: number, to: GPUBuffer, bytes: number): void {
    const encoder = this.#openEncoder();
    this.#endPass();
    from.block.use(this.#serial);
    encoder.copyBufferToBuffer(from.block.buffer, offset, to, 0, bytes);
  }

  /** Submits what was encoded; does nothing when nothing was. */
  flush(): void {
    if (this.#encoder) this.#submit();
  }

  /** Forgets the bind groups, which keep destroyed buffers alive. */
  forgetBindGroups(): void {
    this.#bindGroups.clear();
  }

  /** Frees the arena. */
  destroy(): void {
    this.#arena.destroy();
    this.#textures.destroy();
    this.#baton?.destroy();
    this.#profiler?.destroy();
  }

  #submit(...behind: GPUCommandBuffer[]): void {
    const encoder = this.#baton ? this.#openEncoder() : this.#encoder;
    this.#endPass();
    if (encoder) this.#baton?.pass(encoder);
    const readTimes = encoder && this.#profiler?.resolve(encoder);
    if (this.#offset > 0) this.#gpu.queue.writeBuffer(this.#arena, 0, this.#host, 0, this.#offset);
    this.#gpu.queue.submit(encoder ? [encoder.finish(), ...behind] : behind);
    readTimes?.();
    this.#encoder = null;
    this.#offset = 0;
    this.#serial++;
    this.#submits++;
  }

  #openEncoder(): GPUCommandEncoder {
    return this.#encoder ??= this.#gpu.createCommandEncoder({ label: "uniformity" });
  }

  #openPass(label: string, shader: string): GPUComputePassEncoder {
    if (this.#pass && (!this.#profiler || label === this.#label)) return this.#pass;
    this.#endPass();
    const timestampWrites = this.#profiler?.begin(this.#profiler.groups ? label : `${label} ${shader}`);
    this.#label = label;
    this.#current = null;
    return this.#pass = this.#openEncoder().beginComputePass({
      label: timestampWrites ? label : undefined,
      timestampWrites,
    });
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = null;
    this.#current = null;
  }
}
