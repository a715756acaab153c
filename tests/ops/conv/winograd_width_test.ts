// Winograd's transforms with as many channels an invocation as each family of adapters takes.
import { assert, assertEquals } from "@std/assert";
import { Device, key, normal, scope } from "../../../mod.ts";
import type { AdapterFamily } from "../../../src/device/mod.ts";
import { forwardProduct, inputGradProduct, weightGradProduct } from "../../../src/ops/conv/_conv2d_forms.ts";
import { geometryOf } from "../../../src/ops/conv/geometry.ts";
import { SideMoments } from "../../../src/ops/product/moments.ts";
import { policyOf } from "../../../src/ops/shared/policy.ts";
import { WINOGRAD_WIDTH } from "../../../src/ops/shared/tables.ts";

const policy = policyOf(await Device.open());

/** The three products of a convolution that normalises what it reads, and the moments of its output. */
function computed(family: AdapterFamily): Promise<Float32Array[]> {
  const forms = { conv2d: "winograd3", matmul: "rows", moments: "fused", family } as const;
  return policy.with(forms, async () => {
    using _ = scope();
    const g = geometryOf([2, 7, 6, 12], [3, 3, 12, 20], { padding: 1 });
    const [x, weight, norm] = [
      normal([2, 7, 6, 12], { key: key(1) }),
      normal([3, 3, 12, 20], { key: key(2) }),
      normal([3, 2, 4], { key: key(3) }),
    ];
    const gradY = normal([2, 7, 6, 20], { key: key(4) });
    const side = new SideMoments();
    const y = forwardProduct(g, { x, weight, bias: normal([20], { key: key(5) }), norm, side, dtype: "f32" });
    const gradX = inputGradProduct(g, { gradY, weight, dtype: "f32" });
    const gradWeight = weightGradProduct(g, { x, gradY, norm, dtype: "f32" });
    using moments = side.moments!;
    return await Promise.all([y, gradX, gradWeight, moments].map((t) => t.data() as Promise<Float32Array>));
  });
}

Deno.test("Winograd's transforms give the same bits of two channels an invocation as of four", async () => {
  assert(WINOGRAD_WIDTH.cpu.images !== WINOGRAD_WIDTH.gpu.images);
  const [fours, twos] = [await computed("cpu"), await computed("gpu")];
  const names = ["y", "gradient of x", "gradient of the weight", "moments"];
  names.forEach((name, i) => {
    assert(fours[i]!.some((v) => v !== 0) && fours[i]!.every(Number.isFinite), name);
    assertEquals(twos[i], fours[i], name);
  });
});
