/** Writes small ONNX graphs (protobuf by hand): just what the tests need. */

type Field = Uint8Array;

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value;; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push(rest % 128 + 128);
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((at, part) => (out.set(part, at), at + part.length), 0);
  return out;
}

function integer(field: number, value: number): Field {
  return Uint8Array.from([...varint(field * 8), ...varint(value)]);
}

function bytes(field: number, value: Uint8Array | string | readonly Field[]): Field {
  const content = typeof value === "string"
    ? new TextEncoder().encode(value)
    : value instanceof Uint8Array
    ? value
    : joined(value);
  return joined([Uint8Array.from([...varint(field * 8 + 2), ...varint(content.length)]), content]);
}

/** A constant of the graph, f32 or i64. */
export function constant(name: string, shape: readonly number[], values: Float32Array | BigInt64Array): Field {
  const raw = new Uint8Array(
    values.buffer.slice(values.byteOffset, values.byteOffset + values.byteLength) as ArrayBuffer,
  );
  const type = values instanceof Float32Array ? 1 : 7;
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

/** A node of the graph. */
export function node(op: string, inputs: string[], output: string, attributes: readonly Field[] = []): Field {
  return bytes(1, [...inputs.map((name) => bytes(1, name)), bytes(2, output), bytes(4, op), ...attributes]);
}

function value(field: 11 | 12, name: string, shape: readonly (number | string)[], type: number): Field {
  const dims = shape.map((size) => bytes(1, [typeof size === "number" ? integer(1, size) : bytes(2, size)]));
  return bytes(field, [bytes(1, name), bytes(2, [bytes(1, [integer(1, type), bytes(2, dims)])])]);
}

/** Input and outputs with their shapes; a name stands for a size that is open. */
export interface Signature {
  input: readonly [name: string, shape: readonly (number | string)[], type?: number];
  outputs: readonly (readonly [name: string, shape: readonly (number | string)[]])[];
}

/** The bytes of a model of IR version 8, opset 13. */
export function onnxModel(parts: readonly Field[], { input, outputs }: Signature): Uint8Array<ArrayBuffer> {
  const [name, shape, type = 1] = input;
  const ends = [value(11, name, shape, type), ...outputs.map(([output, sizes]) => value(12, output, sizes, 1))];
  const graph = bytes(7, [...parts.slice(), bytes(2, "graph"), ...ends]);
  return joined([integer(1, 8), bytes(8, [bytes(1, ""), integer(2, 13)]), graph]);
}
