import { assert, assertAlmostEquals } from "@std/assert";
import { lbfgs } from "../../src/eval/lbfgs.ts";

Deno.test("lbfgs() converges where the function is negative, and where its minimum is 0", () => {
  for (const lowest of [-10, 0, 10]) {
    const steps = lbfgs(Float64Array.of(3, -4), { tolerance: 1e-9, maxIterations: 100, noise: 0 });
    let next = steps.next();
    while (!next.done) {
      const { kind, vector } = next.value;
      // |x|² / 2 + x₀⁴ + lowest
      const value = (vector[0]! ** 2 + vector[1]! ** 2) / 2 + vector[0]! ** 4 + lowest;
      const gradient = Float64Array.of(vector[0]! + 4 * vector[0]! ** 3, vector[1]!);
      next = steps.next(kind === "evaluate" ? { vector: gradient, value } : { vector, value: NaN });
    }
    assert(next.value.converged && next.value.iterations < 60, `${lowest}: ${next.value.iterations}`);
    assertAlmostEquals(next.value.value, lowest, 1e-6);
  }
});
