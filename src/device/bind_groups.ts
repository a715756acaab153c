import type { Bindings } from "./dispatch.ts";
import type { Block } from "./blocks.ts";
import type { Pipeline } from "./pipelines.ts";
import { PARAMS_SLOT } from "./program.ts";
import { RecentMap } from "./recent_map.ts";
import type { Textures } from "./textures.ts";

/** Bind groups that are kept: several times those of a step of the largest networks. */
const MOST = 4096;

/** Guard of what WebGPU makes: it names the shader in an error that arrives later. */
export type Guard = (shader: string, make: () => GPUBindGroup) => GPUBindGroup;

/** A bind group, what it binds, and which one was wanted after it. */
class Known {
  readonly group: GPUBindGroup;
  #pipeline: Pipeline;
  /** Block, offset and size of each binding. */
  #places: readonly number[];
  #next: Known | null = null;

  constructor(group: GPUBindGroup, pipeline: Pipeline, places: readonly number[]) {
    this.group = group;
    this.#pipeline = pipeline;
    this.#places = places;
  }

  get next(): Known | null {
    return this.#next;
  }

  precede(next: Known): void {
    this.#next = next;
  }

  /** Tells whether it binds these places to this pipeline, which tells how many there are and at which bindings. */
  binds(pipeline: Pipeline, places: readonly number[]): boolean {
    if (this.#pipeline !== pipeline) return false;
    for (let i = 0; i < this.#places.length; i++) if (this.#places[i] !== places[i]) return false;
    return true;
  }
}

/**
 * Finds bind groups again. Steps repeat themselves, so the group that followed the last one before is tried first; the
 * others are found by a text of what they bind, which takes a microsecond or two to make and look up.
 */
export class BindGroups {
  #gpu: GPUDevice;
  #params: GPUBuffer;
  #guard: Guard;
  #textures: Textures;
  #known = new RecentMap<Known>(MOST);
  #last: Known | null = null;
  #places: number[] = [];
  #created = 0;

  /** Takes the buffer that `Params` are in, unless another is given, and what is bound where a program reads a texture. */
  constructor(gpu: GPUDevice, params: GPUBuffer, guard: Guard, textures: Textures) {
    this.#gpu = gpu;
    this.#params = params;
    this.#guard = guard;
    this.#textures = textures;
  }

  /** Bind groups made so far. */
  get created(): number {
    return this.#created;
  }

  /** Finds or makes a bind group; the submit `serial` uses what it binds. */
  get(pipeline: Pipeline, bindings: Bindings, serial: number): GPUBindGroup {
    const places = this.#places;
    let count = 0;
    for (let i = 0; i < pipeline.bound.length; i++) {
      const bound = bindings[pipeline.bound[i]!]!;
      const window = "storage" in bound;
      const { block } = window ? bound.storage : bound;
      block.use(serial);
      places[count++] = block.id;
      places[count++] = window ? bound.offset : 0;
      places[count++] = window ? bound.size : bound.bytes;
    }
    const guess = this.#last?.next;
    const known = guess?.binds(pipeline, places) ? guess : this.#find(pipeline, bindings, places.slice(0, count));
    this.#last?.precede(known);
    this.#last = known;
    return known.group;
  }

  #find(pipeline: Pipeline, bindings: Bindings, places: readonly number[]): Known {
    const key = `${pipeline.id} ${places}`;
    let known = this.#known.get(key);
    if (!known) this.#known.set(key, known = new Known(this.make(pipeline, bindings), pipeline, places));
    return known;
  }

  /** Makes a bind group with its `Params` in the shared buffer, or in one of their own. */
  make(pipeline: Pipeline, bindings: Bindings, params: GPUBuffer = this.#params): GPUBindGroup {
    checkWrites(pipeline, bindings);
    const entries: GPUBindGroupEntry[] = [];
    if (pipeline.hasParams) {
      entries.push({ binding: 0, resource: { buffer: params, offset: 0, size: PARAMS_SLOT } });
    }
    for (const binding in bindings) {
      const bound = bindings[binding];
      if (!bound) continue;
      const part = "storage" in bound
        ? { buffer: bound.storage.block.buffer, offset: bound.offset, size: bound.size }
        : { buffer: bound.block.buffer, offset: 0, size: bound.bytes };
      const at = Number(binding);
      const resource = pipeline.textures.includes(at) ? this.#textures.of(at, part.size).createView() : part;
      entries.push({ binding: at, resource });
    }
    this.#created++;
    const { label, layout } = pipeline;
    return this.#guard(label, () => this.#gpu.createBindGroup({ label, layout, entries }));
  }

  /** Forgets all of them; they keep destroyed buffers alive. */
  clear(): void {
    this.#known.clear();
    this.#last = null;
  }
}

/** A buffer that is written may not be bound a second time: the GPU would refuse the whole submit. */
function checkWrites({ label, writes }: Pipeline, bindings: Bindings): void {
  const owners = new Map<Block, number>();
  for (const key in bindings) {
    const bound = bindings[key];
    if (!bound) continue;
    const binding = Number(key);
    const { block } = "storage" in bound ? bound.storage : bound;
    const other = owners.get(block);
    if (other !== undefined && (writes.includes(binding) || writes.includes(other))) {
      throw new TypeError(
        `Cannot dispatch ${label} as a buffer that is written must be bound once: got it at ${other} and ${binding}`,
      );
    }
    owners.set(block, binding);
  }
}
