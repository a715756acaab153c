/**
 * Makes a prior out of an image encoder: the weights of a vision transformer (CLIP's, DINOv2, ViT) or ConvNeXt
 * (safetensors or .pth), which run with WebGPU, or any graph in the ONNX format, which runs on the CPU.
 *
 *     deno run -A examples/make_features.ts --encoder clip_vit_b_32.safetensors --db custom --root photos
 *     deno run -A examples/make_features.ts --encoder classifier.onnx --db custom --root photos --short_side 256
 *
 * Weights bring their family's own preparation of images; of a graph, the defaults of mean and deviation are ImageNet's.
 */
import { Device } from "../mod.ts";
import { parseFlags, runMain } from "../src/cli/mod.ts";
import { loadWeights, openOnnx } from "../src/encoders/mod.ts";
import { featureFlags } from "./_features/flags.ts";
import { channels, refuse, required, runFeatures } from "./_features/run.ts";

await runMain(async (args) => {
  const flags = parseFlags(args, {
    usage: "deno run -A examples/make_features.ts --encoder FILE [options]",
    about: "Encodes images with a vision transformer, a ConvNeXt or an ONNX graph and writes the features as a prior.",
    example: "deno run -A examples/make_features.ts --encoder dinov2.safetensors --db custom --root photos",
    flags: {
      encoder: {
        type: "string",
        help:
          "weights of a ViT, CLIP's, DINOv2 or a ConvNeXt (.safetensors, .pth), or a graph (.onnx) with one input of images",
        group: "Encoder",
      },
      prefix: {
        type: "string",
        help: "of weights: beginning of the network's names in the file (default: looked for)",
        group: "Encoder",
      },
      output: { type: "string", help: "output of the graph to take (default: the only one)", group: "Encoder" },
      size: { type: "integer", min: 1, help: "side of the images, px (default: the encoder's)", group: "Encoder" },
      short_side: { type: "integer", min: 1, help: "short side before the middle is cut out, px", group: "Encoder" },
      resize: {
        type: "string",
        choices: ["crop", "squash"],
        help: "of a graph: middle square, or squashed (default crop)",
        group: "Encoder",
      },
      layout: {
        type: "string",
        choices: ["nhwc", "nchw"],
        help: "order of the graph's input (default: told from its shape)",
        group: "Encoder",
      },
      mean: {
        type: "string",
        help: "mean of the channels, 0 to 1, as r,g,b (default: the encoder's own, a graph's ImageNet's)",
        group: "Encoder",
      },
      std: { type: "string", help: "deviation of the channels, as r,g,b (default: as mean)", group: "Encoder" },
      pool: {
        type: "string",
        choices: ["token", "mean"],
        help: "of a vision transformer: class token or mean of the patches (default: told from its names)",
        group: "Encoder",
      },
      heads: {
        type: "integer",
        min: 1,
        help: "of a vision transformer (default: one for 64 features)",
        group: "Encoder",
      },
      ...featureFlags("custom"),
    },
  });
  if (!flags) return;
  const encoder = required("encoder", flags.encoder);
  const isGraph = encoder.endsWith(".onnx");
  refuse(flags, isGraph ? ["prefix", "pool", "heads"] : ["output", "resize", "layout"], encoder);
  const shared = {
    size: flags.size,
    shortSide: flags.short_side,
    mean: channels("mean", flags.mean),
    std: channels("std", flags.std),
  };
  if (!isGraph) {
    const pool = flags.pool === "mean" || flags.pool === "token" ? flags.pool as "mean" | "token" : undefined;
    await using device = await Device.open();
    await runFeatures(
      flags,
      () => loadWeights(encoder, { ...shared, device, pool, heads: flags.heads, prefix: flags.prefix }),
    );
    return;
  }
  const options = {
    ...shared,
    output: flags.output,
    resize: flags.resize === "squash" ? "squash" as const : "crop" as const,
    layout: flags.layout === "nhwc" || flags.layout === "nchw" ? flags.layout as "nhwc" | "nchw" : undefined,
  };
  await runFeatures(flags, () => openOnnx(encoder, options));
});
