import { defineProgram, type Device, type ParamType } from "../../device/mod.ts";
import { type Nothing, withTypes } from "../../device/internal.ts";
import {
  elementwise as shader,
  elementwise_flat as flat,
  elementwise_strided as strided,
} from "../../shaders/elementwise.ts";
import { lib_flat, lib_nan, lib_power } from "../../shaders/lib.ts";
import type { Shader } from "../../shaders/shader.ts";
import { type DType, type FloatDType, sameShape, type Shape, Tensor } from "../../tensor/mod.ts";
import { broadcastStrides, collapse, MAX_AXES } from "../shared/axes.ts";
import { arrayParams } from "../shared/params.ts";

/** Operand of an op: an array that broadcasts to the output, or one number. */
export type Operand = Tensor | number;

/** An elementwise function of one to three operands. */
export interface ElementwiseFormula {
  /** Names the programs. */
  readonly name: string;
  /** Names of the arguments in `value`. */
  readonly args: readonly string[];
  /** WGSL expression of the arguments, one element or a vector of four: `F`, `U`, `B` are f32, u32, bool of that width. */
  readonly value: string;
  /** Whether numbers take the dtype of the arrays beside them, which must hold them; f32 by default. */
  readonly oneDType?: boolean;
}

/** Access pattern of an operand; `shaders/elementwise/elementwise.wgsl` lists them. */
type Access = "full" | "row" | "column" | "one" | "number" | "strided";

interface Traversal {
  /** Whether an invocation computes four elements. */
  readonly wide: boolean;
  readonly access: readonly Access[];
  /** Size of the fastest axis, where an operand is read by row or column. */
  readonly inner: number;
  readonly sizes: readonly number[];
  readonly strides: readonly (readonly number[])[];
}

const WIDE = "alias F = vec4f;\nalias I = vec4i;\nalias U = vec4u;\nalias B = vec4<bool>;";
const SINGLE = "alias F = f32;\nalias I = i32;\nalias U = u32;\nalias B = bool;";
const HALF = { wide: "alias H = vec4<f16>;", single: "alias H = f16;" };
/** Vector types: what arrays hold, and what is computed with. */
const VECTORS: Record<string, string> = { f32: "F", f16: "H", i32: "I", u32: "U" };
const COMPUTED: Record<string, string> = { ...VECTORS, f16: "F" };

/**
 * Computes `value` of the operands everywhere in `shape`, to which all of them broadcast. f32, f16, i32 and u32 arrays;
 * the result has `dtype`.
 */
export function elementwise(
  formula: ElementwiseFormula,
  device: Device,
  operands: readonly Operand[],
  shape: Shape,
  dtype: FloatDType = "f32",
): Tensor<FloatDType> {
  const y = new Tensor<FloatDType>(device, shape, { dtype });
  if (y.size === 0) return y;
  const traversal = traversalOf(formula.name, operands, shape);
  const scalars = operands.map((operand) => typeof operand === "number" ? operand : 0);
  const params = {
    size: traversal.wide ? Math.ceil(y.size / 4) : y.size,
    inner: traversal.wide ? Math.ceil(traversal.inner / 4) : traversal.inner, // read where it is a multiple of four
    a: scalars[0] ?? 0,
    b: scalars[1] ?? 0,
    c: scalars[2] ?? 0,
  };
  const storage = (i: number) => {
    const operand = operands[i];
    return operand instanceof Tensor ? operand.storage : undefined;
  };
  const buffers = { 1: storage(0), 2: storage(1), 3: storage(2), 4: y.storage };
  const workgroups = device.groups(params.size, 64);
  const dtypes = dtypesOf(formula, operands, dtype);
  if (traversal.access.includes("strided")) {
    device.dispatch(programOf(device, formula, traversal, dtypes, strided), {
      params: { ...params, ...axesOf(traversal) },
      buffers,
      workgroups,
      constants: { RANK: traversal.sizes.length },
    });
  } else device.dispatch(programOf(device, formula, traversal, dtypes, flat), { params, buffers, workgroups });
  return y;
}

function traversalOf(name: string, operands: readonly Operand[], shape: Shape): Traversal {
  const arrays = operands.filter((operand) => operand instanceof Tensor);
  if (arrays.every((x) => sameShape(x.shape, shape))) {
    const access = operands.map((operand) => typeof operand === "number" ? "number" : "full");
    return { wide: true, access, inner: 0, sizes: [], strides: [] };
  }
  const strides = operands.map((operand) => broadcastStrides(operand instanceof Tensor ? operand.shape : [], shape));
  const walk = collapse({ sizes: shape, strides }, name);
  const inner = walk.sizes.at(-1) ?? 1;
  const access = operands.map((operand, i): Access =>
    typeof operand === "number" ? "number" : accessOf(walk.sizes, walk.strides[i]!)
  );
  const flat = access.every((each) => each !== "row" && each !== "column" && each !== "strided");
  return { wide: flat || inner % 4 === 0, access, inner, ...walk };
}

