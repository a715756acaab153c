import { quoted } from "../formats/internal.ts";
import type { Features } from "../data/mod.ts";

/** Part of npm's `onnxruntime-node` that is used, whose types would have everybody who checks this library fetch it. */
export interface Runtime {
  readonly InferenceSession: { create(path: string): Promise<Session> };
  readonly Tensor: TensorClass;
}

/** Makes the tensors that a graph takes. */
export interface TensorClass {
  new (type: "float32", data: Float32Array, dims: readonly number[]): Value;
}

/** A tensor of the runtime. */
export interface Value {
  readonly type: string;
  readonly data: unknown;
  readonly dims: readonly number[];
}

interface Metadata {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type: string;
  /** Sizes of the axes; one without a fixed size has a name. */
  readonly shape: readonly (number | string)[];
}

/** A graph that is ready to run. */
export interface Session {
  readonly inputMetadata: readonly Metadata[];
  readonly outputMetadata: readonly Metadata[];
  readonly outputNames: readonly string[];
  run(inputs: Readonly<Record<string, Value>>, outputs: readonly string[]): Promise<Readonly<Record<string, Value>>>;
  release(): Promise<void>;
}

/** The version that is loaded; 1.22 is the first that tells the shapes of inputs. */
const RUNTIME = "npm:onnxruntime-node@1.30.0";

/** Order of the dimensions of images. */
export type ImageLayout = "nhwc" | "nchw";

/** Loads npm's runtime. The specifier is no literal, so that merely importing this module fetches nothing. */
export async function loadRuntime(specifier = RUNTIME): Promise<Runtime> {
  try {
    return await import(specifier);
  } catch (cause) {
    throw new Deno.errors.NotFound(
      `Cannot load npm package "onnxruntime-node", which runs ONNX graphs: ${(cause as Error).message}; ` +
        `run "deno cache ${specifier}" once where the npm registry can be reached`,
      { cause },
    );
  }
}

/** Refuses what is no positive integer. */
export function checkGiven(name: string, value: number | undefined): void {
  if (value === undefined || Number.isInteger(value) && value >= 1) return;
  throw new RangeError(
    `Cannot open an ONNX encoder as ${name} must be a positive integer: current value is ${value}`,
  );
}

/** The input of images: name, layout, side, and the batch where it is fixed. */
export function inputOf(
  session: Session,
  path: string,
  options: { size?: number; layout?: ImageLayout },
): { input: string; layout: ImageLayout; size: number; maxBatch?: number } {
  const [input] = session.inputMetadata;
  if (session.inputMetadata.length !== 1 || !input?.isTensor || input.type !== "float32" || input.shape.length !== 4) {
    throw new TypeError(
      `Cannot use "${path}" as it must have one input, f32 [n,size,size,3] or [n,3,size,size]: got ${
        described(session.inputMetadata)
      }`,
    );
  }
  const [batch, second, third, fourth] = input.shape;
  const layout = options.layout ?? (second === 3 ? "nchw" : fourth === 3 ? "nhwc" : null);
  if (layout === null) {
    throw new TypeError(
      `Cannot use "${path}" as its input does not tell channels from height: got ${
        described([input])
      }; give the layout, nhwc or nchw`,
    );
  }
  const sides = (layout === "nchw" ? [third, fourth] : [second, third]).filter((side) => typeof side === "number");
  const channels = layout === "nchw" ? second : fourth;
  const size = options.size ?? sides[0] ?? 224;
  if (sides.some((side) => side !== size) || typeof channels === "number" && channels !== 3) {
    throw new TypeError(
      `Cannot use "${path}" as images are ${layout}, ${size} px, 3 channels: got ${described([input])}`,
    );
  }
  return { input: input.name, layout, size, ...typeof batch === "number" ? { maxBatch: batch } : {} };
}

/** The name of the output to take. */
export function outputOf(session: Session, path: string, wanted: string | undefined): string {
  const names = [...session.outputNames];
  if (wanted === undefined && names.length === 1) return names[0]!;
  if (wanted !== undefined && names.includes(wanted)) return wanted;
  throw new TypeError(
    `Cannot use "${path}" as ${
      wanted === undefined ? "one of its outputs must be named" : `it must have an output "${wanted}"`
    }: got ${described(session.outputMetadata)}`,
  );
}

function described(list: readonly Metadata[]): string {
  return list.map((each) => each.isTensor ? `${quoted(each.name)} ${each.type} [${each.shape}]` : quoted(each.name))
    .join(
      ", ",
    );
}

/**
 * Takes rows `[n, dim]` from an output `[n, dim]`, `[n, tokens, dim]` (the first token), or either with dimensions of
 * size 1.
 */
export function featureRows({ dims, type, data }: Value, n: number, output: string, path: string): Features {
  const inner = dims.slice(1).filter((size) => size !== 1);
  if (type !== "float32" || dims[0] !== n || inner.length > 2 || dims.length < 2) {
    throw new TypeError(
      `Cannot use "${path}" as output "${output}" must be f32 [${n},dim] or [${n},tokens,dim]: got ${type} [${dims}]`,
    );
  }
  const values = data as Float32Array;
  const stride = values.length / n;
  const dim = inner.length === 2 ? inner[1]! : stride;
  const rows = new Float32Array(n * dim);
  for (let i = 0; i < n; i++) rows.set(values.subarray(i * stride, i * stride + dim), i * dim);
  return { data: rows, dim };
}

/** Transposes an image from `[size, size, 3]` to `[3, size, size]`. */
export function toNchw(image: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const pixels = image.length / 3;
  const out = new Float32Array(image.length);
  for (let i = 0; i < image.length; i++) out[i % 3 * pixels + Math.floor(i / 3)] = image[i]!;
  return out;
}
