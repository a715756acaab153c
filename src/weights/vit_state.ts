import { ndarray, toF32 } from "../formats/mod.ts";
import type { VitLayout } from "../nn/mod.ts";
import { completeHead, type NamedWeight, type Names, prefixOf, renamed } from "./foreign_names.ts";
import type { StateDict } from "./model_state.ts";

/** Family whose names a state dict has. */
export type VitOrigin = "timm" | "dinov2" | "torchvision" | "clip" | "huggingface";

/** A vision transformer's weights under timm's names, and what they say of its shape. */
export interface VitState {
  /** Family of the names. */
  readonly origin: VitOrigin;
  /** Weights under timm's names, in PyTorch's layout. */
  readonly state: StateDict;
  /** Layout that the shapes tell. */
  readonly layout: VitLayout;
  /** Outputs of `head`. */
  readonly numClasses: number;
  /** Presence of a `head` in the weights; if there is none, one that changes nothing stands for it. */
  readonly hasHead: boolean;
}

const NAMES: readonly Names<VitOrigin>[] = [
  {
    origin: "clip",
    mark: "visual.class_embedding",
    own: /^visual\./,
    rules: [
      [/^visual\./, ""],
      [/^class_embedding$/, "cls_token"],
      [/^positional_embedding$/, "pos_embed"],
      [/^conv1\./, "patch_embed.proj."],
      [/^ln_pre\./, "norm_pre."],
      [/^ln_post\./, "norm."],
      [/^proj$/, "head.transposed"],
      [/^transformer\.resblocks\./, "blocks."],
      [/\.ln_([12])\./, ".norm$1."],
      [/\.attn\.in_proj_/, ".attn.qkv."],
      [/\.attn\.out_proj\./, ".attn.proj."],
      [/\.mlp\.c_fc\./, ".mlp.fc1."],
      [/\.mlp\.c_proj\./, ".mlp.fc2."],
    ],
  },
  {
    origin: "clip",
    mark: "vision_model.embeddings.class_embedding",
    own: /^(vision_model\.(?!embeddings\.position_ids)|visual_projection\.)/,
    rules: [
      [/^vision_model\./, ""],
      [/^embeddings\.class_embedding$/, "cls_token"],
      [/^embeddings\.position_embedding\.weight$/, "pos_embed"],
      [/^embeddings\.patch_embedding\./, "patch_embed.proj."],
      [/^pre_layrnorm\./, "norm_pre."],
      [/^post_layernorm\./, "norm."],
      [/^visual_projection\./, "head."],
      [/^encoder\.layers\./, "blocks."],
      [/\.layer_norm([12])\./, ".norm$1."],
      [/\.self_attn\.([qkv])_proj\./, ".attn.$1."],
      [/\.self_attn\.out_proj\./, ".attn.proj."],
    ],
  },
  {
    origin: "torchvision",
    mark: "class_token",
    own: /^(class_token|conv_proj\.|encoder\.|heads\.)/,
    rules: [
      [/^class_token$/, "cls_token"],
      [/^encoder\.pos_embedding$/, "pos_embed"],
      [/^conv_proj\./, "patch_embed.proj."],
      [/^encoder\.ln\./, "norm."],
      [/^heads\.head\./, "head."],
      [/^encoder\.layers\.encoder_layer_/, "blocks."],
      [/\.ln_([12])\./, ".norm$1."],
      [/\.self_attention\.in_proj_/, ".attn.qkv."],
      [/\.self_attention\.out_proj\./, ".attn.proj."],
      [/\.mlp\.(linear_1|0)\./, ".mlp.fc1."],
      [/\.mlp\.(linear_2|3)\./, ".mlp.fc2."],
    ],
  },
  {
    origin: "huggingface",
    mark: "embeddings.cls_token",
    own: /^(embeddings\.(?!mask_token)|encoder\.layer\.|layernorm\.)/,
    rules: [
      [/^embeddings\.cls_token$/, "cls_token"],
      [/^embeddings\.register_tokens$/, "reg_token"],
      [/^embeddings\.position_embeddings$/, "pos_embed"],
      [/^embeddings\.patch_embeddings\.projection\./, "patch_embed.proj."],
      [/^layernorm\./, "norm."],
      [/^encoder\.layer\./, "blocks."],
      [/\.layernorm_before\./, ".norm1."],
      [/\.layernorm_after\./, ".norm2."],
      [/\.attention\.attention\.(q)uery\./, ".attn.$1."],
      [/\.attention\.attention\.(k)ey\./, ".attn.$1."],
      [/\.attention\.attention\.(v)alue\./, ".attn.$1."],
      [/\.attention\.output\.dense\./, ".attn.proj."],
      [/\.intermediate\.dense\./, ".mlp.fc1."],
      [/\.output\.dense\./, ".mlp.fc2."],
      [/\.layer_scale([12])\.lambda1$/, ".ls$1.gamma"],
    ],
  },
  {
    origin: "timm",
    mark: "patch_embed.proj.weight",
    own: /^(cls_token|pos_embed|reg_token|register_tokens|patch_embed\.|norm_pre\.|blocks\.|norm\.|fc_norm\.|head\.)/,
    rules: [[/^register_tokens$/, "reg_token"]],
  },
];

