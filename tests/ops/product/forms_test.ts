import { assert, assertEquals } from "@std/assert";
import { chooseForm, formNamed, formOptions } from "../../../src/ops/product/forms.ts";
import { type Policy, policyOf } from "../../../src/ops/shared/policy.ts";
import { pretended } from "../shared/_forms.ts";

/** Makes what the choice of a form asks of a device. */
function gpu(memory: number): Policy {
  const limits = { maxComputeWorkgroupStorageSize: memory };
  return policyOf(pretended({ family: "gpu", subgroupSize: 0 }, limits));
}

Deno.test("chooseForm() takes the largest tile that a result fills and whose memory there is", () => {
  const name = (memory: number, rows: number, cols4: number) => chooseForm(gpu(memory), rows, cols4, 64).name;
  assertEquals(formNamed("tile128").memory, 16896);
  assertEquals(name(32768, 1024, 256), "tile128");
  assertEquals(name(16384, 1024, 256), "tile128x64"); // the standard's default limit
  assertEquals(name(16384, 64, 256), "tile64x128");
  assertEquals(name(16384, 1024, 16), "tile128x64");
  assertEquals(name(8704, 1024, 256), "tile64");
  assertEquals(chooseForm(gpu(32768), 128, 32, 1).name, "tile64"); // too few to keep a GPU busy
});

Deno.test("formOptions() has tiles with fewer sums an invocation, for GPUs with few registers", () => {
  const names = formOptions(gpu(16384)).map(({ name }) => name);
  assertEquals(names, ["tile64of4x8", "tile64of8x4", "tile64", "tile64x128", "tile128x64"]);
  for (const name of ["tile64of4x8", "tile64of8x4"] as const) {
    const { rows, cols4, invocations, memory } = formNamed(name);
    assertEquals([rows, cols4, memory], [64, 16, formNamed("tile64").memory]);
    assertEquals(rows * 4 * cols4 / invocations, 32); // sums of an invocation
    assert(invocations <= 256);
  }
});
