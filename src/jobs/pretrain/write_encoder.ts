import { writeOnnx } from "../../encoders/mod.ts";
import { writeTorch, writeWhole } from "../../formats/mod.ts";
import type { Backbone } from "../../nn/mod.ts";
import { writeCheckpoint } from "../../train/mod.ts";
import { readState } from "../../weights/mod.ts";
import type { RunFolder } from "../run_folder.ts";
import type { JobSettings } from "./settings.ts";

/**
 * Writes the encoder alone, under torchvision's or timm's names: `encoder.safetensors`, and where the settings ask for them
 * `encoder.pth`, a state dict that PyTorch's `load_state_dict(strict=True)` takes, and `encoder.onnx`.
 *
 * @param encoder The network that is kept.
 * @param epochs Epochs that it learnt.
 */
export async function writeEncoder(
  folder: RunFolder,
  encoder: Backbone,
  { network, resolution, export: format }: JobSettings,
  epochs: number,
): Promise<void> {
  const weights = await readState(encoder);
  const config = { resolution, epochs };
  await writeCheckpoint(folder.file("encoder.safetensors"), {
    weights,
    network,
    position: null,
    optimizer: null,
    config,
  });
  if (format === "pth" || format === "all") await writeWhole(folder.file("encoder.pth"), [await writeTorch(weights)]);
  if (format === "onnx" || format === "all") await writeWhole(folder.file("encoder.onnx"), [await writeOnnx(encoder)]);
}
