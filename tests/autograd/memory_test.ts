// What a backward may overwrite, what it frees on the way, and what it makes again instead of keeping.
import { assertEquals, assertThrows } from "@std/assert";
import {
  add,
  autocast,
  backward,
  batchNorm,
  conv2d,
  defineOp,
  Device,
  key,
  mul,
  normal,
  ones,
  relu,
  requireGrad,
  scope,
  sum,
  type Tensor,
  tidy,
  zeros,
} from "../../mod.ts";
import { TapeNode } from "../../src/autograd/node.ts";
import { policyOf } from "../../src/ops/shared/policy.ts";
import { assertClose, TOLERANCE } from "../../src/testing/mod.ts";
import { eachFamily } from "../ops/shared/_forms.ts";
import { testWith } from "../device/_features.ts";

const device = await Device.open();

/** Runs `body` with and without making normalised values again. */
async function withRemake(remake: boolean, body: () => Promise<void>): Promise<void> {
  await policyOf(device).with({ normalized: remake ? "remade" : "kept" }, body);
}

/** An identity whose backward tells what it may overwrite: the gradient, and the input that it saved. */
const seen: [grad: boolean, saved: boolean][] = [];
const probeOp = defineOp<[Tensor], null>({
  name: "probe",
  forward(context, [x]) {
    context.save(x);
    return mul(x, 1);
  },
  backward(context, grad) {
    seen.push([context.mayOverwrite(grad), context.mayOverwrite(context.saved[0]!)]);
    return [mul(grad, 1)];
  },
});

function probed(body: (x: Tensor) => void): [boolean, boolean][] {
  using _ = scope();
  seen.length = 0;
  body(requireGrad(ones([4])));
  return [...seen];
}

Deno.test("OpContext.mayOverwrite() says yes where nobody else holds the elements", () => {
  const held = (x: Tensor) => {
    const input = mul(x, 2);
    return tidy(() => sum(mul(probeOp([input], null), 3)));
  };
  assertEquals(probed((x) => backward(held(x))), [[true, false]]);
  const hidden = (x: Tensor) => tidy(() => mul(probeOp([mul(x, 2)], null), 3));
  assertEquals(probed((x) => backward(sum(hidden(x)))), [[true, true]]);
  assertEquals(probed((x) => backward(sum(hidden(x)), { retainGraph: true })), [[false, false]]);
});

Deno.test("OpContext.mayOverwrite() says no for a leaf, for what the user gave, and for a gradient that goes two ways", () => {
  const grad = ones([4]);
  assertEquals(probed((x) => backward(probeOp([x], null), { grad })), [[false, false]]);
  // The sum's gradient is one storage for both operands: only who comes last has it alone.
  const both = (x: Tensor) => tidy(() => sum(add(probeOp([mul(x, 2)], null), probeOp([mul(x, 3)], null))));
  assertEquals(probed((x) => backward(both(x))).map(([grad]) => grad), [false, true]);
  grad.dispose();
});

interface Made {
  values: ArrayLike<number>[];
  held: ArrayLike<number>[];
}

/** A block of two convolutions with a shortcut; its gradients, and what the user still holds afterwards. */
async function block(retainGraph: boolean, hold: boolean, half = false): Promise<Made> {
  using _ = scope();
  const shapes = [[2, 5, 7, 12], [1, 1, 12, 12], [1, 1, 12, 12], [12], [12]];
  const leaves = shapes.map((shape, i) => requireGrad(normal(shape, { key: key(i), mean: i === 3 ? 1 : 0 })));
  const [x, w1, w2, weight, bias] = leaves as [Tensor, Tensor, Tensor, Tensor, Tensor];
  const held: Tensor[] = [];
  const grad = normal(shapes[0]!, { key: key(9) });
  const forward = () => {
    const options = { weight, bias, training: true, relu: true };
    const start = mul(x, 1);
    const c1 = conv2d(start, w1);
    const y1 = batchNorm(c1, options);
    const c2 = conv2d(y1, w2);
    const y2 = batchNorm(c2, { ...options, residual: start });
    if (hold) held.push(...[c1, y1, c2, y2, grad].map((each) => each.alias()));
    const result = add(relu(y2), y2); // the gradient of y2 comes from two sides
    return { result, held };
  };
  const y = tidy(half ? () => autocast(forward) : forward);
  const before = await Promise.all(held.map((each) => each.data()));
  backward(y.result, { grad, retainGraph });
  const after = await Promise.all(held.map((each) => each.data()));
  after.forEach((values, i) => assertEquals(values, before[i]));
  return { values: await Promise.all(leaves.map((leaf) => leaf.grad!.data())), held: after };
}

