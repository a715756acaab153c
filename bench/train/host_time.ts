/**
 * Time that a training step costs the host, made anew and replayed: from the call until it is submitted, while the device waits,
 * and until the call returns. It depends on the number of images only where sums and transforms come in more parts, so that
 * few of them do.
 *
 *     deno run -A bench/train/host_time.ts [runs]
 */
import { compile, Device, scope } from "../../mod.ts";
import { inScope, type NetworkName, NETWORKS, type TrainingStep, trainingStep } from "../_steps.ts";
import { table } from "../_table.ts";

const runs = Number(Deno.args[0] ?? 30);
const device = await Device.open();
const small = device.info.family === "cpu";
const rows = [];
for (const network of Object.keys(NETWORKS) as NetworkName[]) rows.push(await measure(network));
console.log(
  `${device.info.description}, ${runs} runs each, interleaved; milliseconds of the host a step, median (least)`,
);
console.log(table(["network", "dispatches", "eager: submitted", "returned", "replayed: submitted", "returned"], rows));
device.close();

async function measure(network: NetworkName): Promise<string[]> {
  const options = { images: 4, size: small ? 32 : NETWORKS[network].size };
  const make = () => trainingStep(device, network, options);
  const [eager, replayed] = [make(), make()];
  const step = compile(() => replayed.run(), { check: "never" });
  await check(eager, { ...replayed, run: step });
  const times = { eager: [] as Times[], replayed: [] as Times[] };
  const before = device.counters.dispatches;
  for (let i = 0; i < runs; i++) {
    times.eager.push(await hostTime(() => eager.run()));
    times.replayed.push(await hostTime(step));
  }
  const dispatches = (device.counters.dispatches - before) / runs / 2;
  if (step.replays < runs) throw new Error(`Only ${step.replays} steps were replayed`);
  for (const each of [step, eager, replayed]) each.dispose();
  const { eager: slow, replayed: fast } = times;
  const cells = [slow, fast].flatMap((all) => [
    summary(all.map(({ submitted }) => submitted)),
    summary(all.map(({ returned }) => returned)),
  ]);
  return [NETWORKS[network].name, dispatches.toFixed(0), ...cells];
}

/** Right first: the losses of both are the same bits. */
async function check(eager: TrainingStep, replayed: TrainingStep): Promise<void> {
  for (let i = 0; i < 6; i++) {
    using _ = scope();
    const [a, b] = [await eager.run().item(), await replayed.run().item()];
    if (!Object.is(a, b)) throw new Error(`The losses of step ${i} differ: ${a} and ${b}`);
  }
}

/** Milliseconds from the call. */
interface Times {
  readonly submitted: number;
  readonly returned: number;
}

async function hostTime(run: () => unknown): Promise<Times> {
  await device.done();
  let submitted = 0;
  const { submit } = GPUQueue.prototype;
  GPUQueue.prototype.submit = function (commands) {
    submit.call(this, commands);
    submitted = performance.now();
  };
  const start = performance.now();
  inScope(run);
  device.flush();
  const returned = performance.now();
  GPUQueue.prototype.submit = submit;
  return { submitted: submitted - start, returned: returned - start };
}

function summary(times: number[]): string {
  times.sort((a, b) => a - b);
  return `${times[times.length >> 1]!.toFixed(2)} (${times[0]!.toFixed(2)})`;
}
