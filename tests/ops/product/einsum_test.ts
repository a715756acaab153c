import { assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../../src/device/mod.ts";
import { einsum } from "../../../src/ops/mod.ts";
import { ones } from "../../../src/tensor/mod.ts";
import { checkGolden } from "../shared/_golden.ts";

await Device.open();

Deno.test("einsum() equals PyTorch, with its gradients", () =>
  checkGolden("einsum", (inputs, { equation }) => einsum(equation as string, inputs), {}, "transformers"));

Deno.test("einsum() throws on what it cannot use", () => {
  const x = ones([2, 3]);
  assertEquals(einsum("ab->ba", [x]).shape, [3, 2]);
  for (const equation of ["ij->ik", "ii->i", "i...", "ij->ii"]) {
    assertThrows(() => einsum(equation, [x]), SyntaxError, `each once an operand: got "${equation}"`);
  }
  assertThrows(() => einsum("ij,jk", [x, x]), TypeError, 'operands must fit "ij,jk": got [2,3], [2,3]');
  assertThrows(() => einsum("ij,jk", [x]), TypeError, 'operands must fit "ij,jk": got [2,3]');
});
