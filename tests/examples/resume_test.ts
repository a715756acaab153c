import { assert, assertEquals } from "@std/assert";
import { writeDemo } from "../../src/data/mod.ts";
import { withFolder } from "../data/_helpers.ts";
import { eventsOf, runExample, smallRun, spawnExample, writeSmallCifar } from "./_run.ts";

const TRAINING = [
  "--epochs",
  "12",
  "--momentum",
  "0.9",
  "--save_minutes",
  "0",
  "--eval_every",
  "6",
  "--save_freq",
  "6",
  "--json",
];

/** Runs until so many steps were told, lets some more milliseconds pass, and ends the run with a signal. */
async function runAndKill(
  name: string,
  args: readonly string[],
  steps: number,
  signal: Deno.Signal,
): Promise<{ told: number; code: number }> {
  const process = spawnExample(name, args);
  const errors = new Response(process.stderr).text();
  let told = 0;
  for await (const { type } of eventsOf(process)) {
    if (type !== "step" || ++told !== steps) continue;
    await new Promise((resolve) => setTimeout(resolve, 30 * Math.random()));
    try {
      process.kill(signal);
    } catch { /* it had ended */ }
  }
  const { code } = await process.status;
  if (code !== 0 && code < 128) throw new Error(await errors);
  await errors;
  return { told, code };
}

async function lines(file: string): Promise<Record<string, number>[]> {
  return (await Deno.readTextFile(file)).trim().split("\n").map((line) => JSON.parse(line));
}

Deno.test("a run that is killed five times ends with the weights of one that was never stopped, byte for byte", async () => {
  await withFolder(async (folder) => {
    await writeSmallCifar(`${folder}/data`, 40, 10);
    const whole = [...smallRun(`${folder}/data`, `${folder}/whole`), ...TRAINING];
    assertEquals((await runExample("cifar10", whole)).code, 0);
    const parts = [...smallRun(`${folder}/data`, `${folder}/parts`), ...TRAINING];
    let kills = 0;
    const history: string[] = [];
    for (; kills < 5; kills++) {
      const steps = 1 + Math.floor(6 * Math.random());
      const { told, code } = await runAndKill("cifar10", parts, steps, "SIGKILL");
      history.push(`${told}:${code}`);
      assertEquals(code, 137, `killed after steps:status ${history}`);
    }
    assertEquals((await runExample("cifar10", parts)).code, 0);
    for (const name of ["last", "checkpoint_0006", "checkpoint_0012", "encoder"]) {
      const read = (run: string) => Deno.readFile(`${folder}/${run}/${name}.safetensors`);
      assertEquals(
        await read("parts") as Uint8Array,
        await read("whole"),
        `${name}, killed after steps:status ${history}`,
      );
    }
    const values = async (run: string) =>
      (await lines(`${folder}/${run}/metrics.jsonl`)).map((
        { epoch, step, loss, centroid_square, lr, knn_top1 },
      ) => [epoch, step, loss, centroid_square, lr, knn_top1]);
    assertEquals(await values("parts"), await values("whole"));
  });
});

Deno.test("a run that decodes files and has a prior ends the same after being killed, byte for byte", async () => {
  await withFolder(async (folder) => {
    await writeDemo("cub200", `${folder}/data`, { train: 36, test: 18 });
    const training = [
      "--resolution",
      "16",
      "--epochs",
      "6",
      "--optimizer",
      "lars",
      "--sigma",
      "1",
      "--eval_every",
      "0",
    ];
    const args = (
      run: string,
    ) => [...smallRun(`${folder}/data`, `${folder}/${run}`), ...training, "--save_minutes", "0", "--json"];
    assertEquals((await runExample("cub200", args("whole"))).code, 0);
    for (let kills = 0; kills < 3; kills++) {
      const { code } = await runAndKill("cub200", args("parts"), 2 + Math.floor(3 * Math.random()), "SIGKILL");
      assertEquals(code, 137);
    }
    assertEquals((await runExample("cub200", args("parts"))).code, 0);
    const read = (run: string) => Deno.readFile(`${folder}/${run}/last.safetensors`);
    assertEquals(await read("parts") as Uint8Array, await read("whole"));
  });
});

Deno.test("Ctrl-C saves after the step under way and says so; the same command goes on", async () => {
  await withFolder(async (folder) => {
    await writeSmallCifar(`${folder}/data`, 40, 10);
    const training = ["--epochs", "6", "--eval_every", "0", "--json"]; // saves every ten minutes only
    const whole = [...smallRun(`${folder}/data`, `${folder}/whole`), ...training];
    assertEquals((await runExample("cifar10", whole)).code, 0);
    const parts = [...smallRun(`${folder}/data`, `${folder}/parts`), ...training];
    const { told, code } = await runAndKill("cifar10", parts, 7, "SIGINT");
    assertEquals(code, 130);
    assert(told < 30, `${told} steps were done`);
    const { stdout } = await runExample("cifar10", parts);
    const events = stdout.trim().split("\n").map((line) => JSON.parse(line));
    const { position } = events.find(({ type }) => type === "start");
    assertEquals(5 * position.epoch + position.step, told, "nothing that was told is done again");
    assertEquals(events.at(-1).complete, true);
    const read = (run: string) => Deno.readFile(`${folder}/${run}/last.safetensors`);
    assertEquals(await read("parts") as Uint8Array, await read("whole"));
  });
});

Deno.test("a complete run stays as it is when its command is given again, and refuses other settings", async () => {
  await withFolder(async (folder) => {
    await writeSmallCifar(`${folder}/data`, 20, 10);
    const args = [...smallRun(`${folder}/data`, `${folder}/run`), "--resume", "auto", "--epochs", "1"];
    assertEquals((await runExample("cifar10", args)).code, 0);
    const before = await Deno.readFile(`${folder}/run/last.safetensors`);
    const numbered = await Deno.readFile(`${folder}/run/checkpoint_0001.safetensors`);
    await Deno.remove(`${folder}/run/checkpoint_0001.safetensors`); // as when the run was killed before it was written
    const again = await runExample("cifar10", args);
    assertEquals(again.code, 0);
    assert(
      again.stderr.includes("The run is complete (1 epochs): give another --save_dir for a new one"),
      again.stderr,
    );
    assertEquals(await Deno.readFile(`${folder}/run/last.safetensors`), before);
    assertEquals(await Deno.readFile(`${folder}/run/checkpoint_0001.safetensors`), numbered);
    const other = await runExample("cifar10", [...args, "--lr", "0.1"]);
    assertEquals(other.code, 1);
    assert(
      other.stderr.includes("as its settings were others: --lr 0.3 (now 0.1); give another --save_dir"),
      other.stderr,
    );
    const longer = await runExample("cifar10", [
      ...args.slice(0, -1),
      "2",
      "--resume",
      `${folder}/run/last.safetensors`,
    ]);
    assertEquals(longer.code, 0, longer.stderr);
    assert(longer.stderr.includes("Settings changed: --epochs 1 (now 2)"), longer.stderr);
    await Deno.truncate(`${folder}/run/last.safetensors`, 1000);
    const damaged = await runExample("cifar10", [...args, "--resume", `${folder}/run/last.safetensors`]);
    assertEquals(damaged.code, 0, damaged.stderr);
    assert(damaged.stderr.includes(`going on from "${folder}/run/previous.safetensors"`), damaged.stderr);
  });
});
