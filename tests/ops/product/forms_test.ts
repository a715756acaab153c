import { assert, assertEquals, assertThrows } from "@std/assert";
import { READ_TEXTURES } from "../../../src/device/internal.ts";
import { chooseForm, formNamed, formOptions } from "../../../src/ops/product/forms.ts";
import { choosePlan } from "../../../src/ops/product/plan.ts";
import { type Policy, policyOf } from "../../../src/ops/shared/policy.ts";
import { pretended } from "../shared/_forms.ts";

/** Makes what the choice of a form asks of a device. */
function gpu(memory: number): Policy {
  const limits = { maxComputeWorkgroupStorageSize: memory };
  return policyOf(pretended({ family: "gpu", subgroupSize: 0 }, limits));
}

Deno.test("chooseForm() takes the largest tile that a result fills and whose memory there is", () => {
  const name = (memory: number, rows: number, cols4: number) => chooseForm(gpu(memory), rows, cols4, 64).name;
  assertEquals(formNamed("tile128").memory, 16640);
  assertEquals(name(32768, 1024, 256), "tile128");
  assertEquals(name(16384, 1024, 256), "tile128x64"); // the standard's default limit
  assertEquals(name(16384, 64, 256), "tile64x128");
  assertEquals(name(16384, 1024, 16), "tile128x64");
  assertEquals(name(8448, 1024, 256), "tile64");
  assertEquals(chooseForm(gpu(32768), 128, 32, 1).name, "tile64"); // too few to keep a GPU busy
});

Deno.test("chooseForm() has a CPU read a large b that many rows meet through a texture, where shaders can", async () => {
  const limits = { maxComputeWorkgroupStorageSize: 32768 };
  const on = (family: "cpu" | "gpu", subgroupSize: number, features = [READ_TEXTURES]) =>
    policyOf(pretended({ family, subgroupSize }, limits, features));
  const name = (policy: Policy, rows: number, cols4: number, textureBytes?: number) =>
    chooseForm(policy, rows, cols4, 1, { textureBytes }).name;
  const bytes = 4 * 2 ** 20;
  assertEquals(name(on("cpu", 8), 64, 64, bytes), "subgroupTexture");
  assertEquals(name(on("cpu", 8), 63, 64, bytes), "subgroup");
  assertEquals(name(on("cpu", 8), 64, 64, bytes / 8), "subgroup"); // the copy would take longer
  assertEquals(name(on("cpu", 8), 64, 64, 65 * bytes), "subgroup"); // too much memory
  assertEquals(name(on("cpu", 8), 64, 64), "subgroup"); // a part of a tensor, or f16
  assertEquals(name(on("cpu", 8), 64, 4, bytes), "subgroupNarrow");
  assertEquals(name(on("cpu", 8, []), 64, 64, bytes), "subgroup");
  assertEquals(name(on("cpu", 0), 64, 64, bytes), "rows");
  assertEquals(name(on("gpu", 8), 64, 64, bytes), "tile64");
  const options = (policy: Policy) => formOptions(policy, { textureBytes: bytes }).map(({ name }) => name);
  const given = [on("cpu", 8), on("cpu", 8, []), on("cpu", 0), on("gpu", 8)].map(options);
  assertEquals(given.map((names) => names.includes("subgroupTexture")), [true, false, false, false]);
  const lacking = on("cpu", 8, []);
  await lacking.with({ matmul: "subgroupTexture" }, () => {
    const message = "the form subgroupTexture of matmul as it needs storage textures that shaders may read";
    assertThrows(() => name(lacking, 64, 64, bytes), RangeError, `Cannot force ${message}`);
    assertEquals(name(lacking, 64, 64), "subgroup"); // it does not serve
  });
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

Deno.test("chooseForm() and formOptions() give sums in f16 where they may be, on GPUs", () => {
  const name = (memory: number, rows: number, cols4: number) =>
    chooseForm(gpu(memory), rows, cols4, 64, { sums: "f16" }).name;
  assertEquals(name(32768, 1024, 256), "half128");
  assertEquals(name(16384, 1024, 256), "half128x64");
  assertEquals(name(32768, 64, 256), "half64x128");
  assertEquals(name(16384, 8, 2), "half64");
  const cpu = policyOf(pretended({ family: "cpu", subgroupSize: 0 }, { maxComputeWorkgroupStorageSize: 32768 }));
  assertEquals(chooseForm(cpu, 1024, 256, 64, { sums: "f16" }).name, "rows");
  assertEquals(formOptions(cpu, { sums: "f16" }).every(({ sums }) => sums === "f32"), true);
  const halves = formOptions(gpu(32768), { sums: "f16" }).filter(({ sums }) => sums === "f16");
  assertEquals(halves.map(({ name }) => name), ["half64", "half64x128", "half128x64", "half128"]);
  assert(formOptions(gpu(32768), { sums: "f16" }).length > halves.length);
  assertEquals(formOptions(gpu(32768)).some(({ sums }) => sums === "f16"), false);
});

Deno.test("a forced form in f16 serves only sums that may be in f16", async () => {
  const policy = gpu(32768);
  await policy.with({ matmul: "half64" }, () => {
    assertEquals(chooseForm(policy, 1024, 256, 64).name, "tile128");
    assertEquals(chooseForm(policy, 1024, 256, 64, { sums: "f16" }).name, "half64");
  });
});

Deno.test("choosePlan() asks apart where sums may be in f16, and for forms of both precisions", async () => {
  const policy = gpu(32768);
  const sizes = { rows: 256, cols4: 64, batch: 1, terms: 256, resultBytes: 256 * 256 * 4 };
  const ask = () => ({ key: "matmul", prepare: () => assert(false) as never });
  const [plain, half] = await policy.openAnswers().collect(() => {
    choosePlan(policy, sizes, ask);
    choosePlan(policy, { ...sizes, sums: "f16" }, ask);
  });
  assertEquals([plain!.key, half!.key, half!.sums], ["matmul", "matmul sums f16", "f16"]);
  assertEquals(half!.usual.split(" ")[0], "half64");
  const names = (answers: readonly string[]) => new Set(answers.map((answer) => answer.replace(/\d.*/, "")));
  assertEquals(names(plain!.candidates()), new Set(["tile"]));
  assertEquals(names(half!.candidates()), new Set(["half", "tile"]));
});
