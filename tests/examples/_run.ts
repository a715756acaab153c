import { fromFileUrl, join } from "@std/path";
import { key } from "../../mod.ts";
import { philox } from "../../src/tensor/internal.ts";
import { concat, writeFiles } from "../data/_helpers.ts";

const EXAMPLES = fromFileUrl(new URL("../../examples", import.meta.url));

/** Outcome of a program. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts an example as a person would. */
export function spawnExample(
  name: string,
  args: readonly string[],
  permissions: readonly string[] = [],
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", ...permissions, join(EXAMPLES, `${name}.ts`), ...args],
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs an example to its end. */
export async function runExample(
  name: string,
  args: readonly string[],
  permissions: readonly string[] = [],
): Promise<Outcome> {
  const { code, stdout, stderr } = await spawnExample(name, args, permissions).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

/** Events of a run with `--json`, as they come; launchers print other lines between them. */
export async function* eventsOf(process: Deno.ChildProcess): AsyncGenerator<Record<string, unknown>> {
  let rest = "";
  for await (const chunk of process.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    for (const line of lines) if (line.startsWith("{")) yield JSON.parse(line);
  }
}

/** A training and a test set of random pixels in CIFAR-10's binary layout. */
export async function writeSmallCifar(root: string, train: number, test: number): Promise<void> {
  const record = (i: number) => {
    const bytes = new Uint8Array(3073);
    const words = new Uint32Array(bytes.buffer, 0, 768);
    for (let j = 0; j < 768; j += 4) words.set(philox([i, j, 0, 9], key(1)), j);
    bytes[0] = i % 3;
    return bytes;
  };
  const part = (from: number, to: number) => concat(Array.from({ length: to - from }, (_, i) => record(from + i)));
  const folder = "cifar-10-batches-bin";
  const files: Record<string, string | Uint8Array> = { [`${folder}/batches.meta.txt`]: "a\nb\nc\n" };
  for (let batch = 0; batch < 5; batch++) {
    files[`${folder}/data_batch_${batch + 1}.bin`] = part(batch * train / 5, (batch + 1) * train / 5);
  }
  files[`${folder}/test_batch.bin`] = part(train, train + test);
  await writeFiles(root, files);
}

/** Arguments of a run that takes seconds. */
export function smallRun(root: string, saveDir: string): string[] {
  const values = { root, save_dir: saveDir, network: "tiny", batch_size: 8, print_freq: 1, seed: 7 };
  return Object.entries(values).flatMap(([name, value]) => [`--${name}`, `${value}`]);
}
