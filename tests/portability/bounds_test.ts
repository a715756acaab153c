// WGSL lets a read past the end of an array give any of its elements, and a write go to any.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { backward, detach, requireGrad } from "../../src/autograd/mod.ts";
import { defineProgram, Device } from "../../src/device/mod.ts";
import * as ops from "../../src/ops/mod.ts";
import { policyOf } from "../../src/ops/shared/policy.ts";
import { key, scope, type Tensor, tensor, uniform } from "../../src/tensor/mod.ts";
import { assertClose, TOLERANCE } from "../../src/testing/mod.ts";
import { withBounds, withIndicesInside } from "./_bounds.ts";

const rewritten = (code: string) => withIndicesInside(code).replace(/\nfn inside_.*/, "");

Deno.test("withIndicesInside() holds indices into storage and workgroup arrays inside, also within one another", () => {
  const declared = `
    @group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>; // y[i]
    @group(0) @binding(2) var<storage, read_write> flags: array<atomic<u32>>;
    var<workgroup> tile: array<array<vec4f, 5>, 4u * EDGE>;`;
  assertEquals(
    rewritten(`${declared} fn f(i: u32) { y[tile[i][1].x].x = tile[i + 1u][i].z; atomicLoad(&flags[i]); a.y[i] = 1; }`),
    `${declared} fn f(i: u32) { ` +
      "y[inside_(u32(tile[inside_(u32(i), u32(4u * EDGE), 0u)][inside_(u32(1), u32(5), 0u)].x), " +
      "arrayLength(&y), arrayLength(&y) / 8u)].x = " +
      "tile[inside_(u32(i + 1u), u32(4u * EDGE), 0u)][inside_(u32(i), u32(5), 0u)].z; " +
      "atomicLoad(&flags[inside_(u32(i), arrayLength(&flags), arrayLength(&flags) / 8u)]); a.y[i] = 1; }",
  );
});

Deno.test("withIndicesInside() leaves parameters and locals of a storage's name", () => {
  const code = "var<storage> b: array<f32>; " +
    "fn f(b: mat4x4f) -> vec4f { return b[0]; } " +
    "fn g() { for (var b = vec2f(); b[0] < 1.0; b[0] += 1.0) { use(b[1]); } { var b = b[2]; use(b[3]); } use(b[4]); }";
  const inside = (i: number) => `b[inside_(u32(${i}), arrayLength(&b), 0u)]`;
  assertEquals(rewritten(code), code.replace("b[2]", inside(2)).replace("b[4]", inside(4)));
});

Deno.test("withIndicesInside() refuses what it does not follow", () => {
  const struct = "struct S { n: u32, of: array<f32> } var<storage> all: S; fn f() { use(all.of[9]); }";
  assertThrows(() => withIndicesInside(struct), Error, "declared as arrays: got all: S");
  const pointer = "var<workgroup> sums: array<f32, 4>; fn f() { let p = &sums; (*p)[9] = 1.0; }";
  assertThrows(() => withIndicesInside(pointer), Error, "reached by pointers: got &sums");
});

/** Stores past the ends of arrays, and reads past them. */
const PAST = defineProgram({
  name: "past",
  code: [{
    code: `
var<workgroup> own: array<f32, 4>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) group: vec3u) {
  own[group.x + 7u] = 5.0;
  y[2] = own[0];
  y[3] = x[group.x + 100u];
  y[group.x + 200u] = 7.0;
  y[0] = y[group.x + 300u];
}`,
    params: {},
    access: { 1: "read", 2: "read_write" },
  }],
  entryPoint: "main",
});

Deno.test("withBounds() has stores and reads past the end go to other elements", async () => {
  await using device = await Device.open({ gpu: withBounds(navigator.gpu) });
  using x = tensor([8, 9, 9, 9], { device });
  using y = tensor([1, 2, 3, 4, 5, 6, 7, 8], { device });
  device.dispatch(PAST, { buffers: { 1: x.storage, 2: y.storage }, workgroups: [1, 1, 1] });
  assertEquals(Array.from(await y.data()), [7, 7, 5, 8, 5, 6, 7, 8]);
});

/** Results of ops at sizes that fill no vector, row of workgroups or tile. */
function results(noise: (...shape: number[]) => Tensor): Tensor[] {
  const [x, image] = [noise(7, 13), noise(2, 5, 7, 6)];
  return [
    ops.add(x, noise(13)),
    ops.sum(x),
    ops.sum(noise(37, 11), { dim: 0 }),
    ops.softmax(x),
    ops.layerNorm(x, { weight: noise(13), bias: noise(13) }),
    ops.indexSelect(x, 0, tensor(Uint32Array.of(6, 0, 3, 3, 5))),
    ops.matmul(x, noise(13, 9)),
    ops.conv2d(detach(image), detach(noise(3, 3, 6, 5)), { padding: 1 }),
    ops.maxPool2d(image, { kernelSize: 3, stride: 2, padding: 1 }),
  ];
}

/** What ops give, and the gradients to their operands. */
async function values(of: typeof results): Promise<number[][]> {
  using _ = scope();
  const operands: Tensor[] = [];
  const all = of((...shape) => {
    const operand = requireGrad(uniform(shape, { key: key(1) }));
    operands.push(operand);
    return operand;
  });
  for (const y of all) if (y.link) backward(ops.sum(ops.square(y)));
  return await Promise.all(
    [...all, ...operands.flatMap(({ grad }) => grad ?? [])].map(async (each) => Array.from(await each.data())),
  );
}

/** Compares values on a device that holds indices inside with those of a plain one, in forms that `each` chooses. */
async function compare(of: typeof results, each: (device: Device, body: () => Promise<void>) => Promise<void>) {
  const found: number[][][] = [];
  for (const gpu of [navigator.gpu, withBounds(navigator.gpu)]) {
    await using device = await Device.open({ gpu });
    const all: number[][] = [];
    await each(device, async () => void all.push(...await values(of)));
    found.push(all);
  }
  const [plain, bounded] = found;
  assert(plain!.length > 0 && plain!.every((each) => each.every(Number.isFinite)));
  plain!.forEach((want, i) => assertClose(bounded![i]!, want, { rtol: TOLERANCE.sum }));
}

Deno.test("ops keep their values at odd sizes where an index past the end is that of another element", () =>
  compare(results, async (device, body) => {
    for (const family of ["cpu", "gpu"] as const) await policyOf(device).with({ family, matmul: "rows" }, body);
  }));

Deno.test("cholesky() keeps its values at an odd size, in the form for GPUs", () => {
  const n = 37;
  const a = Float32Array.from({ length: n * n }, (_, i) => i % (n + 1) ? 1 / (2 + i % n + Math.floor(i / n)) : 3);
  return compare(
    () => [ops.cholesky(tensor(a, { shape: [n, n] }))],
    (device, body) => policyOf(device).with({ family: "gpu" }, body), // that of CPUs compiles for long
  );
});

Deno.test("a tile of a product keeps its values so too", () =>
  compare(
    (noise) => [ops.matmul(detach(noise(21, 13)), detach(noise(13, 35)))],
    (device, body) => policyOf(device).with({ matmul: "tile64" }, body),
  ));
