import { assertClose, TOLERANCE } from "../../src/testing/mod.ts";
import { Device } from "../../src/device/mod.ts";
import { benchOn } from "../_bench.ts";
import type { ProductFormName } from "../../src/ops/product/forms.ts";
import { matmul } from "../../src/ops/product/matmul.ts";
import { key, scope, type Tensor, uniform } from "../../src/tensor/mod.ts";
import { policyOf } from "../../src/ops/shared/policy.ts";

const device = await Device.open();
const policy = policyOf(device);
const bench = await benchOn(device);

/** Right first: some rows against float64. */
async function check(c: Tensor, a: Tensor, b: Tensor, n: number): Promise<void> {
  const [got, x, y] = await Promise.all([c.data(), a.data(), b.data()]);
  const rows = [0, 1, n >> 1, n - 1];
  const want = rows.flatMap((i) => {
    const row = new Float64Array(n);
    for (let k = 0; k < n; k++) for (let j = 0; j < n; j++) row[j]! += x[i * n + k]! * y[k * n + j]!;
    return [...row];
  });
  assertClose(rows.flatMap((i) => [...got.subarray(i * n, i * n + n)]), want, { rtol: TOLERANCE.sum });
}

const FORMS: Record<string, readonly ProductFormName[]> = {
  cpu: ["subgroup", "subgroup32", "subgroupNarrow", "subgroupTexture", "rows"],
  gpu: ["tile128", "tile128x64", "tile64x128", "tile64"],
};

for (const n of device.info.family === "gpu" ? [512, 1024, 4096] : [512, 1024]) {
  const [a, b] = [1, 2].map((seed) => uniform([n, n], { key: key(seed), low: -1 })) as [Tensor, Tensor];
  for (const form of FORMS[device.info.family]!) {
    if (form.startsWith("subgroup") && device.info.subgroupSize !== 8) continue;
    await policy.with({ matmul: form }, async () => {
      using _ = scope();
      await check(matmul(a, b), a, b, n);
    });
    const within = (run: () => Promise<void>) => policy.with({ matmul: form }, run);
    await bench(`matmul [${n},${n}] ${form}`, () => matmul(a, b), { group: `matmul ${n}`, within });
  }
}