/** Choices of a network's layout beyond what its weights say. */
export interface VitChoices {
  /** Heads; one for every 64 features by default. */
  readonly heads?: number;
  /** Features of the class token, or the mean of the patches; what the names say by default. */
  readonly pool?: "token" | "mean";
}

/**
 * Finds a vision transformer among weights, by names and shapes, under whatever prefix.
 *
 * @returns null if there is none.
 */
export function vitState(weights: StateDict, choices: VitChoices = {}): VitState | null {
  for (const names of NAMES) {
    const prefix = prefixOf(weights, names.mark);
    if (prefix === null) continue;
    const state = renamed(weights, prefix, names, placed);
    joinHeads(state);
    const origin = originOf(names, weights, prefix);
    if (choices.pool === "mean") rename(state, "norm.", "fc_norm.");
    const pool = state.has("fc_norm.weight") ? "mean" : "token";
    const dim = state.get("patch_embed.proj.weight")?.shape[0] ?? 0;
    const hasHead = completeHead(state, "head", dim, state.has("patch_embed.proj.bias"));
    const layout = layoutOf(state, origin, pool, choices);
    const isMeta = origin === "dinov2" && names.origin === "timm"; // Hugging Face's interpolates to the size
    const positionOffset = isMeta && !state.has("reg_token") ? 0.1 : 0;
    return layout &&
      {
        origin,
        state,
        layout: { ...layout, positionOffset },
        numClasses: state.get("head.weight")!.shape[0]!,
        hasHead,
      };
  }
  return null;
}

function originOf({ origin }: Names<VitOrigin>, weights: StateDict, prefix: string): VitOrigin {
  const dino = weights.has(`${prefix}mask_token`) || weights.has(`${prefix}embeddings.mask_token`);
  return dino && [...weights.keys()].some((name) => /\.(ls1\.gamma|layer_scale1\.lambda1)$/.test(name))
    ? "dinov2"
    : origin;
}

/** Tokens and positions with timm's leading axes of 1, and CLIP's projection, which is `[in, out]`, as a linear weight. */
function placed(...[name, shape, data]: NamedWeight): NamedWeight {
  if (name === "head.transposed") {
    const [rows, columns] = shape as [number, number];
    const turned = Float32Array.from(data, (_, i) => data[i % rows * columns + Math.floor(i / rows)]!);
    return ["head.weight", [columns, rows], turned];
  }
  const isToken = name === "cls_token" || name === "pos_embed" || name === "reg_token";
  if (!isToken || shape.length === 3) return [name, shape, data];
  return [name, [1, shape.length === 1 ? 1 : shape[0]!, shape.at(-1)!], data];
}

/** Puts queries, keys and values that have a layer each into one. */
function joinHeads(state: StateDict): void {
  for (const name of [...state.keys()]) {
    const [, front, end] = /^(.*\.attn\.)q(\.(?:weight|bias))$/.exec(name) ?? [];
    if (front === undefined) continue;
    const parts = ["q", "k", "v"].map((part) => state.get(`${front}${part}${end}`));
    if (!parts.every((part) => part !== undefined)) continue; // loading names what is missing
    const data = parts.flatMap((part) => [...toF32(part)]);
    const [rows, ...rest] = parts[0]!.shape;
    state.set(`${front}qkv${end}`, ndarray([3 * rows!, ...rest], "f32", Float32Array.from(data)));
    for (const part of ["q", "k", "v"]) state.delete(`${front}${part}${end}`);
  }
}

function rename(state: StateDict, from: string, to: string): void {
  for (const [name, value] of [...state]) {
    if (!name.startsWith(from)) continue;
    state.delete(name);
    state.set(to + name.slice(from.length), value);
  }
}

/** The layout that the shapes say; null where they are those of no such network. */
function layoutOf(state: StateDict, origin: VitOrigin, pool: "token" | "mean", choices: VitChoices): VitLayout | null {
  const patch = state.get("patch_embed.proj.weight")?.shape ?? [];
  const count = state.get("pos_embed")?.shape[1] ?? 0;
  const mlp = state.get("blocks.0.mlp.fc1.weight")?.shape ?? [];
  const depth = [...state.keys()].filter((name) => /^blocks\.\d+\.norm1\.weight$/.test(name)).length;
  const classPosition = !Number.isInteger(Math.sqrt(count));
  const side = Math.sqrt(classPosition ? count - 1 : count);
  if (patch.length !== 4 || count === 0 || mlp.length !== 2 || !Number.isInteger(side)) return null;
  const [dim, , patchSize] = patch as [number, number, number, number];
  return {
    dim,
    depth,
    heads: choices.heads,
    mlpDim: mlp[0]!,
    patchSize,
    imageSize: side * patchSize,
    pool,
    classToken: state.has("cls_token"),
    classPosition,
    registers: state.get("reg_token")?.shape[1] ?? 0,
    layerScale: state.has("blocks.0.ls1.gamma") ? 1 : null,
    preNorm: state.has("norm_pre.weight"),
    bias: state.has("patch_embed.proj.bias"),
    activation: origin === "clip" ? "sigmoid" : "none",
    eps: origin === "clip" ? 1e-5 : origin === "huggingface" ? 1e-12 : 1e-6,
    antialias: origin !== "dinov2" || state.has("reg_token"),
  };
}
