import { attribute } from "../formats/internal.ts";
import type { BatchNorm2d, Conv2d, ResNet } from "../nn/mod.ts";
import type { OnnxGraph } from "./_onnx_graph.ts";

/** Adds a ResNet up to its pooled features `[n, features]`. */
export function resnetFeatures(graph: OnnxGraph, model: ResNet, images: string): string {
  const modules = new Map(model.namedModules());
  const conv = (x: string, name: string) => graph.conv(x, name, modules.get(name) as Conv2d);
  const norm = (x: string, name: string) => graph.batchNorm(x, name, (modules.get(name) as BatchNorm2d).eps);
  const relu = (x: string) => graph.op("Relu", [x]);
  let x = relu(norm(conv(images, "conv1"), "bn1"));
  if (model.hasPool) {
    const window = [attribute("kernel_shape", [3, 3]), attribute("strides", [2, 2]), attribute("pads", [1, 1, 1, 1])];
    x = graph.op("MaxPool", [x], window);
  }
  for (const block of blocksOf([...modules.keys()])) {
    const residual = modules.has(`${block}.downsample`)
      ? norm(conv(x, `${block}.downsample.0`), `${block}.downsample.1`)
      : x;
    const count = modules.has(`${block}.conv3`) ? 3 : 2;
    let y = x;
    for (let i = 1; i <= count; i++) {
      y = norm(conv(y, `${block}.conv${i}`), `${block}.bn${i}`);
      if (i < count) y = relu(y);
    }
    x = relu(graph.op("Add", [y, residual]));
  }
  return graph.op("Flatten", [graph.op("GlobalAveragePool", [x])]);
}

/** Names of the blocks, `layer1.0` and so on, in their order. */
function blocksOf(names: readonly string[]): string[] {
  return names.filter((name) => /^layer\d+\.\d+$/.test(name));
}
