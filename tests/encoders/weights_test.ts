import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { Device } from "../../mod.ts";
import { loadWeights } from "../../src/encoders/mod.ts";
import { type NdArray, ndarray, writeTorch } from "../../src/formats/mod.ts";
import { ConvNext, Vit } from "../../src/nn/mod.ts";
import { assertClose, TOLERANCE } from "../../src/testing/mod.ts";
import { readState } from "../../src/weights/mod.ts";
import { floatsOf, readFixture } from "../fixtures/read.ts";
import { writerIn } from "./_files.ts";
import { stateOf, underNamesOf } from "../nn/_convnext_names.ts";
import { folderOfTests } from "../data/_helpers.ts";

await Device.open();
const golden = readFixture("convnexts");
const folder = await folderOfTests();
const safetensors = writerIn(folder);

/** The fixture's images as an encoder gets them after `prepare`. */
function images(): Float32Array<ArrayBuffer>[] {
  const all = floatsOf(golden, "images");
  return [0, 1, 2].map((i) => all.slice(i * 18 * 18 * 3, (i + 1) * 18 * 18 * 3));
}

Deno.test("loadWeights() recognises a ConvNeXt of every family in safetensors and .pth, and gives PyTorch's features", async () => {
  const own = stateOf("timm");
  for (const format of ["timm", "torchvision", "facebook", "huggingface"] as const) {
    const state = underNamesOf(format, own);
    using encoder = await loadWeights(await safetensors(format, state), { size: 18 });
    assertEquals(encoder.origin, format);
    const { data, dim } = await encoder.encode(images());
    assertEquals(dim, 12);
    assertClose(data, floatsOf(golden, "timm/out"), { rtol: TOLERANCE.sum });
  }
  const path = join(folder, "convnext.pth"); // as a training program saves it
  const state = new Map([...stateOf("torchvision")].map(([name, value]) => [`module.${name}`, value]));
  await Deno.writeFile(path, await writeTorch({ epoch: 3, state_dict: state as unknown as Map<string, NdArray> }));
  using encoder = await loadWeights(path, { size: 18 });
  assertClose((await encoder.encode(images())).data, floatsOf(golden, "torchvision/out"), { rtol: TOLERANCE.sum });
});

Deno.test("loadWeights() prepares images as the family's own programs do, and loads a vision transformer too", async () => {
  const decodeOf = async (state: Map<string, NdArray>, options = {}) => {
    using encoder = await loadWeights(await safetensors("prepared", state), options);
    return encoder.decode;
  };
  const decode = (shortSide: number, interpolation: "bilinear" | "bicubic", centerCrop = 224) => {
    return { resize: { shortSide }, interpolation, centerCrop };
  };
  assertEquals(await decodeOf(stateOf("timm")), decode(256, "bicubic"));
  assertEquals(await decodeOf(stateOf("timm"), { size: 32, shortSide: 40 }), decode(40, "bicubic", 32));
  assertEquals(await decodeOf(stateOf("torchvision")), decode(236, "bilinear"));
  for (const [depth, width, shortSide] of [[10, 8, 230], [1, 100, 232]] as const) {
    const model = new ConvNext({ depths: [1, 1, depth], dims: [width, 4, 4] }, { numClasses: 2 });
    const theirs = underNamesOf("torchvision", await readState(model));
    assertEquals((await decodeOf(theirs)).resize, { shortSide });
    model.dispose();
  }
  const vit = new Vit({ dim: 8, depth: 1, heads: 1, patchSize: 4, imageSize: 8 }, { numClasses: 4 });
  using encoder = await loadWeights(await safetensors("vit", await readState(vit)), { heads: 1 });
  assertEquals([encoder.origin, encoder.network.pooledFeatures], ["timm", 8]);
});

Deno.test("loadWeights() throws on what it cannot use", async () => {
  const other = await safetensors("other", new Map([["conv1.weight", ndarray([1], "f32", new Float32Array(1))]]));
  await assertRejects(() => loadWeights(other), TypeError, "the weights of a vision transformer or ConvNeXt under the");
  const lacking = stateOf("timm");
  lacking.delete("stages.1.blocks.1.norm.weight");
  const path = await safetensors("lacking", lacking);
  await assertRejects(() => loadWeights(path), TypeError, "as a ConvNeXt: Cannot load the state");
  const whole = await safetensors("whole", stateOf("timm"));
  for (
    const [options, got] of [[{ size: 7 }, "got 7 and 8"], [{ size: 32, shortSide: 31 }, "got 32 and 31"]] as const
  ) {
    await assertRejects(
      () => loadWeights(whole, options),
      RangeError,
      `size must be an integer of at least 8, and shortSide one of at least size: ${got}`,
    );
  }
});
