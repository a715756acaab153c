import { assertEquals } from "@std/assert";
import { backward } from "../../../src/autograd/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { add, batchNorm, conv2d, mul, sum } from "../../../src/ops/mod.ts";
import type { ProductFormName } from "../../../src/ops/product/forms.ts";
import { policyOf } from "../../../src/ops/shared/policy.ts";
import { key, normal, ones, requireGrad, scope, type Tensor, tensor, zeros } from "../../../mod.ts";
import { assertClose, TOLERANCE } from "../../../src/testing/mod.ts";

const device = await Device.open();
const policy = policyOf(device);
const [SHAPE, CHANNELS] = [[3, 5, 6, 12], 12] as const;

/** What becomes of `y = relu(batchNorm(x) + r)`, each weighted and summed: a convolution, and what else uses y. */
interface Run {
  readonly form: ProductFormName;
  /** Uses of y besides the convolution: after it, or before it too. */
  readonly uses?: "after" | "both";
  readonly backwards?: 1 | 2;
  readonly training?: boolean;
  readonly nan?: boolean;
}

/** Gradients of all inputs, and which dispatches batch normalisation's backward made. */
async function run({ form, uses = "after", backwards = 1, training = true, nan = false }: Run) {
  using _ = scope();
  const values = await normal(SHAPE, { key: key(1), mean: 3 }).data();
  if (nan) values[5] = NaN;
  const [x, r] = [requireGrad(tensor(values, { shape: SHAPE })), requireGrad(normal(SHAPE, { key: key(2) }))];
  const [weight, bias, w] = [ones([CHANNELS]), zeros([CHANNELS]), normal([1, 1, CHANNELS, 8], { key: key(3) })].map((
    t,
  ) => requireGrad(t)) as [Tensor, Tensor, Tensor];
  const running = { runningMean: zeros([CHANNELS]), runningVar: ones([CHANNELS]) };
  const programs: string[] = [];
  const { dispatch } = device;
  device.dispatch = (program, options) => {
    programs.push(`${program.name}.${program.entryPoint}`);
    dispatch.call(device, program, options);
  };
  try {
    await policy.with({ batchNorm: "slices", conv2d: "product", matmul: form }, () => {
      const y = batchNorm(x, { weight, bias, ...running, training, relu: true, residual: r });
      const other = (id: number) => sum(mul(y, normal(SHAPE, { key: key(id) })));
      const before = uses === "after" ? null : other(5);
      const z = conv2d(y, w);
      const convolved = sum(mul(z, normal(z.shape, { key: key(4) })));
      const later = add(convolved, other(6));
      const loss = before ? add(before, later) : later;
      for (let i = 1; i <= backwards; i++) backward(loss, { retainGraph: i < backwards });
    });
  } finally {
    device.dispatch = dispatch;
  }
  const grads = await Promise.all([x, r, weight, bias, w].map((t) => t.grad!.data()));
  return { grads, reduced: programs.filter((name) => name === "batchNormGrad.reduce").length };
}

const CASES: readonly (readonly [string, Run, number])[] = [
  ["after a use of y that came later", { form: "tile64of8x4" }, 0],
  ["twice, where the graph is kept", { form: "tile64of8x4", backwards: 2 }, 0],
  ["in evaluation", { form: "tile64of8x4", training: false }, 0],
  ["and leaves that to the normalisation where another gradient follows", { form: "tile64of8x4", uses: "both" }, 1],
  ["but not in the forms of CPU adapters", { form: "rows" }, 1],
];

for (const [name, how, reduced] of CASES) {
  Deno.test(`a product masks and sums the gradient of a normalised sum ${name}`, async () => {
    const [got, apart] = [await run(how), await run({ ...how, form: "rows" })];
    assertEquals(got.reduced, reduced);
    got.grads.forEach((values, i) => assertClose(values, apart.grads[i]!, { rtol: TOLERANCE.sum }));
  });
}

Deno.test("a product that masks a gradient lets pass what NaN makes NaN", async () => {
  const [got, apart] = [await run({ form: "tile64of8x4", nan: true }), await run({ form: "rows", nan: true })];
  const places = (grads: Awaited<ReturnType<typeof run>>["grads"]) =>
    grads.map((each) => Array.from(each, Number.isNaN));
  assertEquals(places(got.grads), places(apart.grads));
  assertEquals(got.grads[1]!.some((v) => v !== 0), true);
});
