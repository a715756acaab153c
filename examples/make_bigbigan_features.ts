/**
 * Makes ImageNet-100's prior out of BigBiGAN's image encoder, exported once from TensorFlow Hub's
 * `deepmind/bigbigan-resnet50/1` (downloaded and unpacked into a folder) to ONNX:
 *
 *     python -m tf2onnx.convert --saved-model bigbigan-resnet50_1 --signature_def encode --output bigbigan.onnx
 *     deno run -A examples/make_bigbigan_features.ts --encoder bigbigan.onnx --root data/imagenet100
 *
 * writes data/imagenet100/imagenet100_prior.npz (4096 features an image) for
 * `examples/imagenet100.ts --weaklabels --kernel rbf --sigma median`.
 */
import { parseFlags, runMain } from "../src/cli/mod.ts";
import { openBigBiGan } from "../src/encoders/mod.ts";
import { featureFlags } from "./_features/flags.ts";
import { required, runFeatures } from "./_features/run.ts";

await runMain(async (args) => {
  const flags = parseFlags(args, {
    usage: "deno run -A examples/make_bigbigan_features.ts --encoder FILE [options]",
    about: "Encodes images with BigBiGAN (ONNX): 4096 features an image, as a prior for examples/imagenet100.ts.",
    example: "deno run -A examples/make_bigbigan_features.ts --encoder bigbigan.onnx --root data/imagenet100",
    flags: {
      encoder: {
        type: "string",
        help: "the graph; how to export it is said in this program's source",
        group: "Encoder",
      },
      output: { type: "string", default: "bn_crelu_feat", help: "output to take", group: "Encoder" },
      resize: {
        type: "string",
        default: "crop",
        choices: ["crop", "squash"],
        help: "to 256 px: middle square as BigBiGAN's authors, or squashed as the original's code",
        group: "Encoder",
      },
      ...featureFlags("imagenet100"),
    },
  });
  if (!flags) return;
  const encoder = required("encoder", flags.encoder);
  const resize = flags.resize === "squash" ? "squash" : "crop";
  await runFeatures(flags, () => openBigBiGan(encoder, { resize, output: flags.output }));
});
