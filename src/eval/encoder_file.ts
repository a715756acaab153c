import { quoted, quotedSome } from "../formats/internal.ts";
import type { Device } from "../device/mod.ts";
import { ResNet, resnet, RESNET_NAMES, type Stem } from "../nn/mod.ts";
import { loadState, makeModel, readCheckpoint, type StateDict } from "../train/mod.ts";

/** An encoder that can be evaluated. */
export interface LoadedEncoder {
  /** In eval mode. */
  readonly encoder: ResNet;
  /** Its network, by torchvision's name; `small` for the small ones of the quickstart and the demos. */
  readonly network: string;
  /** What a person should know. */
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

/**
 * Loads the encoder of a checkpoint: ours, the original's `.pth.tar` (with or without `module.`), or a bare state dict of
 * an encoder. The projection head is left out. The first layers are those that the weights fit.
 *
 * @throws {TypeError} If the weights are of another network than asked for; the message names the tensors that differ.
 * @throws {SyntaxError} If the file cannot be read.
 */
export async function loadEncoder(path: string, options: LoadEncoderOptions = {}): Promise<LoadedEncoder> {
  const { weights, network: named, config } = await readCheckpoint(path, { foreign: true });
  const state = encoderState(weights);
  const conv1 = state.get("conv1.weight");
  const fc = state.get("fc.weight");
  if (!conv1 || !fc || fc.shape.length !== 2 || conv1.shape.length !== 4) {
    const some = quotedSome(weights.keys());
    throw new TypeError(
      `Cannot use "${path}" as it must hold the weights of a ResNet, conv1.weight and fc.weight among them: got ${some}`,
    );
  }
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
  const notes = wanted || isSmall || known ? [] : [`"${path}" does not name its network: taken for a ${network}`];
  return { encoder: encoder.eval(), network, notes, resolution };
}

/** An encoder with random weights, to compare with. */
export function randomEncoder(network: string, options: { stem: Stem; seed?: number; device?: Device }): LoadedEncoder {
  const { encoder } = makeModel(network, options);
  return { encoder: encoder.eval(), network, notes: ["The encoder is untrained, on purpose"], resolution: null };
}

/** The encoder's tensors, without prefix and head. */
function encoderState(weights: StateDict): StateDict {
  const state: StateDict = new Map();
  const prefixed = [...weights.keys()].some((name) => /^(module\.)?encoder\./.test(name));
  for (const [name, value] of weights) {
    const bare = name.replace(/^module\./, "");
    if (!prefixed) state.set(bare, value);
    else if (bare.startsWith("encoder.")) state.set(bare.slice("encoder.".length), value);
  }
  return state;
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
