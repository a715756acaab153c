import type { Tensor } from "../../tensor/mod.ts";
import { mul } from "../elementwise/binary.ts";
import { permute } from "../move/permute.ts";
import { reshape } from "../move/reshape.ts";
import { sum } from "../reduce/sum.ts";
import { checkFloat } from "../shared/check.ts";
import { matmul } from "./matmul.ts";

/** A tensor with a letter for each axis. */
interface Labelled {
  readonly x: Tensor;
  readonly letters: string;
}

/**
 * Einstein's sum: `einsum("bij,bkj->bik", [a, b])` multiplies where letters agree and sums over those that the result
 * lacks, as PyTorch's `einsum`. Without `->` the result has the letters that occur once, in alphabetical order. Operands
 * are taken two at a time from the left, each pair as one matrix product.
 *
 * @param equation Letters of the axes of each operand, with commas; a letter at most once an operand; no `...`.
 * @param tensors The operands, f32.
 * @returns Axes as the equation's right side has them.
 * @throws {SyntaxError} If the equation is not one.
 * @throws {TypeError} If operands do not fit it, or are not f32.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { einsum } from "@decoupled/uniformity/ops";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const y = einsum("ij,j->i", [tensor([[1, 2], [3, 4]]), tensor([10, 1])]);
 * assertEquals(await y.data(), new Float32Array([12, 34]));
 * ```
 */
export function einsum(equation: string, tensors: readonly Tensor[]): Tensor<"f32"> {
  const { inputs, output } = parse(equation);
  checkFloat("einsum", ...tensors);
  checkOperands(equation, inputs, tensors);
  let found: Labelled = { x: tensors[0]!, letters: inputs[0]! };
  for (let i = 1; i < tensors.length; i++) {
    const wanted = new Set([...output, ...inputs.slice(i + 1).join("")]);
    found = multiply(found, { x: tensors[i]!, letters: inputs[i]! }, wanted);
  }
  const { x, letters } = summed(found, new Set(output));
  return permute(x as Tensor<"f32">, [...output].map((letter) => letters.indexOf(letter)));
}

function parse(equation: string): { inputs: string[]; output: string } {
  const text = equation.replaceAll(" ", "");
  const [, left, right] = /^([a-zA-Z]*(?:,[a-zA-Z]*)*)(?:->([a-zA-Z]*))?$/.exec(text) ?? [];
  const inputs = left?.split(",") ?? [];
  const all = inputs.join("");
  const once = [...new Set(all)].filter((letter) => all.split(letter).length === 2).sort().join("");
  const output = right ?? once;
  const doubled = [...inputs, output].some((letters) => new Set(letters).size < letters.length);
  if (left === undefined || doubled || [...output].some((letter) => !all.includes(letter))) {
    throw new SyntaxError(
      `Cannot compute einsum() as the equation must be letters like "ij,jk->ik", each once an operand: got "${equation}"`,
    );
  }
  return { inputs, output };
}

function checkOperands(equation: string, inputs: readonly string[], tensors: readonly Tensor[]): void {
  const sizes = new Map<string, number>();
  const fits = inputs.length === tensors.length && tensors.every(({ shape }, i) =>
    shape.length === inputs[i]!.length &&
    shape.every((size, axis) => {
      const letter = inputs[i]![axis]!;
      const same = (sizes.get(letter) ?? size) === size;
      sizes.set(letter, size);
      return same;
    })
  );
  if (fits) return;
  const shapes = tensors.map(({ shape }) => `[${shape}]`).join(", ");
  throw new TypeError(`Cannot compute einsum() as the operands must fit "${equation}": got ${shapes}`);
}

/** Sums over the letters that nothing wants. */
function summed({ x, letters }: Labelled, wanted: ReadonlySet<string>): Labelled {
  const dim = [...letters].flatMap((letter, axis) => wanted.has(letter) ? [] : [axis]);
  if (dim.length === 0) return { x, letters };
  return { x: sum(x, { dim }), letters: [...letters].filter((letter) => wanted.has(letter)).join("") };
}

/** The product of two operands, with the letters that are still wanted: those of both, of a, of b. */
function multiply(first: Labelled, second: Labelled, wanted: ReadonlySet<string>): Labelled {
  const a = summed(first, new Set([...wanted, ...second.letters]));
  const b = summed(second, new Set([...wanted, ...first.letters]));
  const common = [...a.letters].filter((letter) => b.letters.includes(letter));
  const batch = common.filter((letter) => wanted.has(letter));
  const inner = common.filter((letter) => !wanted.has(letter));
  const [ofA, ofB] = [a, b].map(({ letters }) => [...letters].filter((letter) => !common.includes(letter)));
  const size = (letters: readonly string[]) =>
    letters.map((letter) => a.x.shape[a.letters.indexOf(letter)] ?? b.x.shape[b.letters.indexOf(letter)]!);
  const matrix = ({ x, letters }: Labelled, order: readonly (readonly string[])[]) =>
    reshape(
      permute(x, order.flat().map((letter) => letters.indexOf(letter))),
      order.map((group) => size(group).reduce((product, n) => product * n, 1)),
    );
  const letters = [...batch, ...ofA!, ...ofB!];
  const [left, right] = [matrix(a, [batch, ofA!, inner]), matrix(b, [batch, inner, ofB!])];
  const y = inner.length === 0 ? mul(left, right) : matmul(left, right);
  return { x: reshape(y, size(letters)), letters: letters.join("") };
}
