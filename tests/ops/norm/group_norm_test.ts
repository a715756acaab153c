import { assertThrows } from "@std/assert";
import { Device } from "../../../src/device/mod.ts";
import { groupNorm } from "../../../src/ops/mod.ts";
import { ones } from "../../../src/tensor/mod.ts";
import { checkGolden } from "../shared/_golden.ts";

await Device.open();

Deno.test("groupNorm() equals PyTorch, with its gradients, and throws on what it cannot use", async () => {
  await checkGolden(
    "groupNorm",
    ([x, weight, bias], { groups }) => groupNorm(x!, { groups: groups as number, weight, bias }),
    { absolute: 1e-6 },
    "transformers",
  );
  assertThrows(() => groupNorm(ones([4]), { groups: 2 }), TypeError, "x must be [n, ..., c] and not empty: got x [4]");
  assertThrows(
    () => groupNorm(ones([1, 4]), { groups: 3 }),
    RangeError,
    "groups must divide the channels: got 3 for 4",
  );
  assertThrows(
    () => groupNorm(ones([1, 4]), { groups: 2, weight: ones([3]) }),
    TypeError,
    "Cannot compute groupNorm() as weight must be [4]: got [3]",
  );
});