Deno.test("backward() in place, with values made again, has the gradients of one that keeps all", async () => {
  const inFamily = async () => {
    let expected: Made | undefined;
    await withRemake(false, async () => void (expected = await block(true, true)));
    for (const remake of [false, true]) {
      for (const hold of [false, true]) {
        for (const retainGraph of [false, true]) {
          await withRemake(remake, async () => {
            const { values } = await block(retainGraph, hold);
            values.forEach((each, i) => assertClose(each, expected!.values[i]!, { rtol: TOLERANCE.value }));
          });
        }
      }
    }
  };
  // The tiles of GPUs take a CPU adapter long to compile, and add nothing here.
  await eachFamily(device, () => policyOf(device).with({ matmul: "rows" }, inFamily));
});

testWith(device, "shader-f16", "backward() in place in f16 has the gradients of one that keeps all", async () => {
  let expected: Made | undefined;
  await withRemake(false, async () => void (expected = await block(true, true, true)));
  let values: Made["values"] = [];
  await withRemake(true, async () => void ({ values } = await block(false, false, true)));
  // The same roundings, but for sums in another order.
  values.forEach((each, i) => assertClose(each, expected!.values[i]!, { rtol: 1e-3 }));
});

Deno.test("backward() twice with retainGraph makes values again twice, and a spent one says so", () =>
  withRemake(true, async () => {
    using _ = scope();
    const [x, w] = [
      requireGrad(normal([3, 2, 2, 4], { key: key(1) })),
      requireGrad(normal([1, 1, 4, 4], { key: key(2) })),
    ];
    const y1 = batchNorm(mul(x, 2), { weight: ones([4]), bias: ones([4]), training: true });
    const [a, b] = [sum(mul(conv2d(y1, w), y1)), sum(conv2d(y1, w))];
    backward(a, { retainGraph: true });
    const once = await w.grad!.data();
    backward(a);
    assertClose(await w.grad!.data(), once.map((v) => 2 * v));
    assertThrows(() => backward(b), Error, "Cannot run backward() twice through batchNorm()");
  }));

Deno.test("batchNorm() is made again where it is large", () => {
  using _ = scope();
  const options = { weight: requireGrad(ones([64])), bias: zeros([64]), training: true };
  const remade = (rows: number) => {
    const { link } = batchNorm(ones([rows, 64]), options);
    return link instanceof TapeNode && link.remake !== null;
  };
  assertEquals([remade(2047), remade(2048)], [false, true]); // 512 KiB
});

const SHAPE = [4, 32, 32, 64];

/** The peak during a backward beyond what was live before, in arrays of SHAPE, of an op between two products by a number. */
function arraysOf(op: (x: Tensor) => Tensor, retainGraph: boolean): number {
  using _ = scope();
  const x = requireGrad(normal(SHAPE, { key: key(1) }));
  const grad = ones(SHAPE);
  const y = tidy(() => mul(op(x), 2));
  device.resetPeakMemory();
  const { live } = device.memory;
  backward(y, { grad, retainGraph });
  const arrays = (device.memory.peak - live) / grad.bytes;
  x.grad!.dispose();
  return arrays;
}

Deno.test("backward() of batchNorm() and conv2d() writes over what nobody needs any more", () => {
  using _ = scope();
  const options = { weight: requireGrad(ones([64])), bias: requireGrad(ones([64])), training: true, relu: true };
  const w = requireGrad(normal([1, 1, 64, 64], { key: key(2) }));
  const ops: Record<string, (x: Tensor) => Tensor> = {
    batchNorm: (x) => batchNorm(mul(x, 3), options),
    residual: (x) => batchNorm(mul(x, 3), { ...options, residual: mul(x, 4) }),
    conv2d: (x) => conv2d(mul(x, 3), w),
  };
  const round = (retain: boolean) =>
    Object.fromEntries(Object.entries(ops).map(([name, op]) => [name, Math.round(arraysOf(op, retain))]));
  // The array is the gradient that comes in; one more for each gradient that is not written over another array.
  assertEquals(round(false), { batchNorm: 1, residual: 1, conv2d: 1 });
  assertEquals(round(true), { batchNorm: 2, residual: 3, conv2d: 2 });
});

Deno.test("a chain of convolutions and normalisations keeps one array a layer", async () => {
  const layers = 6;
  const kept = (remake: boolean) => {
    let arrays = 0;
    return withRemake(remake, () => {
      using _ = scope();
      const x = normal(SHAPE, { key: key(1) });
      const options = { weight: requireGrad(ones([64])), bias: requireGrad(ones([64])), training: true, relu: true };
      const w = requireGrad(normal([1, 1, 64, 64], { key: key(2) }));
      const { live } = device.memory;
      let y: Tensor = x;
      for (let i = 0; i < layers; i++) {
        using last = y;
        y = tidy(() => batchNorm(conv2d(last, w), options));
      }
      arrays = (device.memory.live - live) / y.bytes;
      return Promise.resolve();
    }).then(() => Math.round(arrays));
  };
  // The outputs of the convolutions and of the last layer, or of all layers.
  assertEquals([await kept(true), await kept(false)], [layers + 1, 2 * layers]);
});
