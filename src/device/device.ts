import { type AdapterInfo, type AdapterOptions, type Opened, requestDevice } from "./adapter.ts";
import { Bounds } from "./bounds.ts";
import { DispatchLog } from "./dispatch_log.ts";
import { DeviceError } from "./errors.ts";
import { Failures, noteWrites } from "./failures.ts";
import { PipelineCache } from "./pipelines.ts";
import { bufferMaker, BufferPool, type MemoryUsage } from "./pool.ts";
import type { ProfileRow, Trace } from "./profiler.ts";
import { type Accesses, askParams, type ParamTypes, type ParamValues, type Program } from "./program.ts";
import { ProgramMemo } from "./program_memo.ts";
import { type Counters, Encoder } from "./encoder.ts";
import { Recordings } from "./replay/recordings.ts";
import { Running } from "./running.ts";
import type { BindingsOf, DispatchOptions, Workgroups } from "./dispatch.ts";
import type { DeviceStorage } from "./storage.ts";
import type { ReadPart, SyncReader } from "./sync_reader.ts";
import { Timing } from "./timing.ts";
import { Transfers } from "./transfers.ts";
import { checkOptions } from "../checks/internal.ts";

/**
 * A GPU, opened: it allocates storages, encodes dispatches into one open compute pass, submits them when asked, and reads
 * results back. Nothing runs before a read-back, {@linkcode Device.flush} or 4,096 dispatches.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using device = await Device.open(); // also the default device of what follows
 * assertEquals(await tensor([1, 2, 3]).data(), new Float32Array([1, 2, 3]));
 * ```
 */
export class Device {
  /** Open devices, the default one last. */
  static #opened: Device[] = [];
  /** Vendor, description and family of the adapter. */
  readonly info: AdapterInfo;
  /** Limits of the adapter, all of which the device has. */
  readonly limits: GPUSupportedLimits;
  /** Names of the optional features that work: `timestamp-query`, `shader-f16`, `subgroups`; of WGSL, reading textures. */
  readonly features: ReadonlySet<string>;
  /** Records steps and replays them; see {@linkcode Recordings} and `compile`. */
  readonly recordings: Recordings;
  /** The programs of ops that come in many versions. */
  readonly programs: ProgramMemo = new ProgramMemo();
  /** @internal Compiled programs. */
  readonly pipelines: PipelineCache;
  #gpu: GPUDevice;
  /** Implementation of WebGPU, held as long as the device: npm's `webgpu` crashes once its GPU object is collected. */
  #api: GPU;
  #bounds: Bounds;
  #pool: BufferPool;
  /** Pool of a rehearsal, whose buffers have sizes but no memory; null where work is done. */
  #rehearsed: BufferPool | null = null;
  #encoder: Encoder;
  #transfers: Transfers;
  #timing: Timing;
  #failures: Failures;
  #running = new Running();
  #log = DispatchLog.open();
  #parts = new Map<unknown, unknown>();