function accessOf(sizes: readonly number[], strides: readonly number[]): Access {
  if (strides.every((stride) => stride === 0)) return "one";
  const inner = sizes.at(-1)!;
  if (sizes.length === 1) return "full";
  if (sizes.length === 2 && strides[0] === 0) return "row";
  if (sizes.length === 2 && strides[1] === 0) return "column";
  let full = 1;
  const whole = sizes.every((_, k) => {
    const axis = sizes.length - 1 - k;
    const contiguous = strides[axis] === full;
    full *= sizes[axis]!;
    return contiguous;
  });
  return whole && inner > 0 ? "full" : "strided";
}

/** Sizes and strides in the units of the shader: vectors of four where an invocation computes four elements. */
function axesOf({ wide, sizes, strides }: Traversal) {
  const last = sizes.length - 1;
  const strideOf = (operand: number, d: number) => {
    const each = strides[operand] ?? [];
    const stride = each[d] ?? 0;
    return wide && d < last && each[last] === 1 ? stride / 4 : stride;
  };
  return {
    unused0: 0,
    unused1: 0,
    unused2: 0,
    ...arrayParams(strided, "sizes", (d) => wide && d === last ? sizes[d]! / 4 : sizes[d] ?? 0),
    ...arrayParams(strided, "strides", (i) => strideOf(Math.floor(i / MAX_AXES), i % MAX_AXES)),
  };
}

/** Dtypes of operands and result. */
interface DTypes {
  readonly dtypes: readonly DType[];
  readonly result: FloatDType;
}

function dtypesOf({ oneDType }: ElementwiseFormula, operands: readonly Operand[], result: FloatDType): DTypes {
  const numbers = oneDType ? operands.find((operand) => operand instanceof Tensor)!.dtype : "f32";
  return { dtypes: operands.map((operand) => operand instanceof Tensor ? operand.dtype : numbers), result };
}

function programOf<P extends Readonly<Record<string, string>>>(
  { programs }: Device,
  formula: ElementwiseFormula,
  traversal: Traversal,
  dtypes: DTypes,
  declaration: Shader<P, Nothing>,
) {
  const splat = traversal.access.map((access, i) => access === "strided" && (traversal.strides[i]!.at(-1) ?? 0) === 0);
  const version = `${traversal.wide},${traversal.access},${dtypes.dtypes},${splat},${dtypes.result}`;
  return programs.get(formula, version, () => makeProgram(formula, traversal, dtypes, splat, declaration));
}

function makeProgram<P extends Readonly<Record<string, string>>>(
  { name, args, value }: ElementwiseFormula,
  { wide, access }: Traversal,
  { dtypes, result }: DTypes,
  splat: readonly boolean[],
  declaration: Shader<P, Nothing>,
) {
  const single = (i: number) => access[i] === "one" || access[i] === "column" || splat[i];
  const element = (i: number) => single(i) ? dtypes[i] ?? "f32" : VECTORS[dtypes[i] ?? "f32"];
  const types = args.map((_, i) => COMPUTED[dtypes[i]!]!);
  const half = [...dtypes, result].includes("f16");
  const operand = (i: number) => {
    const value = read(i, access[i]!, dtypes[i]!);
    return single(i) && dtypes[i] === "f16" ? `f32(${value})` : value; // WGSL widens no scalar that it spreads
  };
  const scalar = (i: number) => access[i] === "number" && dtypes[i] !== "f16" ? dtypes[i] as ParamType : "f32";
  const parts = [
    ...(half ? ["enable f16;", wide ? HALF.wide : HALF.single] : []),
    wide ? WIDE : SINGLE,
    `alias O = ${VECTORS[result]};`,
    ...[0, 1, 2].map((i) => `alias E${i + 1} = ${element(i)};`),
    `fn value(${args.map((arg, i) => `${arg}: ${types[i]}`).join(", ")}) -> F { return ${value}; }`,
    `fn result(i: u32) -> O { return O(value(${args.map((_, i) => `${types[i]}(${operand(i)})`).join(", ")})); }`,
  ];
  const library = value.includes("power(")
    ? [lib_power]
    : /(is_nan|larger|smaller|or_nan)\(/.test(value)
    ? [lib_nan]
    : [];
  const params = withTypes(declaration, { N1: scalar(0), N2: scalar(1), N3: scalar(2) });
  return defineProgram({
    name: `${name}${wide ? "" : " single"} ${access.join(" ")}`,
    code: [parts.join("\n"), lib_flat, ...library, params, shader],
    entryPoint: "forward",
  });
}

function read(i: number, access: Access, dtype: DType): string {
  const x = `x${i + 1}`;
  switch (access) {
    case "full":
      return `${x}[i]`;
    case "row":
      return `${x}[i % params.inner]`;
    case "column":
      return `${x}[i / params.inner]`;
    case "one":
      return `${x}[0]`;
    case "number":
      return `${dtype}(params.${"abc"[i]})`;
    case "strided":
      return `${x}[offset_of(i, ${i}u)]`;
  }
}
