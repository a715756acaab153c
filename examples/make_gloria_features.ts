/**
 * Makes CheXpert's prior out of GLoRIA's image encoder (chexpert_resnet18.ckpt, to be had from GLoRIA's authors).
 *
 *     deno run -A examples/make_gloria_features.ts --checkpoint chexpert_resnet18.ckpt --root data/chexpert
 *
 * writes data/chexpert/chexpert_prior.npz, which `examples/chexpert.ts` takes by itself.
 */
import { Device } from "../mod.ts";
import { parseFlags, runMain } from "../src/cli/mod.ts";
import { loadGloria } from "../src/encoders/mod.ts";
import { featureFlags } from "./_features/flags.ts";
import { required, runFeatures } from "./_features/run.ts";

await runMain(async (args) => {
  const flags = parseFlags(args, {
    usage: "deno run -A examples/make_gloria_features.ts --checkpoint FILE [options]",
    about: "Encodes X-rays with GLoRIA's ResNet-18: 512 features an image, as a prior for examples/chexpert.ts.",
    example: "deno run -A examples/make_gloria_features.ts --checkpoint chexpert_resnet18.ckpt --root data/chexpert",
    flags: {
      checkpoint: { type: "string", help: "GLoRIA's chexpert_resnet18.ckpt", group: "Encoder" },
      preprocessing: {
        type: "string",
        default: "original",
        choices: ["original", "gloria"],
        help: "squash to 224 px as the paper's code, or GLoRIA's own",
        group: "Encoder",
      },
      ...featureFlags("chexpert"),
    },
  });
  if (!flags) return;
  const checkpoint = required("checkpoint", flags.checkpoint);
  const preprocessing = flags.preprocessing === "gloria" ? "gloria" : "original";
  await using device = await Device.open();
  await runFeatures(flags, () => loadGloria(checkpoint, { preprocessing, device }));
});