  private constructor({ api, gpu, info, limits, features, directives }: Opened) {
    [this.#api, this.#gpu] = [api, gpu];
    this.info = info;
    this.limits = limits;
    this.features = features;
    const [details, encoder, trim] = [() => this.#running.details, () => this.#encoder, () => this.trim()];
    const failures = this.#failures = new Failures(gpu, details, encoder);
    this.#pool = new BufferPool(bufferMaker({ gpu, failures, details, encoder, trim }));
    this.#bounds = new Bounds(limits, details);
    this.pipelines = new PipelineCache(gpu, { details, failures }, directives);
    this.#encoder = new Encoder(gpu, { details, failures });
    this.recordings = new Recordings(gpu, this.#pool, this.#encoder, failures);
    this.#transfers = new Transfers({ gpu, encoder: this.#encoder, failures, details });
    this.#timing = new Timing({ gpu, info, encoder: this.#encoder, running: this.#running, done: () => this.done() });
  }

  /**
   * Opens the adapter that the system prefers and makes it the default device.
   *
   * @param options Which adapter, and of which implementation of WebGPU: in Node and Bun `gpu: create([])` of npm's `webgpu`.
   * @throws {DeviceError} If no adapter answers; the message says what to install.
   */
  static async open(options: AdapterOptions = {}): Promise<Device> {
    const device = new Device(await requestDevice(options));
    Device.#opened.push(device);
    return device;
  }

  /**
   * The device that was opened last and is still open.
   *
   * @throws {DeviceError} If none is open.
   */
  static get current(): Device {
    const device = Device.#opened.at(-1);
    if (!device) throw new DeviceError("Cannot use the default device as none is open: await Device.open() first");
    return device;
  }

  /** @internal Finds what a higher layer keeps for this device, one of each class: made when it is first asked for. */
  part<T extends object>(kind: new (device: Device) => T): T {
    let part = this.#parts.get(kind) as T | undefined;
    if (!part) this.#parts.set(kind, part = new kind(this));
    return part;
  }

  /** Counters of what was made and done so far. */
  get counters(): Counters {
    return {
      buffers: this.#pool.created + this.#transfers.created,
      pipelines: this.pipelines.created,
      ...this.#encoder.counts,
      reads: this.#transfers.reads,
    };
  }

  /** Bytes in use, their peak, and bytes that wait for reuse. */
  get memory(): MemoryUsage {
    return this.#pool.usage;
  }

  /** Starts a new measurement of the peak of {@linkcode Device.memory}. */
  resetPeakMemory(): void {
    this.#pool.resetPeak();
  }

  /** True after {@linkcode Device.close}. */
  get closed(): boolean {
    return this.#failures.closed;
  }

  /**
   * Takes storage from the pool; its bytes are whatever the last user left.
   *
   * @param bytes Bytes ≥ 0, at most `limits.maxStorageBufferBindingSize`.
   * @throws {DeviceError} If it is larger than the device can bind, or the device is closed or lost.
   */
  allocate(bytes: number): DeviceStorage {
    this.#failures.check();
    this.#bounds.checkBytes(bytes);
    return (this.#rehearsed ?? this.#pool).allocate(bytes);
  }

  /**
   * Encodes one dispatch; it runs with the next submit. Scalars or bindings other than the program declares are type errors.
   *
   * @throws {RangeError} If a number of workgroups is not a positive integer; 0 is one where all that is written is empty.
   * @throws {TypeError} If a storage that is written is bound twice.
   * @throws {DeviceError} If a dimension has more workgroups than the device takes, or an operation before it failed.
   */
  dispatch<P extends ParamTypes, A extends Accesses, V extends ParamValues<P>, B extends BindingsOf<A>>(
    shader: Program<P, A>,
    options: DispatchOptions<P, A, V, B>,
  ): void {
    this.#failures.check();
    const program = this.programs.whole(shader);
    this.recordings.checkDevice();
    const { buffers, constants, params: given = {}, workgroups } = options as DispatchOptions;
    if (!this.#bounds.isSomeWork(workgroups, program, buffers) || this.#rehearsed) return;
    const asked = askParams(program.params, given);
    this.#log?.add(program, { buffers, workgroups, constants, params: asked }, this.#running);
    const pipeline = this.pipelines.get(program, buffers, constants);
    this.#encoder.dispatch(program, pipeline, buffers, { given, asked }, workgroups, this.#running.label);
    noteWrites(pipeline, buffers, this.#encoder.serial, this.#failures);
  }

  /** Workgroups for `count` items at `size` a workgroup, folded past 65,535; a shader has `flat_id` and guards the tail. */
  groups(count: number, size: number): Workgroups {
    return this.#bounds.fold(count, size);
  }

  /** Names what runs inside `body`, for errors and profiles. */
  run<T>(name: string, shapes: readonly (readonly number[])[], body: () => T): T {
    return this.#running.run(name, shapes, body);
  }

  /**
   * Runs `body`, which must not wait, without the GPU: tensors have shapes but no elements, dispatches and writes do
   * nothing. So it is known in a moment whether work fits the adapter's limits. What it makes must not be used later.
   *
   * @returns Bytes in use at its end, and their peak.
   * @throws {DeviceError} If something exceeds what the adapter binds or dispatches at once.
   */
  rehearse(body: () => void): MemoryUsage {
    const before = this.#rehearsed;
    const pool = this.#rehearsed = new BufferPool({ create: () => ({ destroy() {} }) as GPUBuffer });
    try {
      this.recordings.withoutEffects(body);
      return pool.usage;
    } finally {
      this.#rehearsed = before;
    }
  }

  /** Writes bytes into a storage; submits first when an encoded command still uses it. */
  write(storage: DeviceStorage, data: ArrayBufferView, offset = 0): void {
    if (this.#rehearsed) return;
    this.#failures.check();
    this.recordings.refuse("write", "write before it, into a tensor that it is given or holds");
    this.#transfers.write(storage, data, offset);
  }

  /**
   * Reads bytes back: submits what was encoded, waits for it, and copies.
   *
   * @throws {DeviceError} If anything before it failed, or the storage may hold anything since something failed.
   */
  async read(storage: DeviceStorage, bytes: number, offset = 0): Promise<ArrayBuffer> {
    this.#failures.check();
    this.recordings.refuse("read back", "read what it returns");
    return await this.#transfers.read(storage, bytes, offset);
  }

  /** Opens a reader that hands up to `bytes` bytes back at once while the caller waits; see {@linkcode SyncReader}. */
  async openSyncReader(bytes: number): Promise<SyncReader> {
    return await this.#transfers.openSyncReader(bytes, (how) => this.recordings.refuse("read back", how));
  }

  /** @internal Reads parts at once, for a text; null where that cannot be had now. */
  peek(parts: readonly ReadPart[]): Uint8Array<ArrayBuffer> | null {
    return this.closed || this.recordings.active || this.#rehearsed ? null : this.#transfers.peek(parts);
  }

  /** Submits what was encoded; does not wait. */
  flush(): void {
    if (this.#rehearsed || this.pipelines.holds) return;
    this.#failures.check();
    this.#encoder.flush();
  }

  /** Submits what was encoded and waits until the GPU has done it. */
  async done(): Promise<void> {
    this.#failures.check();
    await this.#transfers.done();
  }

  /** Destroys the pool's free buffers, and forgets the bind groups that would keep them alive; returns their bytes. */
  trim(): number {
    if (this.closed) return 0;
    const { pooled } = this.memory;
    this.#encoder.flush();
    this.#encoder.forgetBindGroups();
    this.#pool.trim();
    this.#transfers.trim();
    return pooled;
  }

  /**
   * Starts timing every dispatch by timestamp queries, in a pass of its own, which costs time between dispatches.
   *
   * @param options `shapes`: keep the same op on other shapes apart; false by default.
   * @throws {DeviceError} If the adapter lacks `timestamp-query`.
   */
  startProfile(options: { shapes?: boolean } = {}): void {
    checkOptions("run startProfile()", options, ["shapes"]);
    this.#timing.start(options.shapes ?? false);
  }

  /**
   * Milliseconds of GPU time of each of some pieces of work, timed as wholes, as a clock with coarse steps needs it.
   *
   * @throws {DeviceError} If the adapter lacks `timestamp-query`.
   */
  async timeEach(pieces: readonly (() => void)[]): Promise<number[]> {
    return await this.#timing.each(pieces);
  }

  /** Ends the profile and returns GPU time by op and shader, the longest first. */
  async stopProfile(): Promise<ProfileRow[]> {
    return (await this.#timing.stop()).rows;
  }

  /** Starts a profile, as {@linkcode Device.startProfile}, that keeps when each dispatch ran, with its op and shapes. */
  startTrace(): void {
    this.#timing.start(true, { keepsEvents: true });
  }

  /** Ends the profile; gives the dispatches in the Trace Event Format, which Perfetto and Chrome's `about:tracing` open. */
  async stopTrace(): Promise<Trace> {
    return (await this.#timing.stop()).trace;
  }

  /** Destroys the device and everything on it. */
  close(): void {
    if (this.closed) return;
    this.#failures.close();
    Device.#opened.splice(Device.#opened.indexOf(this), 1);
    this.#encoder.destroy();
    this.#gpu.destroy();
  }

  /** Waits for the GPU, then closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.closed && !this.#failures.lost) await this.#transfers.idle();
    this.close();
  }
}
