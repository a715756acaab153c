// Features a second of CLIP's ViT-B/32 beside ONNX Runtime on the same cores, in turns, so that the ratio holds on a busy
// machine. Weights are random ones, exported by writeOnnx(): deno run -A bench/compare/clip_features.ts [images] [rounds]
import { Device, keep, key, noGrad, normal, permute, scope } from "../../mod.ts";
import { writeOnnx } from "../../src/encoders/mod.ts";
import { loadRuntime } from "../../src/encoders/onnx_session.ts";
import { Vit, type VitLayout } from "../../src/nn/mod.ts";
import { assertClose } from "../../src/testing/mod.ts";

const [count = 4, rounds = 7] = Deno.args.map(Number);
/** CLIP's image encoder: Radford et al. 2021, table 20. */
const LAYOUT: VitLayout = {
  ...{ dim: 768, depth: 12, patchSize: 32, imageSize: 224 },
  ...{ preNorm: true, bias: false, activation: "sigmoid", eps: 1e-5 },
};

await using device = await Device.open();
const encoder = new Vit(LAYOUT, { numClasses: 512 });
encoder.eval();
const images = keep(normal([count, 224, 224, 3], { key: key(1) }));
const channelsFirst = await permute(images, [0, 3, 1, 2]).data() as Float32Array;

const runtime = await loadRuntime();
const path = await Deno.makeTempFile({ suffix: ".onnx" });
await Deno.writeFile(path, await writeOnnx(encoder));
const session = await runtime.InferenceSession.create(path);
await Deno.remove(path);

/** Features by this library, read back. */
async function ours(): Promise<Float32Array> {
  using _ = scope();
  return await noGrad(() => encoder.forward(images)).data() as Float32Array;
}

/** Features by ONNX Runtime. */
async function theirs(): Promise<Float32Array> {
  const input = new runtime.Tensor("float32", channelsFirst, [count, 3, 224, 224]);
  const { outputs } = await session.run({ images: input }, ["outputs"]);
  return outputs!.data as Float32Array;
}

// Right first.
assertClose(await ours(), await theirs(), { rtol: 1e-4, atol: 1e-4 });

const times: [number, number][] = [];
for (let round = 0; round < rounds; round++) {
  const start = performance.now();
  await ours();
  const between = performance.now();
  await theirs();
  times.push([between - start, performance.now() - between]);
}
await session.release();
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const rate = (which: 0 | 1) => 1000 * count / median(times.map((pair) => pair[which]));
console.log(
  `CLIP ViT-B/32, ${count} images of 224 px, ${device.info.description}; medians of ${rounds} rounds in turns`,
);
console.log(`uniformity   ${rate(0).toFixed(2)} features a second`);
console.log(`ONNX Runtime ${rate(1).toFixed(2)} features a second`);
console.log(`ratio        ${median(times.map(([own, other]) => other / own)).toFixed(3)}`);
