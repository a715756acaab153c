import { assert, assertEquals } from "@std/assert";
import { parseFlags, UsageError } from "../../src/cli/mod.ts";
import { settingFlags } from "../../src/cli/setting_flags.ts";
import type { Bytes } from "../../src/formats/mod.ts";
import { RunFolder } from "../../src/jobs/mod.ts";
import { PartialRows } from "../../src/jobs/features/partial_rows.ts";
import { secondsOf } from "../../src/jobs/pretrain/metrics_line.ts";
import { formatAnswers, parseAnswers } from "../../src/tune/store.ts";
import { withFolder } from "../data/_helpers.ts";
import { readMutants } from "./_run.ts";

const bytesOf = (text: string): Bytes => new TextEncoder().encode(text);
const textOf = (bytes: Bytes) => new TextDecoder().decode(bytes);
const of = (...texts: string[]) => () => Promise.resolve(texts.map(bytesOf));

/** What a reader gives that refuses nothing: the mutants that change what was read count as refused. */
const CHANGED = new SyntaxError("Cannot use a file that is changed");

Deno.test("metrics.jsonl is read, and what is no record of the past left out, whatever is damaged", async () => {
  const lines = Array.from(
    { length: 6 },
    (_, i) => `${JSON.stringify({ epoch: i + 1, step: 2, steps: 4, loss: -0.5, seconds: i + 0.25 })}\n`,
  );
  await withFolder(async (folder) => {
    using run = await RunFolder.open(folder);
    const read = async (bytes: Bytes) => {
      await Deno.writeFile(run.file("metrics.jsonl"), bytes);
      const kept = await run.rewindMetrics({ epoch: 4, step: 2 });
      for (const { epoch, step } of kept) {
        assert(Number.isInteger(epoch) && Number.isInteger(step) && Number(epoch) <= 5);
      }
      assert(Number.isFinite(secondsOf(kept)));
      assertEquals(await run.rewindMetrics({ epoch: 4, step: 2 }), kept); // it reads what it wrote
      if (kept.length !== 5) throw CHANGED;
    };
    await readMutants({ name: "metrics.jsonl", originals: of(lines.join("")), read, share: 0.1 });
  });
});

Deno.test("parseAnswers() reads or refuses what a damaged store holds", async () => {
  const key = "llvmpipe; 8";
  const text = formatAnswers(key, new Map([["matmul 8 8 8", "tile64"], ["conv 3", "rows"]]));
  const read = (bytes: Bytes) => {
    try {
      const answers = parseAnswers(key, textOf(bytes));
      for (const answer of answers.values()) assertEquals(typeof answer, "string");
    } catch (error) {
      assert(error instanceof SyntaxError && error.message.length < 1000, `${error}`); // a note quotes it
      throw CHANGED;
    }
  };
  await readMutants({ name: "parseAnswers()", originals: of(text), read, share: 0.3 });
});

Deno.test("PartialRows goes on with whole rows, or refuses a damaged file", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/rows`;
    const images = { encoder: "e", images: "i", length: 3 };
    {
      using rows = await PartialRows.open(path, images);
      await rows.add(Float32Array.of(1, 2, 3, 4), 2);
    }
    const original = await Deno.readFile(path);
    const read = async (bytes: Bytes) => {
      await Deno.writeFile(path, bytes);
      using rows = await PartialRows.open(path, images);
      let size = 0;
      for await (const chunk of rows.chunks()) size += chunk.length;
      assertEquals(size, 4 * rows.count * rows.dim);
      assert(rows.count <= 2); // a row that is damaged is not kept
    };
    const head = (bytes: Bytes) => bytes.slice(0, original.length);
    await readMutants({ name: "PartialRows", originals: () => Promise.resolve([head(original)]), read, share: 0.2 });
  });
});

Deno.test("parseFlags() reads or refuses damaged command lines in a sentence", async () => {
  const flags = settingFlags({ epochs: 3 });
  const program = { usage: "x", about: "x", example: "x", flags };
  const lines = [
    "--lr\n0.5\n-b20\n--network\nresnet18\n--save_minutes=3\n--no-augment",
    "--batch-size\n8\n--momentum=-0.9\n--seed\n3\n--sigma\nmedian\n-j\n2",
  ];
  const read = (bytes: Bytes) => {
    const args = textOf(bytes).split("\n").filter((arg) => !/^-+h/.test(arg));
    const values = parseFlags(args, program) as Record<string, unknown>;
    for (const [name, flag] of Object.entries(flags)) {
      if (values?.[name] === undefined) continue;
      assertEquals(
        typeof values[name],
        { integer: "number", number: "number", string: "string", boolean: "boolean" }[
          flag.type
        ],
      );
    }
  };
  const check = (error: unknown) => {
    assert(error instanceof UsageError && error.message.startsWith("Cannot read "), `${error}`);
    assert(error.message.length < 2000, error.message);
  };
  await readMutants({ name: "parseFlags()", originals: of(...lines), read }, check);
});
