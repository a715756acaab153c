import { type Device, Tensor } from "../mod.ts";
import type { MemoryUsage } from "../src/device/mod.ts";
import { BufferPool } from "../src/device/pool.ts";

type Shape = readonly number[];

/** One op that ran: forward, or the gradient of one (`conv2d grad`). */
export interface TracedOp {
  /** Number in the order of the calls; a profile names the op `#index`. */
  readonly index: number;
  /** Name of the public function. */
  readonly name: string;
  /** Shapes of its inputs; a gradient's are those of its forward. */
  readonly inputs: readonly Shape[];
  /** Shape of the forward's output; undefined where the op makes none, as an optimizer. */
  readonly output: Shape | undefined;
  /** Flags of the inputs that got a gradient. */
  readonly wanted: readonly boolean[];
  /** Dispatches it took; 0 for a view of the same numbers. */
  readonly dispatches: number;
}

type Growing = { -readonly [K in keyof TracedOp]: TracedOp[K] };

/**
 * Runs `body` and lists its ops; an op inside an op belongs to it.
 */
export function trace(device: Device, body: () => void): TracedOp[] {
  const ops: Growing[] = [];
  const outputs = new WeakMap<object, Shape>(); // a gradient runs on its forward's own list of shapes
  const { run, dispatch } = device;
  let current: Growing | null = null;
  const restore = override(device, {
    run<T>(name: string, shapes: readonly Shape[], inner: () => T): T {
      if (current) return inner();
      const op: Growing = {
        index: ops.length,
        name,
        inputs: shapes,
        output: outputs.get(shapes),
        wanted: [],
        dispatches: 0,
      };
      ops.push(op);
      current = op;
      try {
        const result = run.call(device, `#${op.index}`, shapes, inner) as T;
        if (result instanceof Tensor) outputs.set(shapes, op.output = result.shape);
        if (Array.isArray(result)) op.wanted = result.map((each) => each !== null);
        return result;
      } finally {
        current = null;
      }
    },
    dispatch(...args: Parameters<Device["dispatch"]>) {
      if (current) current.dispatches++;
      dispatch.apply(device, args);
    },
  });
  try {
    body();
  } finally {
    restore();
  }
  return ops.filter((op) => op.dispatches > 0);
}

/** The GPU that a dry run plays: what a large one offers to WebGPU. */
const PLAYED = {
  info: { vendor: "", description: "a GPU, not run", family: "gpu", subgroupSize: 32 },
  limits: {
    maxBufferSize: 2 ** 31 - 4,
    maxStorageBufferBindingSize: 2 ** 31 - 4,
    maxStorageBuffersPerShaderStage: 16,
    maxComputeWorkgroupStorageSize: 48 * 1024,
    maxComputeInvocationsPerWorkgroup: 1024,
    maxComputeWorkgroupSizeX: 1024,
    maxComputeWorkgroupSizeY: 1024,
    maxComputeWorkgroupSizeZ: 64,
    maxComputeWorkgroupsPerDimension: 65535,
  },
} as const;

/**
 * Runs `body` on a device that only keeps books: tensors have shapes and bytes but no memory, dispatches do nothing. So
 * the ops and the memory of a step are known exactly at a size that does not fit here. Nothing may be read back.
 *
 * @returns What is in use at the end, and the peak; read it while `body` still runs with `usage()`.
 */
export function dryRun<T>(device: Device, body: (memory: { usage(): MemoryUsage; resetPeak(): void }) => T): T {
  const pool = new BufferPool({ create: () => ({ destroy() {} }) as GPUBuffer });
  const restore = override(device, {
    ...PLAYED,
    allocate: (bytes: number) => pool.allocate(bytes),
    dispatch() {},
    write() {},
    flush() {},
  });
  try {
    return body({ usage: () => pool.usage, resetPeak: () => pool.resetPeak() });
  } finally {
    restore();
  }
}

/** Puts other members in front of a device's own; the function returned takes them away. */
function override(device: Device, members: Record<string, unknown>): () => void {
  const before = Object.keys(members).map((name) => [name, Object.getOwnPropertyDescriptor(device, name)] as const);
  for (const [name, value] of Object.entries(members)) {
    Object.defineProperty(device, name, { value, configurable: true, writable: true, enumerable: true });
  }
  return () => {
    for (const [name, own] of before) {
      if (own) Object.defineProperty(device, name, own);
      else delete (device as unknown as Record<string, unknown>)[name];
    }
  };
}
