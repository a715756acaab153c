import { quoted, quotedSome } from "../formats/internal.ts";
import type { Device } from "../device/mod.ts";
import { type Backbone, ConvNext, ResNet, resnet, RESNET_NAMES, type Stem, Vit } from "../nn/mod.ts";
import { withPrefix } from "../weights/internal.ts";
import { makeModel } from "../methods/mod.ts";
import { readCheckpoint } from "../checkpoints/mod.ts";
import { convnextState, loadState, type StateDict, vitState } from "../weights/mod.ts";
import { type EncoderState, encoderState } from "./encoder_state.ts";
import { resnetLayout, resnetName } from "./resnet_layout.ts";
import { checkOptions } from "../tensor/internal.ts";

/** An encoder that can be evaluated. */
export interface LoadedEncoder {
  /** Encoder, in eval mode. */
  readonly encoder: Backbone;
  /** Name of the network, torchvision's or timm's, or `tiny`; `small` for others of the small stem, as the quickstart's. */
  readonly network: string;
  /** Notes for people. */
  readonly notes: readonly string[];
  /** Side of the images it was trained on, px, where the file says so. */
  readonly resolution: number | null;
}

const PADDING =
  "Its first convolution, 3 x 3, is taken with a padding of 2, as the original's: where the program that trained it had 1, " +
  "as most do, features are others (--stem_padding, stemPadding)";
const STRIDE =
  "Its first convolution, 3 x 3, is taken with a stride of 2, as this library's small networks: where the " +
  "program that trained it had 1, features are others (--stem_padding, stemPadding say its padding)";

/** Options of {@linkcode loadEncoder}. */
export interface LoadEncoderOptions {
  /** Network by torchvision's name; by default the one that the file names, else the one that the shapes tell. */
  network?: string;
  /** Beginning of the encoder's names in the file, such as `net.trunk`; looked for by default. */
  prefix?: string;
  /**
   * Padding of a first convolution of 3 × 3 with a stride of 1, px. A file of weights does not tell it: by default it is 2, as
   * the original's, and another program's file gets a note.
   */
  stemPadding?: number;
  /** Device; the default one by default. */
  device?: Device;
}

/**
 * Loads the encoder of a checkpoint: ours, the original's `.pth.tar`, a bare state dict, or what other programs save,
 * under whatever prefix (`module.`, `backbone.`, `encoder_q.`, …), also where the layers have only the numbers of a
 * `Sequential`. The projection head is left out, and so is the slow copy beside an encoder that learns. The network and
 * its first layers are those that the weights fit; without `fc`, pooled features stand for what it gives.
 *
 * @throws {TypeError} If the weights are of another network than asked for; the message names the tensors that differ.
 * @throws {RangeError} If no name begins with `prefix`.
 * @throws {SyntaxError} If the file cannot be read.
 */
export async function loadEncoder(path: string, options: LoadEncoderOptions = {}): Promise<LoadedEncoder> {
  checkOptions("loadEncoder()", options, ["network", "prefix", "stemPadding", "device"]);
  const { weights: all, network: named, config } = await readCheckpoint(path, { foreign: true });
  const weights = options.prefix === undefined ? all : withPrefix(path, all, options.prefix);
  const resolution = typeof config.resolution === "number" ? config.resolution : null;
  const other = timmOf(path, weights, options);
  if (other) return { ...other, network: named ?? other.network, resolution };
  const { state, notes } = findEncoder(path, weights);
  const { encoder, network, said } = resnetOf(state, named, options);
  try {
    loadState(encoder, state);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new TypeError(
      `Cannot use "${path}" as a ${network}${named ? `, its file says ${quoted(named)}` : ""}: ${error.message}`,
    );
  }
  const foreign = named === null && Object.keys(config).length === 0;
  return { encoder: encoder.eval(), network, notes: foreign && said ? [...notes, said] : notes, resolution };
}

/** The ResNet for some weights, its name, and what must be said of it where the weights are another program's. */
function resnetOf(
  state: StateDict,
  named: string | null,
  { network, stemPadding, device }: LoadEncoderOptions,
): { encoder: ResNet; network: string; said?: string } {
  const [channels, , side] = state.get("conv1.weight")!.shape as [number, number, number];
  const numClasses = state.get("fc.weight")!.shape[0]!;
  const layout = resnetLayout(state);
  const isSmall = side === 3 && channels !== 64 && stemPadding === undefined;
  const stem: Stem = side === 7 ? "imagenet" : "cifar";
  const asked = network ?? (named && (RESNET_NAMES as readonly string[]).includes(named) ? named : null);
  if ((isSmall && network === undefined) || network === "tiny") {
    const encoder = new ResNet({ ...layout, smallStem: true }, { numClasses, device });
    return {
      encoder,
      network: [network, named].includes("tiny") ? "tiny" : "small",
      said: asked === null ? STRIDE : undefined,
    };
  }
  const options = { stem, stemPadding, numClasses, device };
  const said = stem === "cifar" && stemPadding === undefined ? PADDING : undefined;
  if (asked !== null) return { encoder: resnet(asked, options), network: asked, said };
  return { encoder: new ResNet(layout, options), network: resnetName(layout) ?? "resnet", said };
}

/** Descriptions of networks that are no ResNets, by how their names begin. */
const KINDS = { vit: "vision transformer", convnext: "ConvNeXt" } as const;

/** A vision transformer or ConvNeXt among the weights; null where they are of neither. */
function timmOf(
  path: string,
  weights: StateDict,
  { network, device }: LoadEncoderOptions,
): Pick<LoadedEncoder, "encoder" | "notes" | "network"> | null {
  const [vit, convnext] = [vitState(weights), convnextState(weights)];
  const found = vit ?? convnext;
  if (!found) return null;
  const { state, numClasses, hasHead } = found;
  const name = vit ? "vit" : "convnext";
  if (network !== undefined && !network.startsWith(name)) {
    throw new TypeError(`Cannot use "${path}" as a ${network}: its weights are those of a ${KINDS[name]}`);
  }
  const options = { numClasses, device };
  const encoder = vit ? new Vit(vit.layout, options) : new ConvNext(convnext!.layout, options);
  try {
    loadState(encoder, state);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new TypeError(`Cannot use "${path}" as a ${KINDS[name]}: ${error.message}`);
  }
  const notes = hasHead ? [] : ["It has no head: its pooled features stand for what head gives"];
  return { encoder: encoder.eval(), network: name, notes };
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
  checkOptions("compute randomEncoder()", options, ["stem", "seed", "device"]);
  const { encoder } = makeModel(network, options);
  return { encoder: encoder.eval(), network, notes: ["The encoder is untrained, on purpose"], resolution: null };
}
