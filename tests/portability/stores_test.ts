import { assert, assertEquals } from "@std/assert";
import { defineProgram, Device } from "../../src/device/mod.ts";
import { cholesky, matmul } from "../../src/ops/mod.ts";
import { Tensor, tensor } from "../../src/tensor/mod.ts";
import { assertClose, TOLERANCE } from "../../src/testing/mod.ts";
import { type Matrix, matrix, points, product, read, transposed } from "../ops/shared/_arrays.ts";
import { inFamily } from "../ops/shared/_forms.ts";
import { elementStores, sharedPointers, withWholeStores } from "./_stores.ts";
import { policyOf } from "../../src/ops/shared/policy.ts";

/** Invocation i stores number i: four invocations share a vector. */
const RACING = `
var<workgroup> tile: array<vec4f, 16>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) i: u32) {
  tile[i / 4u][i % 4u] = f32(i);
  workgroupBarrier();
  y[i] = tile[i / 4u][i % 4u];
}`;

/** Opens a device whose compiler stores whole vectors where a shader stores one element. */
async function withWholeStoresOn(body: (device: Device) => Promise<void>): Promise<void> {
  const create = GPUDevice.prototype.createShaderModule;
  GPUDevice.prototype.createShaderModule = function (descriptor) {
    return create.call(this, { ...descriptor, code: withWholeStores(descriptor.code) });
  };
  try {
    await using device = await Device.open();
    await body(device);
  } finally {
    GPUDevice.prototype.createShaderModule = create;
  }
}

Deno.test("elementStores() finds stores to elements of vectors that invocations share", () => {
  const code = `
    alias real4 = vec4<f32>;
    struct Pair { low: vec2f, high: array<f32, 2> }
    @group(0) @binding(1) var<storage, read_write> y: array<real4>;
    var<workgroup> pairs: array<array<Pair, 4>, 2 * (3 + 1)>;
    var<workgroup> turns: array<mat4x4<f32>, 2>;
    fn main(i: u32) {
      var own = vec4f();
      own.x = 1.0;
      y[i] = own; // y[i].x = 1.0
      if (y[i].x == 2.0) { y[i][0] -= y[i].y; }
      pairs[i][1].low.y = 2.0;
      pairs[i][1].low = own.xy;
      pairs[i][1].high[1] = 2.0;
      for (turns[1][0][i] = 1.0; own.x < 4.0; own.x += 1.0) { turns[0][1] = own; }
      let sum = y[i].z + own.w;
    }`;
  assertEquals(elementStores(code).map(({ statement }) => statement), [
    "y[i][0] -= y[i].y",
    "pairs[i][1].low.y = 2.0",
    "turns[1][0][i] = 1.0",
  ]);
});

Deno.test("sharedPointers() finds pointers into memory that invocations share", () => {
  const code = `
    var<workgroup> sums: array<vec4f, 4>;
    var<workgroup> counts: array<atomic<u32>, 4>;
    fn add(to: ptr<function, f32>, from: ptr<workgroup, vec4f>) {}
    fn main() { atomicAdd(&counts[0], 1u & counts2); let n = arrayLength(&sums); let p = &sums[0]; }`;
  assertEquals(sharedPointers(code), ["ptr<workgroup>", "&sums"]);
});

Deno.test("withWholeStores() makes a race of such stores visible", () =>
  withWholeStoresOn(async (device) => {
    const y = new Tensor(device, [64]);
    const program = defineProgram({
      name: "racing",
      code: [{ code: RACING, params: {}, access: { 1: "read_write" } }],
      entryPoint: "main",
    });
    device.dispatch(program, { buffers: { 1: y.storage }, workgroups: [1, 1, 1] });
    const wrong = (await y.data()).filter((value, i) => value !== i).length;
    assert(wrong > 0, "no element was lost");
  }));

Deno.test("matmul() keeps its values where compilers store whole vectors", () =>
  withWholeStoresOn(async (device) => {
    const [a, b] = [await read(points(20, 48)), await read(points(48, 36))];
    const expected = product(a, b).values;
    const upload = ({ values, rows, cols }: Matrix) => tensor(Float32Array.from(values), { shape: [rows, cols] });
    await policyOf(device).with({ matmul: "tile64" }, async () => {
      assertClose(await matmul(upload(a), upload(b)).data(), expected, { rtol: TOLERANCE.sum });
      const turned = matmul(upload(transposed(a)), upload(transposed(b)), { transposeA: true, transposeB: true });
      assertClose(await turned.data(), expected, { rtol: TOLERANCE.sum });
    });
  }));

Deno.test("cholesky() keeps its values where compilers store whole vectors", () =>
  withWholeStoresOn(async (device) => {
    const n = 70;
    const l = matrix(n, n, (i, j) => i === j ? 2 + i % 3 : i > j ? Math.fround(Math.sin(i * n + j) / 8) : 0);
    const a = Float32Array.from(product(l, transposed(l)).values);
    for (const family of ["cpu", "gpu"] as const) {
      await inFamily(device, family, async () => {
        assertClose(await cholesky(tensor(a, { shape: [n, n] })).data(), l.values, { rtol: TOLERANCE.sum });
      });
    }
  }));
