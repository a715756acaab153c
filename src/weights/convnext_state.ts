import type { ConvNextLayout } from "../nn/mod.ts";
import { completeHead, type NamedWeight, type Names, prefixOf, renamed } from "./foreign_names.ts";
import type { StateDict } from "./model_state.ts";

/** Family whose names a ConvNeXt's state dict has; `facebook` are the authors' own. */
export type ConvNextOrigin = "timm" | "torchvision" | "facebook" | "huggingface";

/** A ConvNeXt's weights under timm's names, and what they say of its shape. */
export interface ConvNextState {
  /** Family of the names. */
  readonly origin: ConvNextOrigin;
  /** Weights under timm's names, in PyTorch's layout. */
  readonly state: StateDict;
  /** Layout that the shapes tell. */
  readonly layout: ConvNextLayout;
  /** Outputs of `head.fc`. */
  readonly numClasses: number;
  /** Presence of a last linear layer; if there is none, one that changes nothing stands for it. */
  readonly hasHead: boolean;
}

const BLOCKS = [
  [/\.dwconv\./, ".conv_dw."],
  [/\.pwconv1\./, ".mlp.fc1."],
  [/\.pwconv2\./, ".mlp.fc2."],
] as const;

const NAMES: readonly Names<ConvNextOrigin>[] = [
  {
    origin: "timm",
    mark: "stages.0.blocks.0.conv_dw.weight",
    own: /^(stem|stages|head)\./,
    rules: [],
  },
  {
    origin: "torchvision",
    mark: "features.1.0.block.0.weight",
    own: /^(features|classifier)\./,
    rules: [
      [/^features\.0\./, "stem."],
      [/^features\.1\./, "stages.0.blocks."],
      [/^features\.2\./, "stages.1.downsample."],
      [/^features\.3\./, "stages.1.blocks."],
      [/^features\.4\./, "stages.2.downsample."],
      [/^features\.5\./, "stages.2.blocks."],
      [/^features\.6\./, "stages.3.downsample."],
      [/^features\.7\./, "stages.3.blocks."],
      [/\.layer_scale$/, ".gamma"],
      [/\.block\.0\./, ".conv_dw."],
      [/\.block\.2\./, ".norm."],
      [/\.block\.3\./, ".mlp.fc1."],
      [/\.block\.5\./, ".mlp.fc2."],
      [/^classifier\.0\./, "head.norm."],
      [/^classifier\.2\./, "head.fc."],
    ],
  },
  {
    origin: "facebook",
    mark: "downsample_layers.0.0.weight",
    own: /^(downsample_layers|stages|norm|head)\./,
    rules: [
      [/^downsample_layers\.0\./, "stem."],
      [/^downsample_layers\.(\d+)\./, "stages.$1.downsample."],
      [/^stages\.(\d+)\.(?=\d)/, "stages.$1.blocks."],
      [/^norm\./, "head.norm."],
      [/^head\.(?!norm)/, "head.fc."],
      ...BLOCKS,
    ],
  },
  {
    origin: "huggingface",
    mark: "encoder.stages.0.layers.0.dwconv.weight",
    own: /^(embeddings|encoder|layernorm)\./,
    rules: [
      [/^embeddings\.patch_embeddings\./, "stem.0."],
      [/^embeddings\.layernorm\./, "stem.1."],
      [/^encoder\./, ""],
      [/\.downsampling_layer\./, ".downsample."],
      [/\.layers\./, ".blocks."],
      [/\.layernorm\./, ".norm."],
      [/^layernorm\./, "head.norm."],
      [/\.layer_scale_parameter$/, ".gamma"],
      ...BLOCKS,
    ],
  },
];

/**
 * Finds a ConvNeXt among weights, by names and shapes, under whatever prefix. A classifier of Hugging Face's, which lies
 * beside the network, is left out.
 *
 * @returns null if there is none.
 */
export function convnextState(weights: StateDict): ConvNextState | null {
  for (const names of NAMES) {
    const prefix = prefixOf(weights, names.mark);
    if (prefix === null) continue;
    const state = renamed(weights, prefix, names, placed);
    const layout = layoutOf(state);
    if (!layout) continue;
    const hasHead = completeHead(state, "head.fc", layout.dims.at(-1)!, true);
    return { origin: names.origin, state, layout, numClasses: state.get("head.fc.weight")!.shape[0]!, hasHead };
  }
  return null;
}

/** Takes axes of 1 off torchvision's factors, `[c, 1, 1]`, and timm's linear layers that are convolutions of 1 × 1. */
function placed(...[name, shape, data]: NamedWeight): NamedWeight {
  const rank = /\.gamma$/.test(name) ? 1 : /\.mlp\.fc[12]\.weight$/.test(name) ? 2 : shape.length;
  const isPadded = shape.slice(rank).every((size) => size === 1);
  return [name, isPadded ? shape.slice(0, rank) : shape, data];
}

/** The layout that the shapes say; null where they are those of no such network. */
function layoutOf(state: StateDict): ConvNextLayout | null {
  const patch = state.get("stem.0.weight")?.shape ?? [];
  const [depths, dims]: [number[], number[]] = [[], []];
  for (let stage = 0; state.has(`stages.${stage}.blocks.0.conv_dw.weight`); stage++) {
    dims.push(state.get(`stages.${stage}.blocks.0.conv_dw.weight`)!.shape[0]!);
    let blocks = 0;
    while (state.has(`stages.${stage}.blocks.${blocks}.conv_dw.weight`)) blocks++;
    depths.push(blocks);
  }
  if (patch.length !== 4 || dims.length === 0) return null;
  return { depths, dims, patchSize: patch[2]!, layerScale: state.has("stages.0.blocks.0.gamma") ? 1 : null };
}
