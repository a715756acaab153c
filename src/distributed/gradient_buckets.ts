import type { Device, SyncReader } from "../device/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import type { Communicator } from "./communicator.ts";
import { checkOptions } from "../tensor/internal.ts";

/** Rule that makes one gradient of the ranks' gradients: `"mean"` of losses of their own, `"sum"` of shares of one loss. */
export type GradientReduction = "mean" | "sum";

/** Options of {@linkcode GradientBuckets}. */
export interface GradientBucketsOptions {
  /** Reduction of gradients over ranks; `"mean"` by default. */
  readonly reduction?: GradientReduction;
  /** Bytes after which a bucket is sent; 8 MiB by default. */
  readonly bytes?: number;
}

/** Gradients that travel together. */
interface Bucket {
  readonly members: readonly Tensor[];
  readonly host: Float32Array<ArrayBuffer>;
  waiting: number;
  sent: Promise<void> | null;
}

/**
 * Reduces gradients over all ranks while backward still runs: as soon as all gradients of a bucket are complete they
 * are read back and handed to MPI, which works on them beside the rest of backward. `ready` is what `backward` is given
 * as `onGrad`; after `finish` every rank has the same gradients.
 */
export class GradientBuckets {
  #group: Communicator;
  #reader: SyncReader;
  #device: Device;
  #reduction: GradientReduction;
  #buckets: Bucket[];
  #of = new Map<Tensor, Bucket>();
  #next = 0;
  /** Time spent in `finish` on reductions that backward did not hide, ms so far. */
  exposedMilliseconds = 0;

  /** Plans buckets for leaves in the order of their use: backward completes the last ones first. */
  constructor(
    group: Communicator,
    reader: SyncReader,
    leaves: readonly Tensor[],
    options: GradientBucketsOptions = {},
  ) {
    checkOptions("make GradientBuckets", options, ["reduction", "bytes"]);
    const { reduction = "mean", bytes = 2 ** 23 } = options;
    this.#group = group;
    this.#reader = reader;
    this.#device = leaves[0]!.device;
    this.#reduction = reduction;
    this.#buckets = plan(leaves, bytes);
    for (const bucket of this.#buckets) for (const leaf of bucket.members) this.#of.set(leaf, bucket);
  }

  /** Bytes that a step sends. */
  get bytes(): number {
    return this.#buckets.reduce((sum, { host }) => sum + host.byteLength, 0);
  }

  /** Buckets. */
  get count(): number {
    return this.#buckets.length;
  }

  /** Takes note that a leaf's gradient is complete. */
  ready(leaf: Tensor): void {
    const bucket = this.#of.get(leaf);
    if (!bucket) return;
    bucket.waiting--;
    // All ranks must send in one order: a bucket waits for those before it.
    for (let next = this.#buckets[this.#next]; next?.waiting === 0; next = this.#buckets[this.#next]) {
      this.#send(next);
      this.#next++;
    }
  }

  /**
   * Waits for the reductions and puts the results into the leaves' gradients.
   *
   * @throws {Error} If a leaf got no gradient: the ranks would wait for each other forever.
   */
  async finish(): Promise<void> {
    const late = this.#buckets[this.#next];
    if (late) {
      throw new Error(`Cannot reduce gradients as ${late.waiting} of ${late.members.length} in a bucket are missing`);
    }
    for (const bucket of this.#buckets) {
      const start = performance.now();
      await bucket.sent;
      this.exposedMilliseconds += performance.now() - start;
      this.#receive(bucket);
    }
    this.#next = 0;
  }

  #send(bucket: Bucket): void {
    const parts = bucket.members.map(({ grad }) => ({ storage: grad!.storage, bytes: grad!.bytes }));
    this.#reader.read(parts, new Uint8Array(bucket.host.buffer));
    bucket.sent = this.#group.startAllReduce(bucket.host);
    bucket.sent.catch(() => {}); // finish() throws it
  }

  #receive(bucket: Bucket): void {
    const { host, members } = bucket;
    const { size } = this.#group;
    if (this.#reduction === "mean" && size > 1) { for (let i = 0; i < host.length; i++) host[i]! /= size; }
    let at = 0;
    for (const { grad } of members) this.#device.write(grad!.storage, host.subarray(at, at += grad!.size));
    bucket.waiting = members.length;
    bucket.sent = null;
  }
}

function plan(leaves: readonly Tensor[], bytes: number): Bucket[] {
  const buckets: Bucket[] = [];
  let members: Tensor[] = [];
  let size = 0;
  const close = () => {
    if (members.length === 0) return;
    buckets.push({ members, host: new Float32Array(new ArrayBuffer(4 * size)), waiting: members.length, sent: null });
    members = [];
    size = 0;
  };
  for (const leaf of leaves.toReversed()) {
    if (!leaf.requiresGrad) continue;
    members.push(leaf);
    size += leaf.size;
    if (4 * size >= bytes) close();
  }
  close();
  return buckets;
}
