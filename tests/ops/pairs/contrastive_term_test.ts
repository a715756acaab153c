import { assert, assertEquals, assertThrows } from "@std/assert";
import { backward, requireGrad } from "../../../src/autograd/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { contrastiveTerm } from "../../../src/ops/mod.ts";
import { ones, tensor } from "../../../src/tensor/mod.ts";
import { assertClose, gradcheck, TOLERANCE } from "../../../src/testing/mod.ts";
import { points, read } from "../shared/_arrays.ts";
import { eachForm } from "../shared/_forms.ts";

const device = await Device.open();

function reference(s: Float64Array, owners: readonly number[], temperature: number): number {
  const n = owners.length;
  let loss = 0;
  for (let i = 0; i < n; i++) {
    const logits = Array.from(s.subarray(i * n, (i + 1) * n), (v) => v / temperature);
    const others = owners.map((_, a) => a).filter((a) => a !== i);
    const positives = others.filter((a) => owners[a] === owners[i]);
    const top = Math.max(...others.map((a) => logits[a]!));
    const lse = top + Math.log(others.reduce((sum, a) => sum + Math.exp(logits[a]! - top), 0));
    loss += lse - positives.reduce((sum, a) => sum + logits[a]!, 0) / positives.length;
  }
  return loss / n;
}

Deno.test("contrastiveTerm() equals the float64 loop, by sample and by label", () =>
  eachForm(device, async () => {
    for (const [samples, views, temperature] of [[1, 2, 1], [5, 2, 0.1], [23, 3, 0.02], [70, 2, 1]] as const) {
      const n = samples * views;
      const s = points(n, n);
      const { values } = await read(s);
      const bySample = Array.from({ length: n }, (_, i) => Math.floor(i / views));
      const byLabel = bySample.map((sample) => sample % 4);
      const labels = tensor(Uint32Array.from({ length: samples }, (_, i) => i % 4));
      const actual = [
        await contrastiveTerm(s, { views, temperature }).item(),
        await contrastiveTerm(s, { views, temperature, labels }).item(),
      ];
      const expected = [reference(values, bySample, temperature), reference(values, byLabel, temperature)];
      assertClose(actual, expected, { rtol: TOLERANCE.sum });
    }
  }));

Deno.test("contrastiveTerm() gradient matches finite differences", () =>
  eachForm(device, async () => {
    const labels = tensor(new Uint32Array([0, 1, 0]));
    await gradcheck((s) => contrastiveTerm(s, { views: 3, temperature: 0.5 }), points(9, 9));
    await gradcheck((s) => contrastiveTerm(s, { views: 2, temperature: 1, labels }), points(6, 6));
  }));

Deno.test("contrastiveTerm() and the gradient of its row are NaN when a similarity is", () =>
  eachForm(device, async () => {
    const s = requireGrad(tensor([[1, 0, 0, NaN], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]));
    const loss = contrastiveTerm(s, { views: 2, temperature: 1 });
    assertEquals(await loss.item(), NaN);
    backward(loss);
    const grad = await s.grad!.data();
    assert(grad.subarray(1, 4).every(Number.isNaN) && grad.subarray(4).every(Number.isFinite), grad.join());
  }));

Deno.test("contrastiveTerm() throws when s is not square or not f32", () => {
  const options = { views: 2, temperature: 1 };
  assertThrows(
    () => contrastiveTerm(ones([4, 3]), options),
    TypeError,
    "Cannot compute contrastiveTerm() as s must be [n, n]: got s [4,3]",
  );
  assertThrows(() => contrastiveTerm(ones([4, 4], { dtype: "i32" }), options), TypeError, "must be f32: got i32 [4,4]");
});

Deno.test("contrastiveTerm() throws when views do not divide the rows", () => {
  for (const views of [1, 1.5, 3]) {
    assertThrows(
      () => contrastiveTerm(ones([4, 4]), { views, temperature: 1 }),
      RangeError,
      "Cannot compute contrastiveTerm() as views must be an integer >= 2 that divides the rows: " +
        `got ${views} and s [4,4]`,
    );
  }
});

Deno.test("contrastiveTerm() throws when the temperature or the labels do not fit", () => {
  assertThrows(
    () => contrastiveTerm(ones([4, 4]), { views: 2, temperature: 0 }),
    RangeError,
    "Cannot compute contrastiveTerm() as temperature must be > 0 and <= 8e+37: current value is 0",
  );
  assertThrows(
    () => contrastiveTerm(ones([4, 4]), { views: 2, temperature: 1, labels: ones([2]) }),
    TypeError,
    "Cannot compute contrastiveTerm() as labels must be u32 [2]: got labels f32 [2] and s [4,4]",
  );
});
