import { assert } from "@std/assert";
import type { Bytes } from "../../src/formats/mod.ts";
import { draws, mutate } from "./_mutate.ts";
import type { Reader } from "./_readers.ts";
import { checkError } from "./_verdict.ts";

/** Mutants of a reader with a share of 1: a few seconds' worth; `deno task mutate` makes more. */
const MUTANTS = Number(Deno.env.get("MUTANTS") ?? 1000);
const SEED = Number(Deno.env.get("SEED") ?? 1);
const MOST_SECONDS = 20; // for one mutant, on a machine that is busy with other tests

/**
 * Reads mutants of a reader's files: each must be read, or refused in a sentence, soon and with little memory.
 *
 * @param check What an error must be.
 */
export async function readMutants(reader: Reader, check: (error: unknown) => void = checkError): Promise<void> {
  const originals = await reader.originals();
  const memory = Deno.memoryUsage().rss;
  let refused = 0;
  const count = Math.max(20, Math.round(MUTANTS * (reader.share ?? 1)));
  for (let i = 0; i < count; i++) {
    const bytes = await (reader.damage ?? mutate)(originals, draws(SEED * 1_000_003 + i));
    refused += await readOne(reader, bytes, `mutant ${i} of seed ${SEED}`, check);
  }
  assert(Deno.memoryUsage().rss - memory < 2 ** 31, `${reader.name} took ${Deno.memoryUsage().rss} bytes`);
  assert(refused > 0, `${reader.name} reads anything`);
}

async function readOne(
  { name, read }: Reader,
  bytes: Bytes,
  which: string,
  check: (error: unknown) => void,
): Promise<number> {
  const start = performance.now();
  try {
    await read(bytes);
    return 0;
  } catch (error) {
    try {
      check(error);
    } catch (fault) {
      const path = await Deno.makeTempFile({ prefix: "mutant-" });
      await Deno.writeFile(path, bytes);
      throw new Error(`${name}, ${which}, kept as ${path}: ${fault instanceof Error ? fault.message : fault}`);
    }
    return 1;
  } finally {
    const seconds = (performance.now() - start) / 1000;
    assert(seconds < MOST_SECONDS, `${name}, ${which}: took ${seconds} s`);
  }
}
