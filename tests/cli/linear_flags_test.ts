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
    [["--pretrained", "x", "--views", "PA"], "Cannot use --views with --db imagenet100: it is for chexpert"],
    [
      ["--pretrained", "x", "--db", "cifar10", "--train_fraction", "0.5"],
      "Cannot use --train_fraction with --db cifar10: it is for utzappos",
    ],
    [["--pretrained", "x", "--resume", "y"], "Cannot use --resume without --evaluate"],
  ] as const
) {
  Deno.test(`parseLinear() refuses "${args.join(" ")}"`, () => {
    assertThrows(() => parseLinear([...args]), UsageError, message);
  });
}

Deno.test("parseLinear() takes the flags of a data set, and argparse's other names", () => {
  const parse = (...args: string[]) => parseLinear(["--pretrained", "x", ...args])!;
  const shoes = parse("--db", "utzappos", "--train_list", "a.csv", "--train_fraction", "0.5", "--limit", "9");
  assertEquals([shoes.train_list, shoes.train_fraction, shoes.limit], ["a.csv", 0.5, 9]);
  assertEquals(parse("--class_list", "c.txt", "--learning_rate", "1").class_list, "c.txt");
  const { lr, wd } = parse("--learning-rate", "0.5", "--weight-decay", "0.25");
  assertEquals([lr, wd], [0.5, 0.25]);
  assertEquals(parse("--momentum", "0.9999").momentum, 0.9999);
  for (const [flag, value, rule] of [["lr", "0", ">= 1e-30"], ["momentum", "1", ">= 0 and < 1"]] as const) {
    const message = `Cannot read --${flag} as it must be a number ${rule}: got "${value}"`;
    assertThrows(() => parse(`--${flag}`, value), UsageError, message);
  }
  assertEquals(parse("--db", "chexpert", "--chexpert_label", "all", "--views", "PA,AP").views, "PA,AP");
});
