// Graphs in the ONNX format: protobuf, by the field numbers of onnx.proto.
import { concatBytes } from "./source.ts";

/** An encoded field of a message. */
export type OnnxField = Uint8Array<ArrayBuffer>;
type Field = OnnxField;

const FLOAT = 1;
const INT64 = 7;

/** Seven bits a byte; of negative numbers the 64 bits. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, BigInt(value));; rest >>= 7n) {
    if (rest < 128n) return [...bytes, Number(rest)];
    bytes.push(Number(rest & 127n) + 128);
  }
}

function integer(field: number, value: number): Field {
  return Uint8Array.from([...varint(field * 8), ...varint(value)]);
}

function bytes(field: number, value: Field | string | readonly Field[]): Field {
  const content = typeof value === "string"
    ? new TextEncoder().encode(value)
    : value instanceof Uint8Array
    ? value
    : concatBytes(value);
  return concatBytes([Uint8Array.from([...varint(field * 8 + 2), ...varint(content.length)]), content]);
}

/** A constant of the graph, f32 or i64. */
export function constant(
  name: string,
  shape: readonly number[],
  values: Float32Array<ArrayBuffer> | BigInt64Array<ArrayBuffer>,
): Field {
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const type = values instanceof Float32Array ? FLOAT : INT64;
  return bytes(5, [...shape.map((size) => integer(1, size)), integer(2, type), bytes(8, name), bytes(9, raw)]);
}

/** An attribute of a node: a whole number or several. */
export function attribute(name: string, value: number | readonly number[]): Field {
  const rest = typeof value === "number" ? [integer(3, value), integer(20, 2)] : [
    ...value.map((each) => integer(8, each)),
    integer(20, 7),
  ];
  return bytes(5, [bytes(1, name), ...rest]);
}

/** An attribute that is a floating-point number. */
export function floatAttribute(name: string, value: number): Field {
  const number = new Uint8Array(Float32Array.of(value).buffer);
  return bytes(5, [bytes(1, name), concatBytes([Uint8Array.of(2 * 8 + 5), number]), integer(20, 1)]);
}

/** A node of the graph. */
export function node(op: string, inputs: readonly string[], output: string, attributes: readonly Field[] = []): Field {
  return bytes(1, [...inputs.map((name) => bytes(1, name)), bytes(2, output), bytes(4, op), ...attributes]);
}

function value(field: 11 | 12, name: string, shape: readonly (number | string)[], type: number): Field {
  const dims = shape.map((size) => bytes(1, [typeof size === "number" ? integer(1, size) : bytes(2, size)]));
  return bytes(field, [bytes(1, name), bytes(2, [bytes(1, [integer(1, type), bytes(2, dims)])])]);
}

/** Input and outputs with their shapes; a name stands for a size that is open. */
export interface OnnxSignature {
  /** Images, f32 unless `type` says otherwise by its number in onnx.proto. */
  input: readonly [name: string, shape: readonly (number | string)[], type?: number];
  /** Outputs, f32. */
  outputs: readonly (readonly [name: string, shape: readonly (number | string)[]])[];
}

/** The bytes of a model of IR version 8, opset 17. */
export function onnxModel(parts: readonly Field[], { input, outputs }: OnnxSignature): Uint8Array<ArrayBuffer> {
  const [name, shape, type = 1] = input;
  const ends = [value(11, name, shape, type), ...outputs.map(([output, sizes]) => value(12, output, sizes, 1))];
  const graph = bytes(7, [...parts, bytes(2, "graph"), ...ends]);
  return concatBytes([integer(1, 8), bytes(8, [bytes(1, ""), integer(2, 17)]), graph]);
}
