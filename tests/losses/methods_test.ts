// The losses of the methods that the paper compares with (tests/fixtures/README.md says how PyTorch's values were made).
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { backward, requireGrad } from "../../src/autograd/mod.ts";
import { Device } from "../../src/device/mod.ts";
import { centroidWeights, rbf } from "../../src/kernels/mod.ts";
import * as losses from "../../src/losses/mod.ts";
import { equal, l2Normalize, reshape } from "../../src/ops/mod.ts";
import { eye, full, key, normal, ones, scope, type Tensor, tensor } from "../../src/tensor/mod.ts";
import { gradcheck } from "../../src/testing/mod.ts";
import { assertGolden, casesOf } from "../fixtures/golden.ts";
import { readFixture } from "../fixtures/read.ts";

const device = await Device.open();
const { barlowTwins, byol, cclK, clInfoNCE, infoNCE, moCo, negativeCosine, supCon, vicReg, yAware } = losses;

const BATCH = 6;
const LABELS = [2, 0, 2, 1, 0, 1];
const prior = normal([BATCH, 3], { key: key(1), device });
const alpha = centroidWeights(prior, { kernel: rbf({ sigma: 1 }), ridge: 0.1 });
const similar = rbf({ sigma: 1 })(prior, prior);
const targets = normal([BATCH, 2, 5], { key: key(2) });
const queue = l2Normalize(normal([7, 5], { key: key(3) }));

/** Losses as functions of embeddings alone, its value at collapse (every view the same, targets too). */
const LOSSES: Record<string, { loss: (z: Tensor) => Tensor; collapsed?: number }> = {
  barlowTwins: { loss: (z) => barlowTwins(z, { redundancy: 0.1, eps: 0.01 }), collapsed: 5 },
  vicReg: { loss: (z) => vicReg(z, { eps: 0.01 }), collapsed: 25 * 0.9 },
  negativeCosine: { loss: (z) => negativeCosine(z, targets) },
  byol: { loss: (z) => byol(z, targets) },
  moCo: { loss: (z) => moCo(z, targets, { queue }) },
  yAware: { loss: (z) => yAware(z, { weights: similar }), collapsed: Math.log(2 * BATCH - 1) },
  clInfoNCE: { loss: (z) => clInfoNCE(z, { labels: LABELS }), collapsed: 0 },
  cclK: { loss: (z) => cclK(z, { weights: alpha, temperature: 0.5 }) },
};

function views(batch = BATCH, count = 2, features = 5): Tensor<"f32"> {
  return normal([batch, count, features], { key: key(5, batch, count, features), device });
}

const GOLDEN: Record<string, (attrs: Record<string, number>, ...inputs: Tensor[]) => Tensor> = {
  barlowTwins: (attrs, z) => barlowTwins(z!, attrs),
  vicReg: (attrs, z) => vicReg(z!, attrs),
  negativeCosine: (_, p, z) => negativeCosine(p!, z!),
  byol: (_, p, z) => byol(p!, z!),
  moCo: (attrs, q, k, queue) => moCo(q!, k!, { queue: queue!, ...attrs }),
  yAware: (attrs, z, weights) => yAware(z!, { weights: weights!, ...attrs }),
  clInfoNCE: (attrs, z, labels) => clInfoNCE(z!, { labels: labels!, ...attrs }),
  cclK: (attrs, z, weights) => cclK(z!, { weights: weights!, ...attrs }),
};

Deno.test("the losses of the methods equal PyTorch in value and gradient", async () => {
  const golden = readFixture("losses");
  for (const [op, loss] of Object.entries(GOLDEN)) {
    const cases = casesOf("losses", op);
    assertEquals(cases.length > 1, true);
    for (const one of cases) {
      // Sums of parts that all but cancel: of pairs of samples that are told apart, of products less their diagonal.
      await assertGolden(golden, one, (...inputs) => loss(one.attrs as Record<string, number>, ...inputs), {
        absolute: 3e-6,
      });
    }
  }
});

