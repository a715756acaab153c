import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { tensor } from "../../mod.ts";
import { SingleProcess } from "../../src/distributed/mod.ts";
import { encodeTogether, VERSION } from "../../src/train/mod.ts";
import { launchers, runRanks, without } from "../distributed/_ranks.ts";

const program = new URL("_rank_start.ts", import.meta.url);
const ignore = launchers.length === 0;

Deno.test("VERSION is that of deno.json", () => {
  assertEquals(VERSION, config.version);
});

Deno.test({
  name: `describeRanks() tells where ranks run, and encodeTogether() gives all of them all features${without}`,
  ignore,
  async fn() {
    const { code, output } = await runRanks(launchers[0]!, 2, program);
    assertEquals(code, 0, output);
    assertStringIncludes(output, "Rank 0 on ");
    assertStringIncludes(output, "Rank 1 on ");
    assertStringIncludes(output, "Ranks 0, 1 share one adapter");
    const all = Array.from({ length: 14 }, (_, i) => 2 * i).join(" ");
    assertEquals(output.split("\n").filter((line) => line === `features of 2 columns: ${all}`).length, 2, output);
  },
});

Deno.test("encodeTogether() needs an image a rank", async () => {
  const images = () => tensor([[1]]);
  await assertRejects(
    () => encodeTogether(new SingleProcess(), { forward: (x) => x }, 0, images),
    RangeError,
    "Cannot encode as each of 1 ranks must have an image: got 0 images",
  );
});

const MESSAGES = {
  lr: "Cannot train together as the ranks differ: --lr is 0.2 on rank 1 and 0.3 on rank 0",
  labels: "Cannot train together as the ranks differ: the hash of the data is",
  paths: "Cannot train together as the ranks differ: the hash of the data is",
  epoch: "the start (--save_dir must be shared) is epoch 1, step 0 on rank 1 and epoch 0, step 0 on rank 0",
  weights: "Cannot go on as the weights of ranks 1 differ from those of rank 0",
} as const;

for (const [difference, message] of Object.entries(MESSAGES)) {
  Deno.test({
    name: `ranks are refused, naming the rank, when ${difference} differs${without}`,
    ignore,
    async fn() {
      const { code, output } = await runRanks(launchers[0]!, 2, program, [difference]);
      assertEquals(code === 0, false, output);
      assertStringIncludes(output, message);
    },
  });
}
