import { quoted, quotedSome } from "../formats/internal.ts";
import type { Device } from "../device/mod.ts";
import { type Backbone, ResNet, resnet, RESNET_NAMES, type Stem, Vit } from "../nn/mod.ts";
import { loadState, makeModel, readCheckpoint, type StateDict, vitState } from "../train/mod.ts";
import { type EncoderState, encoderState } from "./encoder_state.ts";

/** An encoder that can be evaluated. */
export interface LoadedEncoder {
  /** Encoder, in eval mode. */
  readonly encoder: Backbone;
  /** Name of the network, torchvision's or `vit_…`; `small` for the small ones of the quickstart and the demos. */
  readonly network: string;
  /** Notes for people. */
  readonly notes: readonly string[];
  /** Side of the images it was trained on, px, where the file says so. */
  readonly resolution: number | null;
}

/** Options of {@linkcode loadEncoder}. */
export interface LoadEncoderOptions {
  /** Network by torchvision's name; by default the one that the file names, else `resnet50`, as the original. */
  network?: string;
  /** Device; the default one by default. */
  device?: Device;
}

const PADDING =
  "Its first convolution, 3 x 3, is taken with a padding of 2, as the original's: where the program that trained it had 1, " +
  "as most do, features are others";

/**
 * Loads the encoder of a checkpoint: ours, the original's `.pth.tar`, a bare state dict, or what other programs save,
 * under whatever prefix (`module.`, `backbone.`, `encoder_q.`, …). The projection head is left out, and so is the slow
 * copy beside an encoder that learns. The first layers are those that the weights fit; without `fc`, pooled features
 * stand for what it gives.
 *
 * @throws {TypeError} If the weights are of another network than asked for; the message names the tensors that differ.
 * @throws {SyntaxError} If the file cannot be read.
 */
export async function loadEncoder(path: string, options: LoadEncoderOptions = {}): Promise<LoadedEncoder> {
  const { weights, network: named, config } = await readCheckpoint(path, { foreign: true });
  const transformer = vitOf(path, weights, options);
  if (transformer) {
    const resolution = typeof config.resolution === "number" ? config.resolution : null;
    return { ...transformer, network: named ?? "vit", resolution };
  }
  const { state, notes } = findEncoder(path, weights);
  const conv1 = state.get("conv1.weight")!;
  const fc = state.get("fc.weight")!;
  const isSmall = conv1.shape[0] !== 64;
  const wanted = options.network === "tiny" ? "small" : options.network;
  const known = named && (RESNET_NAMES as readonly string[]).includes(named) ? named : null;
  const network = wanted ?? (isSmall ? "small" : known ?? "resnet50");
  const { device } = options;
  const numClasses = fc.shape[0]!;
  const stem: Stem = conv1.shape[2] === 7 ? "imagenet" : "cifar";
  const encoder = network === "small" ? smallResNet(state, device) : resnet(network, { stem, numClasses, device });
  try {
    loadState(encoder, state);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new TypeError(
      `Cannot use "${path}" as a ${network}${named ? `, its file says ${quoted(named)}` : ""}: ${error.message}`,
    );
  }
  const resolution = typeof config.resolution === "number" ? config.resolution : null;
  const unnamed = wanted || isSmall || known ? [] : [`"${path}" does not name its network: taken for a ${network}`];
  const foreign = named === null && Object.keys(config).length === 0;
  const padded = foreign && !isSmall && stem === "cifar" ? [PADDING] : [];
  return { encoder: encoder.eval(), network, notes: [...notes, ...unnamed, ...padded], resolution };
}

/** A vision transformer among the weights; null where they are of none. */
function vitOf(
  path: string,
  weights: StateDict,
  { network, device }: LoadEncoderOptions,
): Pick<LoadedEncoder, "encoder" | "notes"> | null {
  const found = vitState(weights);
  if (!found) return null;
  const { state, layout, numClasses, hasHead } = found;
  if (network !== undefined && !network.startsWith("vit")) {
    throw new TypeError(`Cannot use "${path}" as a ${network}: its weights are those of a vision transformer`);
  }
  const encoder = new Vit(layout, { numClasses, device });
  try {
    loadState(encoder, state);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new TypeError(`Cannot use "${path}" as a vision transformer: ${error.message}`);
  }
  const notes = hasHead ? [] : ["It has no head: its pooled features stand for what head gives"];
  return { encoder: encoder.eval(), notes };
}

/**
 * The encoder's weights.
 *
 * @throws {TypeError} If there are none, or several encoders.
 */
function findEncoder(path: string, weights: StateDict): EncoderState {
  let found: EncoderState | null;
  try {
    found = encoderState(weights);
  } catch (error) {
    throw error instanceof TypeError ? new TypeError(`Cannot use "${path}" as ${error.message}`) : error;
  }
  if (found?.state.get("conv1.weight")?.shape.length === 4) return found;
  throw new TypeError(
    `Cannot use "${path}" as it must hold the weights of a ResNet, conv1.weight and layer1.0.conv1.weight among them: ` +
      `got ${quotedSome(weights.keys())}`,
  );
}

/** An encoder with random weights, to compare with. */
export function randomEncoder(network: string, options: { stem: Stem; seed?: number; device?: Device }): LoadedEncoder {
  const { encoder } = makeModel(network, options);
  return { encoder: encoder.eval(), network, notes: ["The encoder is untrained, on purpose"], resolution: null };
}

/** A network of basic blocks with a stem of stride 2, as its weights tell. */
function smallResNet(state: StateDict, device?: Device): ResNet {
  const widths: number[] = [];
  const layers: number[] = [];
  for (let stage = 1; state.has(`layer${stage}.0.conv1.weight`); stage++) {
    widths.push(state.get(`layer${stage}.0.conv1.weight`)!.shape[0]!);
    let blocks = 0;
    while (state.has(`layer${stage}.${blocks}.conv1.weight`)) blocks++;
    layers.push(blocks);
  }
  const numClasses = state.get("fc.weight")!.shape[0]!;
  return new ResNet({ block: "basic", layers, widths, smallStem: true }, { numClasses, device });
}