for (const [name, { loss, collapsed }] of Object.entries(LOSSES)) {
  Deno.test(`${name}() has the gradient of finite differences, a finite one at collapse, and its value there`, async () => {
    await gradcheck(loss, views());
    using _ = scope();
    const z = requireGrad(full([BATCH, 2, 5], 0.5));
    const at = loss(z);
    backward(at);
    assertEquals([...await z.grad!.data()].every(Number.isFinite), true);
    if (collapsed === undefined) return;
    assertAlmostEquals(await at.item(), collapsed, 1e-4);
    for (const g of await z.grad!.data()) assertAlmostEquals(g, 0, 1e-4);
  });

  Deno.test(`${name}() does not depend on the order of views, and refuses what is no batch of views`, async () => {
    if (name !== "negativeCosine" && name !== "byol" && name !== "moCo") {
      const values = await views().data();
      const swapped = values.map((_, i) => values[i % 10 < 5 ? i + 5 : i - 5]!);
      const turned = await loss(tensor(swapped, { shape: [BATCH, 2, 5] })).item();
      assertAlmostEquals(turned, await loss(views()).item(), 3e-5);
    }
    const rule = `Cannot compute ${name}() as z must be f32 [batch, views, features]: got z f32 [6,4]`;
    assertThrows(() => loss(ones([6, 4])), TypeError, rule);
    assertThrows(() => loss(ones([1, 2, 5])), RangeError, "needs a batch of at least 2: got z [1,2,5]");
    assertThrows(() => loss(ones([6, 1, 5])), RangeError, "got z [6,1,5]");
  });
}

Deno.test("negativeCosine() is -1 and byol() 0 where predictions hit, 1 and 8 where they are opposite; targets get no gradient", async () => {
  const z = requireGrad(normal([3, 1, 4], { key: key(9) }));
  const [p, same] = [1, 3].map((scale) =>
    tensor(
      [[[1, 2], [1, 2]], [[-3, 1], [-3, 1]]].map((views) => views.map((view) => view.map((value) => scale * value))),
    )
  ) as [Tensor, Tensor];
  const opposite = tensor([[[-1, -2], [-1, -2]], [[3, -1], [3, -1]]]);
  assertAlmostEquals(await negativeCosine(p, same).item(), -1, 1e-6);
  assertAlmostEquals(await byol(p, same).item(), 0, 1e-6);
  assertAlmostEquals(await negativeCosine(p, opposite).item(), 1, 1e-6);
  assertAlmostEquals(await byol(p, opposite).item(), 8, 1e-5);
  const [from, to] = [views(), targets].map((each) => requireGrad(each.alias())) as [Tensor, Tensor];
  backward(byol(from, to));
  backward(moCo(from, to, { queue }));
  assertEquals(to.grad, null);
  assertThrows(() => byol(p, z), TypeError, "Cannot compute byol() as z must have the shape of p: got p [2,2,2]");
});

Deno.test("yAware() with classes is supCon(), with the identity infoNCE()", async () => {
  const z = views(BATCH, 3, 4);
  const labels = tensor(Uint32Array.from(LABELS));
  const same = equal(reshape(labels, [BATCH, 1]), reshape(labels, [1, BATCH]));
  const expected = await supCon(z, { labels, temperature: 0.2 }).item();
  assertAlmostEquals(await yAware(z, { weights: same, temperature: 0.2 }).item(), expected, 1e-5);
  const alone = await yAware(z, { weights: eye(BATCH), temperature: 0.5 }).item();
  assertAlmostEquals(alone, await infoNCE(z).item(), 1e-5);
});

Deno.test("cclK() with the identity and clInfoNCE() with a cluster a sample are InfoNCE over the other view", async () => {
  const z = tensor([[[1, 0], [1, 0]], [[0, 1], [0, 1]], [[-1, 0], [-1, 0]]]);
  const each = (self: number, ...others: number[]) =>
    Math.log(1 + others.reduce((sum, s) => sum + Math.exp((s - self) / 0.5), 0));
  const expected = (each(1, 0, -1) * 2 + each(1, 0, 0)) / 3;
  assertAlmostEquals(await cclK(z, { weights: eye(3), temperature: 0.5 }).item(), expected, 1e-6);
  const own = clInfoNCE(z, { labels: [0, 1, 2], temperature: 0.5 });
  assertAlmostEquals(await own.item(), expected - Math.log(3), 1e-6);
});

