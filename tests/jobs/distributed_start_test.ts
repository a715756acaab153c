import { assertEquals, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { VERSION } from "../../src/jobs/mod.ts";
import { launchers, runRanks, without } from "../distributed/_ranks.ts";

const program = new URL("_rank_start.ts", import.meta.url);
const ignore = launchers.length === 0;

Deno.test("VERSION is that of deno.json", () => {
  assertEquals(VERSION, config.version);
});

Deno.test({
  name: `describeRanks() tells where ranks run, and encodeImages() gives the first of them all features${without}`,
  ignore,
  async fn() {
    const encoded: (string | undefined)[] = [];
    for (const ranks of [1, 2, 3]) {
      const { code, output } = await runRanks(launchers[0]!, ranks, program);
      assertEquals(code, 0, output);
      assertStringIncludes(output, `Rank ${ranks - 1} on `);
      if (ranks > 1) assertStringIncludes(output, `Ranks 0, 1${ranks > 2 ? ", 2" : ""} share one adapter`);
      const second = ranks > 1 ? '; "second.png" cannot be read on rank 1 and is left out: cut off' : "";
      assertStringIncludes(output, `"both.png" cannot be read and is left out: cut off${second}\n`);
      encoded.push(output.split("\n").find((line) => line.startsWith("encoded 0,1,2,3,4,5,6: ")));
    }
    assertEquals(encoded[0]?.split(" ").length, 2 + 7 * 3);
    assertEquals(encoded, new Array(3).fill(encoded[0]));
  },
});

const MESSAGES = {
  library: "Cannot work together as the ranks differ: the version of the library is 0.0.9 on rank 1 and",
  Deno: "Cannot work together as the ranks differ: the version of Deno is 2.9.0 on rank 1 and",
  lr: "Cannot work together as the ranks differ: --lr is 0.2 on rank 1 and 0.3 on rank 0",
  labels: "Cannot work together as the ranks differ: the hash of the train data is",
  paths: "Cannot work together as the ranks differ: the hash of the train data is",
  files: "Cannot work together as the ranks differ: the hash of the train data is",
  absent: "Cannot work together as the ranks differ: the hash of the train data is",
  epoch:
    "the start (--save_dir must be shared) is 1 epochs and 0 steps done on rank 1 and 0 epochs and 0 steps done on rank 0",
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
