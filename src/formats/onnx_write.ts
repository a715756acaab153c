// Graphs in the ONNX format: protobuf, by the field numbers of onnx.proto.
import { bytesField, floatField, integerField } from "./protobuf.ts";
import { concatBytes } from "./source.ts";

/** An encoded field of a message. */
export type OnnxField = Uint8Array<ArrayBuffer>;
type Field = OnnxField;

const FLOAT = 1;
const INT64 = 7;

/** A constant of the graph, f32 or i64. */
export function constant(
  name: string,
  shape: readonly number[],
  values: Float32Array<ArrayBuffer> | BigInt64Array<ArrayBuffer>,
): Field {
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const type = values instanceof Float32Array ? FLOAT : INT64;
  return bytesField(5, [
    ...shape.map((size) => integerField(1, size)),
    integerField(2, type),
    bytesField(8, name),
    bytesField(9, raw),
  ]);
}

/** An attribute of a node: a whole number or several. */
export function attribute(name: string, value: number | readonly number[]): Field {
  const rest = typeof value === "number" ? [integerField(3, value), integerField(20, 2)] : [
    ...value.map((each) => integerField(8, each)),
    integerField(20, 7),
  ];
  return bytesField(5, [bytesField(1, name), ...rest]);
}

/** An attribute that is a floating-point number. */
export function floatAttribute(name: string, value: number): Field {
  return bytesField(5, [bytesField(1, name), floatField(2, value), integerField(20, 1)]);
}

/** A node of the graph. */
export function node(op: string, inputs: readonly string[], output: string, attributes: readonly Field[] = []): Field {
  return bytesField(1, [
    ...inputs.map((name) => bytesField(1, name)),
    bytesField(2, output),
    bytesField(4, op),
    ...attributes,
  ]);
}

function value(field: 11 | 12, name: string, shape: readonly (number | string)[], type: number): Field {
  const dims = shape.map((size) =>
    bytesField(1, [typeof size === "number" ? integerField(1, size) : bytesField(2, size)])
  );
  return bytesField(field, [
    bytesField(1, name),
    bytesField(2, [bytesField(1, [integerField(1, type), bytesField(2, dims)])]),
  ]);
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
  const graph = bytesField(7, [...parts, bytesField(2, "graph"), ...ends]);
  return concatBytes([integerField(1, 8), bytesField(8, [bytesField(1, ""), integerField(2, 17)]), graph]);
}
