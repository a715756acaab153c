// Programs of matrix products: a form of the inner loop, the dtypes of the operands, and what is done on the way in and out.
import { type Access, defineProgram, type Device, type ShaderPart } from "../../device/mod.ts";
import type { Nothing } from "../../device/internal.ts";
import { lib_b_storage, lib_b_texture, lib_read_normalized, lib_read_plain } from "../../shaders/lib.ts";
import { matmul as operands } from "../../shaders/product.ts";
import type { FloatDType, Tensor } from "../../tensor/mod.ts";
import { elementAliases, floatOf, vectorAliases } from "../../tensor/internal.ts";
import type { ProductForm } from "./forms.ts";
import { type GradientSums, gradientSumsCode } from "./gradient_sums.ts";
import { momentsCode, momentsNote } from "./moments.ts";

/** The operands of a product, for their dtypes. */
export type OperandTypes = Readonly<Record<"a" | "b" | "c", Tensor>>;

/** Work of a product besides the sums. */
export interface Extras {
  /** Whether moments are left. */
  readonly moments: boolean;
  /** Gradient that it masks and sums, in place of moments. */
  readonly gradient?: GradientSums;
  /** Whether that is added to what c holds. */
  readonly adds: boolean;
  /** Normalisation of a as it is read. */
  readonly norm?: Tensor;
}

/** The program of a product. */
export function programOf({ programs }: Device, form: ProductForm, types: OperandTypes, extras: Extras) {
  const { moments, gradient, adds, norm } = extras;
  const kind = gradient ? ` gradient ${Object.keys(gradient.mask)[0]}${adds ? " added" : ""}` : "";
  const name = `matmul ${form.name}${operandNote(types)}${readingNote(norm)}${kind}`;
  return programs.get(operands, `${name} ${moments}`, () => {
    const side = gradient ? gradientSumsCode(gradient, adds) : momentsCode(moments);
    const code = [operandAliases(types), operands, bCode(form), readingCode(norm), ...side, ...form.code] as const;
    return defineProgram({ name, form: `matmul:${form.name}${momentsNote(moments)}`, code, entryPoint: "main" });
  });
}

/** WGSL aliases of what the operands of a product hold, and of the vectors that it computes with. */
export function operandAliases({ a, b, c }: OperandTypes): string {
  return `${elementAliases({ A4: floatOf(a), B4: floatOf(b), C4: floatOf(c) })}\n${vectorAliases(4)}`;
}

/** Formats what the name of a program says of their precision: nothing when all are f32. */
export function operandNote({ a, b, c }: OperandTypes): string {
  const [x, y, z]: FloatDType[] = [floatOf(a), floatOf(b), floatOf(c)];
  return x === "f16" || y === "f16" || z === "f16" ? ` ${x} ${y} ${z}` : "";
}

/** WGSL to join with a product that reads images as they are, or normalises them. */
export function readingCode(norm: Tensor | undefined): typeof lib_read_plain | typeof lib_read_normalized {
  return norm ? lib_read_normalized : lib_read_plain;
}

/** WGSL to join with a product that declares b and reads it. */
export function bCode({ texture }: ProductForm): ShaderPart<Nothing, { readonly 2: Access }> {
  return texture ? lib_b_texture : lib_b_storage;
}

/** Note on reading in the name of a program. */
export function readingNote(norm: Tensor | undefined): string {
  return norm ? " normalized" : "";
}
