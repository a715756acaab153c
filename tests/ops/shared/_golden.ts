import { assertGolden, casesOf, type GoldenTolerance } from "../../fixtures/golden.ts";
import { type OpCase, readFixture } from "../../fixtures/read.ts";
import type { Tensor } from "../../../src/tensor/mod.ts";

/** Holds `fn` to PyTorch on every golden case of `op` in a file. */
export async function checkGolden(
  op: string,
  fn: (inputs: readonly Tensor[], attrs: OpCase["attrs"]) => Tensor,
  tolerance: GoldenTolerance = {},
  file = "ops",
): Promise<void> {
  const fixture = readFixture(file);
  const cases = casesOf(file, op);
  if (cases.length === 0) throw new Error(`No golden cases of ${op}`);
  for (const one of cases) await assertGolden(fixture, one, (...inputs) => fn(inputs, one.attrs), tolerance);
}
