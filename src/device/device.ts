import { type AdapterInfo, type AdapterOptions, requestDevice } from "./adapter.ts";
import { DeviceError } from "./errors.ts";
import { type Constants, PipelineCache } from "./pipelines.ts";
import { BufferPool, type MemoryUsage, type Storage } from "./pool.ts";
import { Profiler, type ProfileRow } from "./profiler.ts";
import type { Program } from "./program.ts";
import { type Bindings, Recorder, type Workgroups } from "./recorder.ts";

/** What a dispatch needs beside its program. */
export interface DispatchOptions {
  /** Values of the program's `Params`. */
  params?: Readonly<Record<string, number>>;
  /** Storage bindings: number to storage or window. */
  buffers: Bindings;
  /** Workgroups in x, y, z; see {@linkcode Device.groups} for flat work. */
  workgroups: Workgroups;
  /** Values of the program's `override` constants. */
  constants?: Constants;
}

/** How much the device has made and done; a steady training step changes `submits` and `dispatches` only. */
export interface Counters {
  /** GPUBuffers created, staging buffers included. */
  readonly buffers: number;
  /** Compute pipelines compiled. */
  readonly pipelines: number;
  /** Bind groups created. */
  readonly bindGroups: number;
  /** Queue submits. */
  readonly submits: number;
  /** Dispatches recorded. */
  readonly dispatches: number;
  /** Read-backs. */
  readonly reads: number;
}

/** What runs now: named by errors and profiles. */
interface Running {
  readonly name: string;
  readonly shapes: readonly (readonly number[])[];
}

/** Open devices, the default one last. */
const opened: Device[] = [];

/**
 * A GPU, opened: it allocates storages, records dispatches in one open compute pass, submits them when asked, and reads
 * results back. Nothing runs before a read-back, {@linkcode Device.flush} or 4,096 dispatches.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * await using device = await Device.open(); // also the default device of what follows
 * const x = tensor([1, 2, 3]);
 * assertEquals(await x.data(), new Float32Array([1, 2, 3]));
 * ```
 */
export class Device {
  /** Vendor, description and family of the adapter. */
  readonly info: AdapterInfo;
  /** Limits of the adapter, all of which the device has. */
  readonly limits: GPUSupportedLimits;
  /** Names of the optional features that work: `timestamp-query`, `shader-f16`, `subgroups`. */
  readonly features: ReadonlySet<string>;
  #gpu: GPUDevice;
  #pool: BufferPool;
  #pipelines: PipelineCache;
  #recorder: Recorder;
  #staging = new Map<number, GPUBuffer[]>();
  #stagingCreated = 0;
  #reads = 0;
  #checks = new Set<Promise<void>>();
  #error: DeviceError | null = null;
  #lost: DeviceError | null = null;
  #closed = false;
  #running: Running = { name: "", shapes: [] };

