import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { compile } from "../../../src/compile/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { attention, batchNorm, cholesky, conv2d, matmul, rbfGram } from "../../../src/ops/mod.ts";
import { conv2dWithMoments } from "../../../src/ops/internal.ts";
import { type Forced, Policy, policyOf } from "../../../src/ops/shared/policy.ts";
import { ones, scope, zeros } from "../../../src/tensor/mod.ts";
import { runChild } from "../../device/_child.ts";
import { pretended } from "./_forms.ts";

const device = await Device.open();
const policy = policyOf(device);
const info = { vendor: "", description: "", family: "gpu", subgroupSize: 32 } as const;
const of = { info, limits: device.limits, features: device.features, recordings: device.recordings };

Deno.test("Policy.with() forces families, subgroups and forms inside, whatever happens there", async () => {
  const { family, subgroupSize } = device.info;
  const names = ["a", "b"];
  const state = () => [policy.family, policy.subgroupSize, policy.choose("matmul", names, "b")];
  const inside = await policy.with({ family: "cpu", matmul: "a" }, async () => {
    const inner = await policy.with({ family: "gpu", subgroups: "off" }, state);
    return [inner, state()];
  });
  assertEquals(inside, [["gpu", 0, "a"], ["cpu", subgroupSize, "a"]]);
  await assertRejects(() => policy.with({ matmul: "a" }, () => Promise.reject(new Error("inside"))), Error, "inside");
  assertEquals(state(), [family, subgroupSize, "b"]);
});

Deno.test("Policy.with() refuses a form that there is not, by the op that asks for it", async () => {
  using _ = scope();
  const norm = { weight: ones([16]), bias: zeros([16]), training: true };
  const [x, w] = [ones([2, 4, 4, 16]), ones([3, 3, 16, 16])];
  const asks: [forced: Forced, run: () => unknown, message: string][] = [
    [
      { conv2d: "winograd5" },
      () => conv2d(x, w),
      "conv2d as it must be one of product, taps, direct, winograd4, winograd3, depthwise",
    ],
    [
      { matmul: "tile7" },
      () => matmul(ones([4, 4]), ones([4, 4])),
      "matmul as it must be one of subgroup, subgroup32, subgroupNarrow, subgroupTexture, rows",
    ],
    [
      { pairs: "none" },
      () => rbfGram(ones([4, 4]), ones([4, 4]), { gamma: 1 }),
      "pairs as it must be one of subgroup, lanes",
    ],
    [{ cholesky: "none" }, () => cholesky(ones([1, 1])), "cholesky as it must be one of elements, rows"],
    [{ batchNorm: "none" }, () => batchNorm(x, norm), "batchNorm as it must be one of columns, slices"],
    [{ normalized: "none" }, () => batchNorm(x, norm), "normalized as it must be one of read, remade, kept"],
    [{ attention: "none" }, () => attention(x, x, x), "attention as it must be one of tiles, products"],
    [{ moments: "none" }, () => conv2dWithMoments(x, w), "moments as it must be one of fused, apart"],
  ];
  for (const [forced, run, message] of asks) {
    await policy.with(forced, () => {
      assertThrows(run, RangeError, `Cannot force a form of ${message}`);
    });
  }
});

Deno.test("Policy.with() refuses a form for which the device lacks something", async () => {
  using _ = scope();
  const x = ones([4, 8]);
  await policy.with({ subgroups: "off", matmul: "subgroup", pairs: "subgroup" }, () => {
    const lack = "needs subgroups of 8 lanes: got 0";
    assertThrows(() => matmul(x, ones([8, 4])), RangeError, `Cannot force the form subgroup of matmul as it ${lack}`);
    assertThrows(
      () => rbfGram(x, x, { gamma: 1 }),
      RangeError,
      `Cannot force the form subgroup of pairs as it ${lack}`,
    );
  });
});

Deno.test("FORM is read as names of forms by what has them", () => {
  const forced = new Policy(of, "family:cpu, conv2d:direct matmul:rows,subgroups:off");
  assertEquals([forced.family, forced.subgroupSize], ["cpu", 0]);
  assertEquals(forced.forced("conv2d", ["winograd4", "direct"]), "direct");
  assertEquals(forced.choose("matmul", ["rows", "tile64"], "tile64"), "rows");
  assertEquals(forced.choose("pairs", ["lanes", "tiles"], "tiles"), "tiles");
  assertEquals(new Policy(of, "").family, "gpu");
  for (const text of ["conv3d:direct", "direct", "conv2d:", "family:npu", "subgroups:on", "conv2d:a:b", "toString:a"]) {
    const message =
      `FORM as it must list forms such as conv2d:winograd4, of attention, batchNorm, cholesky, conv2d, matmul, moments, ` +
      `normalized, pairs, or family:cpu, family:gpu, subgroups:off: got "${text}"`;
    assertThrows(() => new Policy(of, text), RangeError, message);
  }
});

Deno.test("FORM forces what DEBUG prints, and stops a program where it names nothing", async () => {
  const script = `await using device = await uniformity.Device.open();
    uniformity.conv2d(uniformity.ones([1, 6, 6, 4]), uniformity.ones([3, 3, 4, 4]), { padding: 1 });
    uniformity.matmul(uniformity.ones([4, 4]), uniformity.ones([4, 4]));
    await device.done();`;
  for (const form of ["conv2d:direct matmul:rows", "conv2d:winograd4"]) {
    const { code, stderr } = await runChild(script, { FORM: form, DEBUG: "1" });
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, `workgroups, form ${form}\n`);
  }
  const { code, stderr } = await runChild(script, { FORM: "conv2d:winograd9" });
  assert(code !== 0);
  assertStringIncludes(stderr, `winograd4, winograd3, depthwise: got "winograd9"`);
});

Deno.test("a step of compile() is recorded anew in forms that are forced", async () => {
  using _ = scope();
  const [a, b] = [ones([20, 30]), ones([30, 8])];
  using step = compile(() => matmul(a, b), { check: "never" });
  for (let i = 0; i < 5; i++) step();
  const { replays } = step;
  assert(replays > 0);
  await policy.with({ matmul: "rows" }, () => void step());
  assertEquals(step.replays, replays);
});

Deno.test("Device.part() is one of a class", () => {
  assert(policyOf(device) === policy);
  const other = pretended({ family: "cpu", subgroupSize: 0 }, device.limits);
  assert(policyOf(other) !== policy);
});
