import { attribute } from "../formats/internal.ts";
import type { Conv2d, ConvNext } from "../nn/mod.ts";
import type { OnnxGraph } from "./_onnx_graph.ts";

/** Adds a ConvNeXt up to its pooled features `[n, features]`. */
export function convnextFeatures(graph: OnnxGraph, model: ConvNext, images: string): string {
  const { depths, eps } = model.layout;
  const modules = new Map(model.namedModules());
  const conv = (x: string, name: string) => graph.conv(x, name, modules.get(name) as Conv2d);
  const turn = (x: string, perm: number[]) => graph.op("Transpose", [x], [attribute("perm", perm)]);
  const last = (x: string) => turn(x, [0, 2, 3, 1]); // channels to the end, and back
  const first = (x: string) => turn(x, [0, 3, 1, 2]);
  const norm = (x: string, name: string) => first(graph.layerNorm(last(x), name, eps));
  let x = norm(conv(images, "stem.0"), "stem.1");
  depths.forEach((depth, stage) => {
    const name = `stages.${stage}`;
    if (stage > 0) x = conv(norm(x, `${name}.downsample.0`), `${name}.downsample.1`);
    for (let i = 0; i < depth; i++) {
      const block = `${name}.blocks.${i}`;
      const inner = graph.layerNorm(last(conv(x, `${block}.conv_dw`)), `${block}.norm`, eps);
      const y = graph.linear(graph.gelu(graph.linear(inner, `${block}.mlp.fc1`), "none"), `${block}.mlp.fc2`);
      const gamma = `${block}.gamma`;
      x = graph.op("Add", [x, first(graph.has(gamma) ? graph.op("Mul", [y, graph.weight(gamma)]) : y)]);
    }
  });
  return graph.layerNorm(graph.op("Flatten", [graph.op("GlobalAveragePool", [x])]), "head.norm", eps);
}
