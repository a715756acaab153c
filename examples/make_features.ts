/**
 * Makes a prior out of any image encoder in the ONNX format (CLIP, DINOv2, a classifier without its last layer, …).
 *
 *     deno run -A examples/make_features.ts --encoder dinov2.onnx --db custom --root photos --short_side 256
 *
 * The defaults of mean and deviation are ImageNet's; CLIP's are --mean 0.48145466,0.4578275,0.40821073
 * --std 0.26862954,0.26130258,0.27577711.
 */
import { parseFlags, runMain } from "../src/cli/mod.ts";
import { openOnnx } from "../src/encoders/mod.ts";
import { featureFlags } from "./_features/flags.ts";
import { channels, required, runFeatures } from "./_features/run.ts";

await runMain(async (args) => {
  const flags = parseFlags(args, {
    usage: "deno run -A examples/make_features.ts --encoder FILE [options]",
    about: "Encodes images with an ONNX graph and writes the features as a prior.",
    example: "deno run -A examples/make_features.ts --encoder dinov2.onnx --db custom --root photos",
    flags: {
      encoder: {
        type: "string",
        help: "the graph: one input of images, [n,size,size,3] or [n,3,size,size]",
        group: "Encoder",
      },
      output: { type: "string", help: "output to take (default: the only one)", group: "Encoder" },
      size: { type: "integer", min: 1, help: "side of the images, px (default: the graph's)", group: "Encoder" },
      short_side: { type: "integer", min: 1, help: "short side before the middle is cut out, px", group: "Encoder" },
      resize: {
        type: "string",
        default: "crop",
        choices: ["crop", "squash"],
        help: "middle square, or squashed",
        group: "Encoder",
      },
      layout: {
        type: "string",
        choices: ["nhwc", "nchw"],
        help: "order of the input (default: told from its shape)",
        group: "Encoder",
      },
      mean: { type: "string", help: "mean of the channels, 0 to 1, as r,g,b (default: ImageNet's)", group: "Encoder" },
      std: { type: "string", help: "deviation of the channels, as r,g,b (default: ImageNet's)", group: "Encoder" },
      ...featureFlags("custom"),
    },
  });
  if (!flags) return;
  const encoder = required("encoder", flags.encoder);
  const options = {
    output: flags.output,
    size: flags.size,
    shortSide: flags.short_side,
    resize: flags.resize === "squash" ? "squash" as const : "crop" as const,
    layout: flags.layout === "nhwc" || flags.layout === "nchw" ? flags.layout as "nhwc" | "nchw" : undefined,
    mean: channels("mean", flags.mean),
    std: channels("std", flags.std),
  };
  await runFeatures(flags, () => openOnnx(encoder, options));
});
