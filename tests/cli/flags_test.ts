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
    ema: { type: "number", min: 0, below: 1, help: "decay" },
    workers: { type: "integer", min: 1, max: 8, help: "threads" },
  },
} as const;

Deno.test("parseFlags() gives defaults, and reads hyphens as underscores", () => {
  const unset = { lr: undefined, kernel: undefined, ema: undefined, workers: undefined };
  const none = { ...unset, epochs: 10, save_dir: "runs", verbose: false };
  assertEquals(parseFlags([], PROGRAM), none);
  assertEquals(parseFlags(["--save-dir=a=b", "--epochs", "3", "-l", "0.5", "--verbose", "--kernel", "rbf"], PROGRAM), {
    ...unset,
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
  assertEquals(error("--no-lr=3"), "Cannot read --no-lr=3 as there is no such flag (--help lists all)");
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
  assertEquals(error("--lr", "1e-50"), 'Cannot read --lr as it must be a number that f32 holds: got "1e-50"');
  assertEquals(parseFlags(["--lr", "1e-45"], PROGRAM)?.lr, 1e-45); // the least that is not 0
  assertEquals(parseFlags(["--lr=-0e9"], PROGRAM)?.lr, -0);
  assertEquals(error("--lr=", "5"), "Cannot read --lr as it has no value: want a number");
  assertEquals(error("--lr="), "Cannot read --lr as it has no value: want a number");
  assertEquals(error("--ema=1"), 'Cannot read --ema as it must be a number >= 0 and < 1: got "1"');
  assertEquals(error("--ema=.9999999999"), 'Cannot read --ema as it must be a number >= 0 and < 1: got ".9999999999"');
  assertEquals(parseFlags(["--ema=0.9999"], PROGRAM)?.ema, 0.9999);
  assertEquals(error("--workers=9"), 'Cannot read --workers as it must be an integer >= 1 and <= 8: got "9"');
  assertEquals(error("--lr=1e39"), 'Cannot read --lr as it must be a number that f32 holds: got "1e39"');
});

Deno.test("parseFlags() reads short flags and numbers below 0 as argparse does", () => {
  const flags = {
    batch_size: { type: "integer", default: 8, min: 2, alias: "b", help: "samples" },
    workers: { type: "integer", default: 1, alias: "j", help: "Workers" },
    lr: { type: "number", min: 0, help: "rate" },
    shift: { type: "number", help: "any number" },
    file: { type: "string", alias: "f", help: "text" },
    quick: { type: "boolean", alias: "q", help: "less" },
    verbose: { type: "boolean", alias: "v", help: "more" },
  } as const;
  const none = {
    batch_size: 8,
    workers: 1,
    lr: undefined,
    shift: undefined,
    file: undefined,
    quick: false,
    verbose: false,
  };
  const parse = (...args: string[]) => parseFlags(args, { ...PROGRAM, flags });
  for (const args of [["-b20"], ["-b", "20"], ["-b=20"], ["--batch_size=20"], ["--batch-size", "20"]]) {
    assertEquals(parse(...args), { ...none, batch_size: 20 }, args.join(" "));
  }
  assertEquals(parse("-b20", "-j3", "-q"), { ...none, batch_size: 20, workers: 3, quick: true });
  assertEquals(parse("-qv", "-j", "3"), { ...none, workers: 3, quick: true, verbose: true });
  assertEquals(parse("-qvb20"), { ...none, batch_size: 20, quick: true, verbose: true });
  assertEquals(parse("-fa=b", "--shift", "-.5e1"), { ...none, file: "a=b", shift: -5 });
  assertEquals(parse("-j-2", "--shift=-1"), { ...none, workers: -2, shift: -1 });
  assertEquals(parse("--no-quick", "--verbose=true"), { ...none, verbose: true });
  const error = (...args: string[]) => assertThrows(() => parse(...args), UsageError).message;
  assertEquals(error("-bj", "20"), 'Cannot read --batch_size as it must be an integer >= 2: got "j"');
  assertEquals(error("--lr", "-0.1"), 'Cannot read --lr as it must be a number >= 0: got "-0.1"');
  assertEquals(error("-b"), "Cannot read --batch_size as it has no value: want an integer >= 2");
  assertEquals(error("-b", "-q"), "Cannot read --batch_size as it has no value: want an integer >= 2");
  assertEquals(parse("-b20", "--batch_size", "30", "-b40"), { ...none, batch_size: 40 }, "the last one counts");
  assertEquals(error("--quick=0"), 'Cannot read --quick as it takes no value but true and false: got "0"');
  assertEquals(error("-q=1"), 'Cannot read --quick as it takes no value but true and false: got "1"');
  assertEquals(error("--no-quick=1"), 'Cannot read --no-quick as it takes no value: got "1"');
  const large = "9007199254740993"; // which becomes another number
  assertEquals(error("-j", large), `Cannot read --workers as it must be an integer: got "${large}"`);
  assertEquals(error("-x3"), "Cannot read -x3 as there is no such flag (--help lists all)");
  assertEquals(error("-qx"), "Cannot read -x as there is no such flag (--help lists all)");
  assertEquals(error("-0.5"), "Cannot read -0.5 as there is no such flag (--help lists all)");
  assertEquals(error("20"), 'Cannot read the command line as "20" is not a flag');
  assertEquals(error("--", "-b20"), "Cannot read -- as there is no such flag (--help lists all)");
});

Deno.test("helpText() groups flags and shows defaults, choices and the example", () => {
  const text = helpText(PROGRAM);
  assertStringIncludes(text, "Training:\n  -l, --lr <number>");
  assertStringIncludes(text, "passes (default 10)");
  assertStringIncludes(text, "--kernel <rbf|cosine|linear>");
  assertStringIncludes(text, "Example: deno run -A x.ts --lr 1");
});
