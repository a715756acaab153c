import { writeOnnx } from "../../encoders/mod.ts";
import { writeTorch } from "../../formats/mod.ts";
import type { Backbone } from "../../nn/mod.ts";
import { writeCheckpoint } from "../../checkpoints/mod.ts";
import { readState } from "../../weights/mod.ts";
import type { RunFolder } from "./run_folder.ts";
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
  const checkpoint = { weights, network, position: null, optimizer: null, config };
  const { output } = folder;
  await output?.change(() => writeCheckpoint(folder.file("encoder.safetensors"), checkpoint));
  if (format === "pth" || format === "all") await output?.write("encoder.pth", [await writeTorch(weights)]);
  if (format === "onnx" || format === "all") await output?.write("encoder.onnx", [await writeOnnx(encoder)]);
}
