/**
 * Time from the start of a process to its first training step, in parts: each run is a fresh process. The driver's cache of
 * compiled shaders is as the run before left it; `--cold` gives Mesa an empty one (other drivers keep theirs).
 *
 *     deno run -A bench/first_step.ts [network] [images] [--cold]
 *
 * The same program, started by itself with `--child`, is what is timed.
 */
import { parseArgs } from "@std/cli/parse-args";
import { short, table } from "./_table.ts";

const flags = parseArgs(Deno.args, { boolean: ["cold", "child"], string: ["started"], default: { runs: 3 } });
const [network = "resnet18", images = "16"] = flags._.map(String);
if (flags.child) await child();
else await parent();

/** Starts processes and prints what they tell. */
async function parent(): Promise<void> {
  const rows: (string | number)[][] = [];
  let about = "";
  for (let run = 0; run < Number(flags.runs); run++) {
    const cache = flags.cold ? await Deno.makeTempDir() : undefined;
    const output = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        import.meta.filename!,
        network,
        images,
        "--child",
        `--started=${performance.timeOrigin + performance.now()}`,
      ],
      env: cache ? { MESA_SHADER_CACHE_DIR: cache } : {},
      stderr: "inherit",
    }).output();
    if (cache) await Deno.remove(cache, { recursive: true });
    if (!output.success) Deno.exit(1);
    const { parts, description } = JSON.parse(new TextDecoder().decode(output.stdout));
    about = description;
    for (const [i, [name, value]] of Object.entries(parts).entries()) (rows[i] ??= [name]).push(short(value as number));
  }
  console.log(`${about}; ${network}, ${images} images; milliseconds${flags.cold ? ", empty shader cache" : ""}`);
  console.log(table(["part", ...rows[0]!.slice(1).map((_, i) => `run ${i + 1}`)], rows));
}

/** Takes a training step as a program would, and tells where the time went. */
async function child(): Promise<void> {
  const started = Number(flags.started) - performance.timeOrigin;
  const { Device } = await import("../mod.ts");
  const { inScope, trainingStep } = await import("./_steps.ts");
  await import("../src/train/mod.ts"); // what a program loads too
  const loaded = performance.now();
  const device = await Device.open();
  const opened = performance.now();
  const compiling = stopwatch(GPUDevice.prototype, "createComputePipeline", "createShaderModule");
  const size = network === "resnet50" ? device.info.family === "gpu" ? 224 : 32 : 32;
  const step = trainingStep(device, network as "resnet18", { images: Number(images), size, augmented: true });
  await device.done();
  const made = performance.now();
  inScope(() => step.run());
  const recorded = performance.now();
  await device.done();
  const first = performance.now();
  inScope(() => step.run());
  await device.done();
  const second = performance.now();
  const parts = {
    "start of Deno, modules": loaded - started,
    "device": opened - loaded,
    "network": made - opened,
    "first step on the host": recorded - made,
    "first step on the device": first - recorded,
    "process to first step": first - started,
    "of which shaders and pipelines": compiling.milliseconds,
    "pipelines": device.counters.pipelines,
    "second step": second - first,
  };
  console.log(JSON.stringify({ parts, description: device.info.description }));
  device.close();
}

/** Adds up the time in some methods. */
function stopwatch<T extends object>(prototype: T, ...names: (keyof T)[]): { milliseconds: number } {
  const total = { milliseconds: 0 };
  for (const name of names) {
    const method = prototype[name] as (...args: unknown[]) => unknown;
    const timed = function (this: T, ...args: unknown[]): unknown {
      const start = performance.now();
      const result = method.apply(this, args);
      total.milliseconds += performance.now() - start;
      return result;
    };
    Object.assign(prototype, { [name]: timed });
  }
  return total;
}
