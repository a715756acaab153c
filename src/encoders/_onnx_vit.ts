import { attribute } from "../formats/internal.ts";
import type { Conv2d, Vit } from "../nn/mod.ts";
import type { OnnxGraph } from "./_onnx_graph.ts";

/** Adds a vision transformer up to its pooled features `[n, dim]`, for images of the side that its positions are for. */
export function vitFeatures(graph: OnnxGraph, model: Vit, images: string): string {
  const { depth, eps, pool, classToken, registers } = model.layout;
  let x = tokens(graph, model, images);
  for (let i = 0; i < depth; i++) x = block(graph, model, x, `blocks.${i}`);
  if (pool === "token") {
    return graph.layerNorm(graph.op("Gather", [x, graph.integers([0], [])], [attribute("axis", 1)]), "norm", eps);
  }
  const first = (classToken ? 1 : 0) + registers;
  const patches = first > 0 ? rowsFrom(graph, x, first) : x;
  const mean = graph.op("ReduceMean", [patches], [attribute("axes", [1]), attribute("keepdims", 0)]);
  return graph.layerNorm(mean, "fc_norm", eps);
}

/** Slices the second axis, from `first` up to `end`. */
function rowsFrom(graph: OnnxGraph, x: string, first: number, end = 2 ** 31 - 1): string {
  return graph.op("Slice", [x, ...[[first], [end], [1]].map((values) => graph.integers(values))]);
}

/** Class token, registers and patches with their positions. */
function tokens(graph: OnnxGraph, model: Vit, images: string): string {
  const { dim, classToken, classPosition, registers, preNorm, eps } = model.layout;
  const [, proj] = [...model.namedModules()].find(([name]) => name === "patch_embed.proj")!;
  const grid = graph.conv(images, "patch_embed.proj", proj as Conv2d);
  const rows = graph.op("Reshape", [grid, graph.integers([0, dim, -1])]);
  const patches = graph.op("Transpose", [rows], [attribute("perm", [0, 2, 1])]);
  const count = graph.op("Shape", [images], [attribute("start", 0), attribute("end", 1)]);
  const spread = (token: string) => {
    const shape = graph.op("Concat", [count, graph.integers([1, 1])], [attribute("axis", 0)]);
    return graph.op("Expand", [token, shape]);
  };
  const places = graph.weight("pos_embed");
  const parts = [graph.op("Add", [patches, classPosition ? rowsFrom(graph, places, 1) : places])];
  if (registers > 0) parts.unshift(spread(graph.weight("reg_token")));
  if (classToken) {
    const token = graph.weight("cls_token");
    parts.unshift(spread(classPosition ? graph.op("Add", [token, rowsFrom(graph, places, 0, 1)]) : token));
  }
  const all = parts.length > 1 ? graph.op("Concat", parts, [attribute("axis", 1)]) : parts[0]!;
  return preNorm ? graph.layerNorm(all, "norm_pre", eps) : all;
}

function block(graph: OnnxGraph, model: Vit, x: string, name: string): string {
  const { eps } = model.layout;
  const scaled = (y: string, scale: string) =>
    graph.has(`${name}.${scale}.gamma`) ? graph.op("Mul", [y, graph.weight(`${name}.${scale}.gamma`)]) : y;
  const attended = attention(graph, model, graph.layerNorm(x, `${name}.norm1`, eps), `${name}.attn`);
  const y = graph.op("Add", [x, scaled(attended, "ls1")]);
  const inner = graph.linear(graph.layerNorm(y, `${name}.norm2`, eps), `${name}.mlp.fc1`);
  const mlp = graph.linear(graph.gelu(inner, model.layout.activation), `${name}.mlp.fc2`);
  return graph.op("Add", [y, scaled(mlp, "ls2")]);
}

function attention(graph: OnnxGraph, model: Vit, x: string, name: string): string {
  const { dim, heads } = model.layout;
  const d = dim / heads;
  const all = graph.op("Reshape", [graph.linear(x, `${name}.qkv`), graph.integers([0, 0, 3, heads, d])]);
  const apart = graph.op("Transpose", [all], [attribute("perm", [2, 0, 3, 1, 4])]); // [3, n, heads, tokens, d]
  const [q, k, v] = [0, 1, 2].map((i) =>
    graph.op("Gather", [apart, graph.integers([i], [])], [attribute("axis", 0)])
  ) as [
    string,
    string,
    string,
  ];
  const turned = graph.op("Transpose", [k], [attribute("perm", [0, 1, 3, 2])]);
  const scores = graph.op("Mul", [graph.op("MatMul", [q, turned]), graph.scalar(1 / Math.sqrt(d))]);
  const mixed = graph.op("MatMul", [graph.op("Softmax", [scores], [attribute("axis", -1)]), v]);
  const joined = graph.op("Transpose", [mixed], [attribute("perm", [0, 2, 1, 3])]);
  return graph.linear(graph.op("Reshape", [joined, graph.integers([0, 0, dim])]), `${name}.proj`);
}
