import { assertEquals, assertThrows } from "@std/assert";
import { parseLinear } from "../../src/cli/linear_flags.ts";
import { UsageError } from "../../src/cli/flags.ts";

Deno.test("parseLinear() has the original's defaults", () => {
  const { db, epochs, batch_size, lr, momentum, wd, feature, chexpert_uncertain } = parseLinear([
    "--pretrained",
    "x.pth.tar",
  ])!;
  assertEquals([db, epochs, batch_size, lr, momentum, wd], ["imagenet100", 150, 512, 0.1, 0.9, 0]);
  assertEquals([feature, chexpert_uncertain], ["fc", "ignore"]);
});

for (
  const [args, message] of [
    [
      [],
      "Cannot evaluate without --pretrained: give a checkpoint, or --random to evaluate an untrained encoder on purpose",
    ],
    [["--pretrained", "x", "--random"], "Cannot use --random with --pretrained: give one of them"],
    [["--random"], "Cannot use --random without --network: got none"],
    [["--pretrained", "x", "--db", "chexpert"], "Cannot evaluate chexpert without --chexpert_label"],
    [["--pretrained", "x", "--chexpert_label", "Edema"], "Cannot use --chexpert_label with --db imagenet100"],
    [["--pretrained", "x", "--resume", "y"], "Cannot use --resume without --evaluate"],
  ] as const
) {
  Deno.test(`parseLinear() refuses "${args.join(" ")}"`, () => {
    assertThrows(() => parseLinear([...args]), UsageError, message);
  });
}
