import { join } from "@std/path";
import { formula } from "../fixtures/formula.ts";
import { attribute, constant, node, onnxModel } from "../../src/formats/internal.ts";

/** A graph with BigBiGAN's names and input, and 4 features. */
export async function writeGraph(folder: string): Promise<string> {
  const parts = [
    node("ReduceMean", ["x"], "mean", [attribute("axes", [1, 2]), attribute("keepdims", 0)]),
    node("MatMul", ["mean", "weight"], "bn_crelu_feat"),
    constant("weight", [3, 4], formula("small graph", [3, 4])),
  ];
  const signature = {
    input: ["x", ["n", 256, 256, 3]] as const,
    outputs: [["mean", ["n", 3]], ["bn_crelu_feat", ["n", 4]]] as const,
  };
  const path = join(folder, "bigbigan.onnx");
  await Deno.writeFile(path, onnxModel(parts, signature));
  return path;
}
