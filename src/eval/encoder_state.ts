import { ndarray } from "../formats/mod.ts";
import { quotedSome } from "../formats/internal.ts";
import type { StateDict } from "../weights/mod.ts";

/** The weights of a ResNet out of a checkpoint. */
export interface EncoderState {
  /** Weights under torchvision's names, with `fc`. */
  readonly state: StateDict;
  /** Notes on what was done about them. */
  readonly notes: readonly string[];
}

/** Parts of a ResNet, by torchvision's names. */
const PART = /^(conv1|bn1|layer\d+|fc)\./;
/** The slow copy beside a network that learns (MoCo, BYOL, DINO). */
const COPY = /(_k|ema|momentum|target|teacher)(\.|_|$)/;

/**
 * Finds the encoder in the weights of a checkpoint, under whatever prefix the program that wrote them used (`encoder.`,
 * `backbone.`, `module.encoder_q.`, …). Where there is no `fc`, one that changes nothing stands for it.
 *
 * @returns null if there is none.
 * @throws {TypeError} If there are several.
 */
export function encoderState(given: StateDict): EncoderState | null {
  const weights = withStageNames(given);
  const prefix = prefixOf([...weights.keys()]);
  if (prefix === null) return null;
  const state: StateDict = new Map();
  for (const [name, value] of weights) {
    const own = name.startsWith(prefix) ? name.slice(prefix.length) : "";
    if (PART.test(own)) state.set(own, value);
  }
  if (state.get("fc.weight")?.shape.length === 2) return { state, notes: [] };
  for (const name of state.keys()) if (name.startsWith("fc.")) state.delete(name);
  const width = widthOf(state);
  if (width === null) return null;
  const identity = Float32Array.from({ length: width * width }, (_, i) => i % (width + 1) === 0 ? 1 : 0);
  state.set("fc.weight", ndarray([width, width], "f32", identity));
  state.set("fc.bias", ndarray([width], "f32", new Float32Array(width)));
  return { state, notes: ["It has no fc: its pooled features stand for what fc gives"] };
}

/**
 * Gives the layers of a `Sequential(*resnet.children())` their names back: `0` is `conv1`, `1` is `bn1`, and what holds
 * blocks `layer1` and so on, in its order. Other weights keep their names.
 */
function withStageNames(weights: StateDict): StateDict {
  const stages = new Map<string, Map<string, string>>();
  for (const name of weights.keys()) {
    const [, prefix, stage] = /^((?:.*\.)?)(\d+)\.0\.conv1\.weight$/.exec(name) ?? [];
    if (prefix === undefined || weights.get(`${prefix}0.weight`)?.shape.length !== 4) continue;
    const names = stages.get(prefix) ?? new Map([["0", "conv1"], ["1", "bn1"]]);
    stages.set(prefix, names.set(stage!, `layer${names.size - 1}`));
  }
  if (stages.size === 0) return weights;
  return new Map([...weights].map(([name, value]) => {
    const prefix = stages.keys().find((each) => name.startsWith(each));
    const [first = "", ...rest] = name.slice(prefix?.length).split(".");
    const to = prefix === undefined ? undefined : stages.get(prefix)?.get(first);
    return [to === undefined ? name : [prefix + to, ...rest].join("."), value];
  }));
}

function prefixOf(names: readonly string[]): string | null {
  const found = names.flatMap((name) => /^((?:.*\.)?)conv1\.weight$/.exec(name)?.[1] ?? [])
    .filter((prefix) => !/(^|\.)layer\d+\.\d+\.$/.test(prefix));
  const learning = found.filter((prefix) => !COPY.test(prefix));
  const chosen = learning.length > 0 ? learning : found;
  if (chosen.length <= 1) return chosen[0] ?? null;
  throw new TypeError(`it must hold one encoder, or --prefix (prefix) say which: got ${quotedSome(chosen)}`);
}

/** Channels of the last layer before the pooling. */
function widthOf(state: StateDict): number | null {
  let width: number | null = null;
  for (const [name, { shape }] of state) {
    if (/^layer\d+\.\d+\.conv\d\.weight$/.test(name)) width = shape[0] ?? null;
  }
  return width;
}
