// The programs under mpirun: ranks share the work, and the files are those of one process.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { writeDemo } from "../../src/data/mod.ts";
import { readCheckpoint } from "../../src/checkpoints/mod.ts";
import { withFolder } from "../data/_helpers.ts";
import {
  type Launcher,
  launchers,
  processesOf,
  runAlone,
  runRanks,
  spawnRanks,
  without,
} from "../distributed/_ranks.ts";
import { eventsOf, smallRun, writeSmallCifar } from "./_run.ts";
import { writeGraph } from "./_graph.ts";

const program = (name: string) => new URL(`../../examples/${name}.ts`, import.meta.url);

async function run(launcher: Launcher, ranks: number, name: string, args: string[], env = {}): Promise<string> {
  const { code, output } = await runRanks(launcher, ranks, program(name), args, env);
  assertEquals(code, 0, output);
  return output;
}

async function alone(name: string, args: string[], env = {}): Promise<void> {
  const { code, output } = await runAlone(program(name), args, env);
  assertEquals(code, 0, output);
}

/** The bytes of a file; of a report, without the time at which it was made. */
async function contentOf(path: string): Promise<string | Uint8Array> {
  if (!path.endsWith(".json")) return await Deno.readFile(path);
  return (await Deno.readTextFile(path)).replace(/"date": "[^"]*"/, "");
}

async function assertSameFiles(one: string, many: string, names: readonly string[]): Promise<void> {
  for (const name of names) assertEquals(await contentOf(`${many}/${name}`), await contentOf(`${one}/${name}`), name);
}

function eventsIn(output: string): Record<string, unknown>[] {
  return output.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
}

Deno.test({
  name: `the programs are tested with the launchers of this machine${without}`,
  ignore: launchers.length === 0,
  fn: () => assert(launchers.length > 0),
});

for (const [i, launcher] of launchers.entries()) {
  const ranks = 2 + i; // with three ranks, one has nothing to encode
  const method = ["augmented", "logistic"][i % 2]!;
  Deno.test(`linear_eval (${method}) gives ${ranks} ranks of ${launcher.library} the files of one process`, async () => {
    await withFolder(async (folder) => {
      await writeDemo("imagenet100", `${folder}/data`, { train: 60, test: 21 });
      const data = ["--db", "imagenet100", "--root", `${folder}/data`, "--resolution", "16", "--json", "--no-maps"];
      const args = [...data, "--random", "--network", "tiny", "-b", "32", "--epochs", "2", "--method", method];
      const [one, many] = [`${folder}/one`, `${folder}/many`];
      const env = { FORM: "conv2d:direct" }; // which form is taken depends on the batch, and ranks have parts of it
      await alone("linear_eval", [...args, "--save_dir", one], env);
      const output = await run(launcher, ranks, "linear_eval", [...args, "--save_dir", many, "--distributed"], env);
      assertEquals(eventsIn(output).filter(({ type }) => type === "result").length, 1, "only rank 0 tells");
      const features = [...Deno.readDirSync(`${one}/features`)].map(({ name }) => `features/${name}`);
      await assertSameFiles(one, many, ["classifier.safetensors", "linear_eval.json", ...features]);
    });
  });

  Deno.test(`make_features gives ${ranks} ranks of ${launcher.library} the file of one process`, async () => {
    await withFolder(async (folder) => {
      await writeDemo("custom", `${folder}/data`, { train: 36, test: 18 });
      const graph = await writeGraph(folder);
      const common = ["--db", "custom", "--root", `${folder}/data`, "--encoder", graph, "--output", "bn_crelu_feat"];
      const args = [...common, "--batch_size", "5", "--workers", "1", "--out"];
      await alone("make_features", [...args, `${folder}/one.npz`]);
      const output = await run(launcher, ranks, "make_features", [...args, `${folder}/many.npz`]);
      assertEquals(output.match(/Wrote/g)?.length, 1, output);
      assertEquals<Uint8Array>(await Deno.readFile(`${folder}/many.npz`), await Deno.readFile(`${folder}/one.npz`));
    });
  });

  Deno.test(`a rank of ${launcher.library} that is killed ends the job, and the same command goes on`, async () => {
    await withFolder(async (folder) => {
      await writeSmallCifar(`${folder}/data`, 40, 10);
      const argsOf = (name: string) => [
        ...smallRun(`${folder}/data`, `${folder}/${name}`),
        ...["--epochs", "6", "--momentum", "0.9", "--save_minutes", "0", "--eval_every", "3", "--json"],
      ];
      const whole = eventsIn(await run(launcher, 2, "cifar10", argsOf("whole")));
      assertEquals(whole.filter(({ type }) => type === "evaluated").length, 2, "only rank 0 tells");
      assert(whole.filter(({ type }) => type === "step").every(({ sent_bytes }) => Number(sent_bytes) > 0));

      const process = spawnRanks(launcher, 2, program("cifar10"), argsOf("parts"));
      const errors = new Response(process.stderr).text();
      let [steps, killed] = [0, 0];
      for await (const { type } of eventsOf(process)) {
        if (type !== "step" || ++steps !== 7) continue;
        Deno.kill((await processesOf(process)).get(1)!, "SIGKILL");
        killed = performance.now();
      }
      const { code } = await process.status;
      assert(code !== 0, await errors);
      const seconds = (performance.now() - killed) / 1000;
      assert(seconds < 20, `the job went on for ${seconds} s`);
      const { position } = await readCheckpoint(`${folder}/parts/last.safetensors`);
      assert(position !== null && position.epoch <= 2, "the last checkpoint is whole");

      const rest = await run(launcher, 2, "cifar10", argsOf("parts"));
      assertStringIncludes(rest, '"complete":true');
      await errors;
      await assertSameFiles(`${folder}/whole`, `${folder}/parts`, ["last.safetensors", "encoder.safetensors"]);
    });
  });
}
