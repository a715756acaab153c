import { type DType, Tensor } from "../../tensor/mod.ts";
import { checkOptions, describeGiven } from "../../tensor/internal.ts";

/** Checks that tensors hold values: f32, or f16, which ops without a form for it read as f32. */
export function checkFloat(op: string, ...tensors: Tensor[]): void {
  for (const tensor of tensors) {
    const { dtype, shape } = checkTensor(op, tensor);
    if (dtype === "f32" || dtype === "f16") continue;
    throw new TypeError(`Cannot compute ${op}() as x must be f32: got ${dtype} [${shape}]`);
  }
}

/** Checks that the elements have 4 bytes each. */
export function checkWords(op: string, ...tensors: Tensor[]): void {
  const words: readonly DType[] = ["f32", "f16", "i32", "u32"]; // f16 arrives as f32
  for (const tensor of tensors) {
    const { dtype, shape } = checkTensor(op, tensor);
    if (!words.includes(dtype)) {
      throw new TypeError(`Cannot compute ${op}() as x must be f32, i32 or u32: got ${dtype} [${shape}]`);
    }
  }
}

/** Checks that an input is a tensor: arrays and absent arguments come from programs that no compiler read. */
function checkTensor(op: string, input: Tensor): Tensor {
  if (input instanceof Tensor) return input;
  throw new TypeError(`Cannot compute ${op}() as its inputs must be tensors: got ${describeGiven(input)}`);
}

/** Options of a reduction. */
type Reduction = { readonly dim?: unknown; readonly keepDim?: boolean };

/** Checks the options of a reduction by their names: `axis` or `keepdim` would reduce all axes in silence. */
export function checkReduction(op: string, options: Reduction): void {
  checkOptions(`compute ${op}()`, options, ["dim", "keepDim"]);
}

/** Checks that what should be a list is one: PyTorch takes its elements one by one too. */
export function checkList(op: string, name: string, given: unknown): void {
  if (Array.isArray(given)) return;
  throw new TypeError(`Cannot compute ${op}() as ${name} must be a list: got ${given}`);
}
