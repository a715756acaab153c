/**
 * Times a training step of a ViT-S/16 (4 images of 224 px, decoupled uniformity, SGD) beside PyTorch on the CPU and
 * jax-js on the same adapter: from the same weights on the same images; the losses of two steps must agree first (the
 * second follows from the gradients of the first), then steps are taken in turns.
 *
 *     deno run -A bench/compare/vit_step.ts [runs] [peers: pytorch,jax-js] [depth: 12]
 *
 * Needs npm for jax-js, and a python3 that imports torch (PYTHON=... names another). On a CPU adapter jax-js takes half a
 * minute to a minute a step, so that no one is timed for longer than {@linkcode MOST_MS}; a smaller depth ends sooner.
 */
import { backward, compile, Device, keep, reshape, scope, tensor } from "../../mod.ts";
import { decoupledUniformity } from "../../src/losses/mod.ts";
import { vit } from "../../src/nn/mod.ts";
import { SGD } from "../../src/optim/mod.ts";
import { numbers } from "./cases.ts";
import { jaxJsVit } from "./jax_js_vit.ts";
import type { Arrays, Trainer } from "./resnet18.ts";

/** Relative tolerances of the losses of the first two steps. */
const AGREE = [1e-4, 1e-3];
/** Milliseconds after which no further step of a library is timed. */
const MOST_MS = 30_000;
const SIZE = [4, 224, 224, 3];
const LR = 0.003;

const [runs = "3", wanted = "pytorch,jax-js", depth = "12"] = Deno.args;
const images = numbers(SIZE.reduce((a, b) => a * b), 5);

await using device = await Device.open();
const { trainer, arrays } = await ours();
const peers = [trainer];
const expected = await firstLosses(trainer);
for (const name of wanted.split(",")) {
  console.error(`checking ${name}`);
  const peer = name === "pytorch" ? await pytorch(arrays) : await jaxJsVit(arrays, { images, size: SIZE, lr: LR });
  const losses = await firstLosses(peer);
  const agree = losses.every((loss, i) => Math.abs(loss - expected[i]!) <= AGREE[i]! * Math.abs(expected[i]!));
  console.log(`losses of ${peer.name}: ${losses}; ours: ${expected}${agree ? "" : ": wrong, not timed"}`);
  if (agree) peers.push(peer);
}

const times = peers.map((): number[] => []);
for (let run = 0; run < Number(runs); run++) {
  for (const [i, peer] of peers.entries()) {
    if (times[i]!.reduce((a, b) => a + b, 0) > MOST_MS) continue;
    const start = performance.now();
    await peer.step();
    times[i]!.push(performance.now() - start);
  }
}
console.log(
  `ViT-S/16 (depth ${depth}) training step, ${SIZE[0]} images of 224 px, ${device.info.description}; medians, in turns`,
);
for (const [i, { name }] of peers.entries()) {
  const ratio = median(times[i]!.map((time, run) => time / times[0]![run]!));
  const row = [name.padEnd(28), `${median(times[i]!).toFixed(0)} ms`.padStart(10), `${ratio.toFixed(2)} of ours`];
  console.log([...row, `${times[i]!.length} steps`].join("   "));
}
Deno.exit(0);

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

async function firstLosses({ step }: Trainer): Promise<number[]> {
  const losses = [];
  for (let i = 0; i < AGREE.length; i++) losses.push(await step());
  return losses;
}

/** This library, and the weights that it starts from. */
async function ours(): Promise<{ trainer: Trainer; arrays: Arrays }> {
  const model = vit("vit_small", { layout: { depth: Number(depth) }, numClasses: 256 });
  const arrays: Record<string, Arrays[string]> = {};
  for (const [name, each] of model.namedParameters()) {
    arrays[name] = { shape: each.shape, data: await each.data() as Float32Array };
  }
  const optimizer = new SGD(model.parameters(), { lr: LR });
  const views = keep(tensor(images, { shape: SIZE }));
  const step = compile(() => {
    const z = model.forward(views);
    const loss = decoupledUniformity(reshape(z, [SIZE[0]! / 2, 2, 256]));
    backward(loss);
    optimizer.step();
    return loss;
  });
  const next = async () => {
    using _ = scope();
    return await step().item();
  };
  return { trainer: { name: "uniformity", step: next }, arrays };
}

/** PyTorch in a process of its own, which takes a step for each line that it is sent. */
async function pytorch(arrays: Arrays): Promise<Trainer> {
  const folder = await Deno.makeTempDir();
  const all = { ...arrays, images: { shape: SIZE, data: images } };
  const shapes = Object.entries(all).map(([name, { shape }]) => [name, shape]);
  await Deno.writeTextFile(`${folder}/shapes.json`, JSON.stringify(shapes));
  const file = await Deno.create(`${folder}/values.bin`);
  for (const { data } of Object.values(all)) {
    await new Blob([Float32Array.from(data)]).stream().pipeTo(file.writable, { preventClose: true });
  }
  file.close();
  const script = new URL("pytorch_vit.py", import.meta.url).pathname;
  const args = [script, folder, String(LR)];
  const child = new Deno.Command(Deno.env.get("PYTHON") ?? "python3", { args, stdin: "piped", stdout: "piped" })
    .spawn();
  const [input, output] = [child.stdin.getWriter(), child.stdout.pipeThrough(new TextDecoderStream()).getReader()];
  const line = async () => {
    let text = "";
    while (!text.endsWith("\n")) {
      const { value, done } = await output.read();
      if (done) throw new Error(`Cannot run ${script}: it ended`);
      text += value;
    }
    return text.trim();
  };
  const name = await line();
  await Deno.remove(folder, { recursive: true });
  const step = async () => {
    await input.write(new TextEncoder().encode("step\n"));
    return Number(await line());
  };
  return { name, step };
}
