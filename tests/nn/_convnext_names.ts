// State dicts of the fixture's small ConvNeXt under the names of several families.
import { type NdArray, ndarray, toF32 } from "../../src/formats/mod.ts";
import { readFixture } from "../fixtures/read.ts";

/** A state dict of the fixture. */
export function stateOf(format: "timm" | "torchvision"): Map<string, NdArray> {
  const prefix = `${format}/state/`;
  return new Map(
    Object.entries(readFixture("convnexts").tensors).flatMap(([name, array]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), array]] : []
    ),
  );
}

const BLOCKS = [
  [".conv_dw.", ".dwconv."],
  [".mlp.fc1.", ".pwconv1."],
  [".mlp.fc2.", ".pwconv2."],
] as const;

/** What is replaced in timm's names, in order. */
const RENAMED: Readonly<Record<string, readonly (readonly [RegExp | string, string])[]>> = {
  timm: [["", "net."]],
  torchvision: [
    [/^stem\./, "features.0."],
    [/^stages\.0\.blocks\./, "features.1."],
    [/^stages\.1\.downsample\./, "features.2."],
    [/^stages\.1\.blocks\./, "features.3."],
    [/^stages\.2\.downsample\./, "features.4."],
    [/^stages\.2\.blocks\./, "features.5."],
    [".gamma", ".layer_scale"],
    [".conv_dw.", ".block.0."],
    [/^(features\.[135]\..*)\.norm\./, "$1.block.2."],
    [".mlp.fc1.", ".block.3."],
    [".mlp.fc2.", ".block.5."],
    ["head.norm.", "classifier.0."],
    ["head.fc.", "classifier.2."],
  ],
  facebook: [
    ["stages.1.downsample.", "downsample_layers.1."],
    ["stem.", "downsample_layers.0."],
    [".blocks.", "."],
    ["head.norm.", "norm."],
    ["head.fc.", "head."],
    ...BLOCKS,
  ],
  huggingface: [
    ["stem.0.", "convnext.embeddings.patch_embeddings."],
    ["stem.1.", "convnext.embeddings.layernorm."],
    ["stages.", "convnext.encoder.stages."],
    [".downsample.", ".downsampling_layer."],
    [".blocks.", ".layers."],
    ["head.norm.", "convnext.layernorm."],
    ["head.fc.", "classifier."],
    [/\.norm\./, ".layernorm."],
    [".gamma", ".layer_scale_parameter"],
    ...BLOCKS,
  ],
};

/** timm's state dict under another family's names; the factors of torchvision are `[c, 1, 1]`. */
export function underNamesOf(format: string, state: ReadonlyMap<string, NdArray>): Map<string, NdArray> {
  return new Map([...state].map(([name, value]) => {
    const to = RENAMED[format]!.reduce((text, [from, into]) => text.replace(from, into), name);
    const isFactor = format === "torchvision" && name.endsWith(".gamma");
    return [to, isFactor ? ndarray([...value.shape, 1, 1], "f32", toF32(value)) : value];
  }));
}