Deno.test("cclK() takes an estimate that is negative as the least that it can be", async () => {
  using _ = scope();
  const z = requireGrad(tensor([[[1, 0], [1, 0]], [[-1, 0], [-1, 0]]]));
  const loss = cclK(z, { weights: tensor([[-1, 0], [0, -1]]), temperature: 1 });
  assertAlmostEquals(await loss.item(), Math.log(2), 1e-6); // least and the other sample's are both exp(-2)
  backward(loss);
  assertEquals([...await z.grad!.data()].every(Number.isFinite), true);
  for (const temperature of [0.01, 0.001]) { // exp(1 / τ) is no f32
    assertEquals(Number.isFinite(await cclK(views(), { weights: alpha, temperature }).item()), true);
  }
});

Deno.test("barlowTwins() is 0 for features that agree and tell different things, and knows no scale", async () => {
  const rows = [[1, 1], [1, -1], [-1, 1], [-1, -1]];
  const z = tensor(rows.map((row) => [row, row.map((value) => 3 * value + 5)]));
  assertAlmostEquals(await barlowTwins(z).item(), 0, 1e-4);
});

Deno.test("vicReg() is 0 for two views that are one, whose features have variance 1 and vary apart", async () => {
  const rows = [[1, 1], [1, -1], [-1, 1], [-1, -1]];
  assertAlmostEquals(await vicReg(tensor(rows.map((row) => [row, row]))).item(), 0, 1e-4);
});

Deno.test("the losses of the methods refuse options out of range, and tensors that do not fit", () => {
  const z = views();
  const range = (run: () => unknown, message: string) => assertThrows(run, RangeError, message);
  range(() => barlowTwins(z, { redundancy: -1 }), "compute barlowTwins() as redundancy must be >= 0");
  range(() => barlowTwins(z, { eps: 0 }), "compute barlowTwins() as eps must be > 0");
  for (const name of ["invariance", "variance", "covariance"]) {
    range(() => vicReg(z, { [name]: -1 }), `compute vicReg() as ${name} must be >= 0`);
  }
  for (const [name, loss] of Object.entries({ moCo, yAware, clInfoNCE, cclK })) {
    const own = name === "clInfoNCE" ? { labels: LABELS } : { weights: alpha };
    const call = () =>
      name === "moCo"
        ? moCo(z, targets, { queue, temperature: 0 })
        : (loss as typeof yAware)(z, { ...own, temperature: 0 } as never);
    range(call, `Cannot compute ${name}() as temperature must be > 0`);
  }
  for (const [name, loss] of Object.entries({ barlowTwins, vicReg, clInfoNCE, cclK })) {
    const own = { clInfoNCE: { labels: LABELS }, cclK: { weights: alpha } }[name] ?? {};
    const call = () => (loss as typeof yAware)(views(BATCH, 3), own as never);
    range(call, `Cannot compute ${name}() as there must be exactly 2 views: got z [6,3,5]`);
  }
  for (const [name, loss] of Object.entries({ yAware, cclK })) {
    const call = () => loss(z, { weights: ones([5, 6]) });
    assertThrows(call, TypeError, `compute ${name}() as weights must be f32 [6, 6]: got weights f32 [5,6]`);
  }
  assertThrows(
    () => moCo(z, views(5), { queue }),
    TypeError,
    "keys must have the shape of queries: got queries [6,2,5]",
  );
  const narrow = ones([3, 4]);
  assertThrows(
    () => moCo(z, targets, { queue: narrow }),
    TypeError,
    "queue must be f32 [members, 5]: got queue f32 [3,4]",
  );
  const labels = { labels: ones([6]) };
  assertThrows(
    () => clInfoNCE(z, labels),
    TypeError,
    "compute clInfoNCE() as labels must be u32 [6]: got labels f32 [6]",
  );
});
