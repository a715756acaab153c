import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { helpText, parseFlags, UsageError } from "../../src/cli/mod.ts";

const PROGRAM = {
  usage: "deno run -A x.ts",
  about: "Does x.",
  example: "deno run -A x.ts --lr 1",
  flags: {
    epochs: { type: "integer", default: 10, min: 1, help: "passes" },
    lr: { type: "number", help: "rate", alias: "l", group: "Training" },
    save_dir: { type: "string", default: "runs", help: "where" },
    kernel: { type: "string", choices: ["rbf", "cosine", "linear"], help: "kernel" },
    verbose: { type: "boolean", help: "more" },
  },
} as const;

Deno.test("parseFlags() gives defaults, and reads hyphens as underscores", () => {
  const none = { epochs: 10, lr: undefined, save_dir: "runs", kernel: undefined, verbose: false };
  assertEquals(parseFlags([], PROGRAM), none);
  assertEquals(parseFlags(["--save-dir=a=b", "--epochs", "3", "-l", "0.5", "--verbose", "--kernel", "rbf"], PROGRAM), {
    epochs: 3,
    lr: 0.5,
    save_dir: "a=b",
    kernel: "rbf",
    verbose: true,
  });
});

Deno.test("parseFlags() names the nearest flag or value", () => {
  const error = (...args: string[]) => assertThrows(() => parseFlags(args, PROGRAM), UsageError).message;
  assertEquals(
    error("--epoch", "3"),
    "Cannot read --epoch as there is no such flag: did you mean --epochs? (--help lists all)",
  );
  assertEquals(error("--zzzzzzzz"), "Cannot read --zzzzzzzz as there is no such flag (--help lists all)");
  assertEquals(error("stray"), 'Cannot read the command line as "stray" is not a flag');
  assertEquals(
    error("--kernel", "cosin"),
    'Cannot read --kernel as it must be one of rbf, cosine, linear: got "cosin", did you mean "cosine"?',
  );
});

Deno.test("parseFlags() refuses values of another kind or range", () => {
  const error = (...args: string[]) => assertThrows(() => parseFlags(args, PROGRAM), UsageError).message;
  assertEquals(error("--epochs", "1.5"), 'Cannot read --epochs as it must be an integer >= 1: got "1.5"');
  assertEquals(error("--epochs=0"), 'Cannot read --epochs as it must be an integer >= 1: got "0"');
  assertEquals(error("--epochs"), "Cannot read --epochs as it has no value: want an integer >= 1");
  assertEquals(error("--lr=x"), 'Cannot read --lr as it must be a number: got "x"');
});

Deno.test("helpText() groups flags and shows defaults, choices and the example", () => {
  const text = helpText(PROGRAM);
  assertStringIncludes(text, "Training:\n  -l, --lr <number>");
  assertStringIncludes(text, "passes (default 10)");
  assertStringIncludes(text, "--kernel <rbf|cosine|linear>");
  assertStringIncludes(text, "Example: deno run -A x.ts --lr 1");
});