  private constructor(gpu: GPUDevice, info: AdapterInfo) {
    this.#gpu = gpu;
    this.info = info;
    this.limits = gpu.limits;
    this.features = new Set(gpu.features as unknown as Iterable<string>);
    this.#pool = new BufferPool((bytes) => this.#createBuffer(bytes));
    this.#pipelines = new PipelineCache(gpu, (error) => this.#fail(error), (check) => this.#await(check));
    this.#recorder = new Recorder(gpu);
    gpu.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.#fail(
        new DeviceError(
          `Cannot run on the device: ${(event as unknown as GPUUncapturedErrorEvent).error.message}`,
          this.#details(),
        ),
      );
    });
    gpu.lost.then(({ reason, message }) => {
      if (this.#closed) return;
      this.#lost = new DeviceError(`Cannot go on as the device was lost: ${message || reason}`, this.#details());
    });
  }

  /**
   * Opens the adapter that the system prefers and makes it the default device.
   *
   * @throws {DeviceError} If no adapter answers; the message says what to install.
   */
  static async open(options: AdapterOptions = {}): Promise<Device> {
    const { gpu, info } = await requestDevice(options);
    const device = new Device(gpu, info);
    opened.push(device);
    return device;
  }

  /**
   * The device that was opened last and is still open.
   *
   * @throws {DeviceError} If none is open.
   */
  static get current(): Device {
    const device = opened.at(-1);
    if (!device) throw new DeviceError("Cannot use the default device as none is open: await Device.open() first");
    return device;
  }

  /** What was made and done so far. */
  get counters(): Counters {
    return {
      buffers: this.#pool.created + this.#stagingCreated,
      pipelines: this.#pipelines.created,
      bindGroups: this.#recorder.bindGroupsCreated,
      submits: this.#recorder.submits,
      dispatches: this.#recorder.dispatches,
      reads: this.#reads,
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
    return this.#closed;
  }

  /**
   * Takes storage from the pool; its bytes are whatever the last user left.
   *
   * @param bytes Bytes ≥ 0, at most `limits.maxStorageBufferBindingSize`.
   * @throws {DeviceError} If it is larger than the device can bind, or the device is closed or lost.
   */
  allocate(bytes: number): Storage {
    this.#check();
    const limit = Math.min(this.limits.maxStorageBufferBindingSize, this.limits.maxBufferSize);
    if (bytes > limit) {
      throw new DeviceError(
        `Cannot allocate ${bytes} bytes as this adapter binds at most ${limit} bytes at once: use a smaller batch`,
        this.#details(),
      );
    }
    return this.#pool.allocate(Math.min(bytes, limit));
  }

  /** Records one dispatch; it runs with the next submit. */
  dispatch(program: Program, options: DispatchOptions): void {
    this.#check();
    const { buffers, constants, params, workgroups } = options;
    if (workgroups[0] === 0 || workgroups[1] === 0 || workgroups[2] === 0) return;
    let bindings = "";
    for (const binding in buffers) if (buffers[binding]) bindings += `${binding},`;
    const pipeline = this.#pipelines.get(program, bindings, constants);
    this.#recorder.dispatch(program, pipeline, buffers, params ?? {}, workgroups, this.#running.name);
  }

  /**
   * Workgroups for `count` flat items at `size` items a workgroup, folded into y past 65,535; the shader finds its item
   * with `flat_id` of `lib/flat.wgsl` and guards the tail.
   */
  groups(count: number, size: number): Workgroups {
    const groups = Math.ceil(count / size);
    const limit = this.limits.maxComputeWorkgroupsPerDimension;
    if (groups <= limit) return [groups, 1, 1];
    const y = Math.ceil(groups / limit);
    return [Math.ceil(groups / y), y, 1];
  }

  /** Names what runs inside `body`, for errors and profiles. */
  run<T>(name: string, shapes: readonly (readonly number[])[], body: () => T): T {
    const before = this.#running;
    this.#running = { name, shapes };
    try {
      return body();
    } finally {
      this.#running = before;
    }
  }

  /** Writes bytes into a storage; submits first when a recorded command still uses it. */
  write(storage: Storage, data: ArrayBufferView, offset = 0): void {
    this.#check();
    if (this.#recorder.uses(storage.block)) this.#recorder.flush();
    const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
    const whole = bytes.length & ~3;
    const { buffer } = storage.block;
    if (whole > 0) this.#gpu.queue.writeBuffer(buffer, offset, bytes, 0, whole);
    if (whole === bytes.length) return;
    const tail = new Uint8Array(4);
    tail.set(bytes.subarray(whole));
    this.#gpu.queue.writeBuffer(buffer, offset + whole, tail);
  }

  /**
   * Reads bytes back: submits what was recorded, waits for it, and copies.
   *
   * @throws {DeviceError} If anything before it failed.
   */
  async read(storage: Storage, bytes: number, offset = 0): Promise<ArrayBuffer> {
    this.#check();
    this.#reads++;
    const size = Math.max(4, Math.ceil(bytes / 4) * 4);
    const staging = this.#takeStaging(size);
    this.#recorder.copy(storage, offset, staging, size);
    this.#recorder.flush();
    await this.#settle();
    try {
      await staging.mapAsync(GPUMapMode.READ, 0, size);
    } catch (cause) {
      await Promise.resolve();
      this.#check();
      throw new DeviceError("Cannot read a result back", { ...this.#details(), cause });
    }
    const result = staging.getMappedRange(0, size).slice(0, bytes);
    staging.unmap();
    this.#staging.get(staging.size)?.push(staging);
    this.#check();
    return result;
  }

  /** Submits what was recorded; does not wait. */
  flush(): void {
    this.#check();
    this.#recorder.flush();
  }

  /** Submits what was recorded and waits until the GPU has done it. */
  async done(): Promise<void> {
    this.flush();
    await this.#settle();
    await this.#gpu.queue.onSubmittedWorkDone();
    this.#check();
  }

  /** Destroys the pool's free buffers, and forgets the bind groups that would keep them alive. */
  trim(): void {
    this.#recorder.flush();
    this.#recorder.forgetBindGroups();
    this.#pool.trim();
    for (const buffers of this.#staging.values()) for (const buffer of buffers) buffer.destroy();
    this.#staging.clear();
  }

  /**
   * Starts timing every dispatch by timestamp queries. Each dispatch then runs in a pass of its own, which costs time
   * between dispatches but not within them.
   *
   * @throws {DeviceError} If the adapter lacks `timestamp-query`.
   */
  startProfile(): void {
    if (!this.features.has("timestamp-query")) {
      throw new DeviceError(`Cannot profile as ${this.info.description} lacks the feature timestamp-query`);
    }
    this.#recorder.flush();
    this.#recorder.profiler = new Profiler(this.#gpu);
  }

  /** Ends the profile and returns GPU time by op and shader, the longest first. */
  async stopProfile(): Promise<ProfileRow[]> {
    await this.done();
    const { profiler } = this.#recorder;
    this.#recorder.profiler = null;
    const rows = await profiler?.rows() ?? [];
    profiler?.destroy();
    return rows;
  }

  /** Destroys the device and everything on it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    opened.splice(opened.indexOf(this), 1);
    this.#recorder.destroy();
    this.#gpu.destroy();
  }

  /** Waits for the GPU, then closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#closed && !this.#lost) {
      this.#recorder.flush();
      await this.#gpu.queue.onSubmittedWorkDone();
    }
    this.close();
  }

  #createBuffer(size: number): GPUBuffer {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    this.#gpu.pushErrorScope("out-of-memory");
    const buffer = this.#gpu.createBuffer({ size, usage });
    const details = this.#details();
    this.#await(
      this.#gpu.popErrorScope().then((error) => {
        if (error) this.#fail(new DeviceError(`Cannot allocate ${size} bytes as the device is out of memory`, details));
      }),
    );
    return buffer;
  }

  #takeStaging(bytes: number): GPUBuffer {
    const size = 2 ** Math.ceil(Math.log2(Math.max(bytes, 256)));
    let free = this.#staging.get(size);
    if (!free) this.#staging.set(size, free = []);
    const staging = free.pop();
    if (staging) return staging;
    this.#stagingCreated++;
    return this.#gpu.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  }

  #details(): { op?: string; shapes?: readonly (readonly number[])[] } {
    return this.#running.name ? { op: this.#running.name, shapes: this.#running.shapes } : {};
  }

  #fail(error: DeviceError): void {
    this.#error ??= error;
  }

  #await(check: Promise<void>): void {
    this.#checks.add(check);
    check.finally(() => this.#checks.delete(check));
  }

  /** Waits for the error scopes that are still open; what a failure drags behind it is dropped with it. */
  async #settle(): Promise<void> {
    while (this.#checks.size > 0) await Promise.all(this.#checks);
    const error = this.#error;
    if (error && !this.#lost) {
      await this.#gpu.queue.onSubmittedWorkDone();
      this.#error = error;
    }
    this.#check();
  }

  #check(): void {
    if (this.#closed) throw new DeviceError("Cannot use a closed device", this.#details());
    if (this.#lost) throw this.#lost;
    const error = this.#error;
    if (!error) return;
    this.#error = null;
    throw error;
  }
}
