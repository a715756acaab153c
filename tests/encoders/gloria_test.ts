import { assert, assertEquals, assertRejects } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { Device } from "../../mod.ts";
import type { RgbImage } from "../../src/data/mod.ts";
import { applySpec, toGray } from "../../src/data/images/resize.ts";
import { type NdArray, ndarray, writeTorch } from "../../src/formats/mod.ts";
import { resnet18 } from "../../src/nn/mod.ts";
import { assertClose } from "../../src/testing/mod.ts";
import { type GloriaEncoder, loadGloria } from "../../src/encoders/mod.ts";
import { toTorchLayout } from "../../src/weights/model_state.ts";
import { formula, integers, parameter } from "../fixtures/formula.ts";
import { folderOfTests } from "../data/_helpers.ts";
import { floatsOf, readFixture } from "../fixtures/read.ts";

await Device.open();
const golden = readFixture("encoders");
const folder = await folderOfTests();
const PREFIX = "gloria.img_encoder.model.";

/** The weights of `make_encoders.py` in a checkpoint with GLoRIA's names. */
async function checkpoint(change: (weights: Map<string, NdArray>) => void = () => {}): Promise<string> {
  const network = resnet18({ numClasses: 1 });
  const weights = new Map<string, NdArray>();
  for (const [name, { shape }] of network.stateDict()) {
    if (name.startsWith("fc.")) continue;
    const stream = `gloria/${name}`;
    const values = name.endsWith("running_mean")
      ? formula(stream, shape, { scale: 0.1 })
      : name.endsWith("running_var")
      ? formula(stream, shape, { scale: 0.2, offset: 1 })
      : parameter(stream, shape);
    weights.set(PREFIX + name, toTorchLayout(ndarray([...shape], "f32", values)));
  }
  network.dispose();
  weights.set(`${PREFIX}bn1.num_batches_tracked`, ndarray([], "i64", BigInt64Array.of(7n)));
  weights.set("gloria.img_encoder.global_embedder.bias", ndarray([2], "f32", new Float32Array(2)));
  change(weights);
  const path = `${await Deno.makeTempDir({ dir: folder })}/chexpert_resnet18.ckpt`;
  await Deno.writeFile(path, await writeTorch({ epoch: 12, state_dict: weights }));
  return path;
}

function xray(): RgbImage {
  const gray = integers("encoders/xray", [300, 420], 256);
  return {
    data: Uint8Array.from({ length: 3 * gray.length }, (_, i) => gray[Math.floor(i / 3)]!),
    height: 300,
    width: 420,
  };
}

/** Prepares an image as a Worker and then the encoder do. */
function prepared(encoder: GloriaEncoder, image: RgbImage) {
  return encoder.prepare(applySpec(encoder.decode.grayscale ? toGray(image) : image, encoder.decode));
}

for (const preprocessing of ["original", "gloria"] as const) {
  Deno.test(`loadGloria() gives PyTorch's features, preprocessing ${preprocessing}`, async () => {
    const path = await checkpoint();
    using encoder = await loadGloria(path, { preprocessing });
    const { data, dim } = await encoder.encode([prepared(encoder, xray())]);
    assertEquals(dim, 512);
    assertClose(data, floatsOf(golden, `gloria.${preprocessing}`), { rtol: 1e-4 });
    assert(encoder.id.startsWith(`gloria ${preprocessing}, `));
    await Deno.remove(path);
  });
}

Deno.test("GLoRIA's features of an image do not depend on the other images of a batch", async () => {
  using encoder = await loadGloria(await checkpoint());
  const image = prepared(encoder, xray());
  const { data, dim } = await encoder.encode([image, image.map((v) => -2 * v), image]);
  assertClose(data.subarray(0, dim), floatsOf(golden, "gloria.original"), { rtol: 1e-4 });
  assertClose(data.subarray(2 * dim), floatsOf(golden, "gloria.original"), { rtol: 1e-4 });
});

Deno.test("loadGloria() refuses what is not GLoRIA's ResNet-18", async () => {
  const without = await checkpoint((weights) => weights.delete(`${PREFIX}layer4.1.bn2.weight`));
  await assertRejects(
    () => loadGloria(without),
    TypeError,
    `Cannot load GLoRIA from "${without}": Cannot load the state as it is of another architecture: missing layer4.1.bn2.weight`,
  );
  const other = await checkpoint((weights) => {
    for (const name of [...weights.keys()]) if (name.startsWith(PREFIX)) weights.delete(name);
  });
  await assertRejects(
    () => loadGloria(other),
    TypeError,
    `Cannot load GLoRIA from "${other}" as its state_dict must have names "gloria.img_encoder.model.…": it has none`,
  );
  await assertRejects(
    () => loadGloria(other, { preprocessing: "own" as "gloria" }),
    RangeError,
    'Cannot load GLoRIA as preprocessing must be "original" or "gloria": got "own"',
  );
  await Deno.writeTextFile(other, "no checkpoint");
  await assertRejects(() => loadGloria(other), SyntaxError, "must be a zip or a pickle");
});

Deno.test("loadGloria() reads past OmegaConf's and Lightning's classes of a file that PyTorch wrote", async () => {
  // The fixture has GLoRIA's names but four weights of a toy: it is refused for them, not for its classes.
  const path = fromFileUrl(new URL("../formats/fixtures/gloria.ckpt", import.meta.url));
  await assertRejects(() => loadGloria(path), TypeError, "different conv1.weight [7,7,3,64] but got [2,2,3,2]");
});
