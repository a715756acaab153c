// Names of other programs' networks in state dicts, and timm's for them.
import { ndarray, toF32 } from "../formats/mod.ts";
import type { StateDict } from "./model_state.ts";

/** The form of a family's names: what tells it, what belongs to it behind the prefix, and timm's names. */
export interface Names<Origin extends string> {
  /** Family. */
  readonly origin: Origin;
  /** A name that the family has, behind a prefix. */
  readonly mark: string;
  /** Form of the network's names, behind the prefix. */
  readonly own: RegExp;
  /** Replacements in them, in order. */
  readonly rules: readonly (readonly [RegExp, string])[];
}

/** Finds the prefix of a name; the shortest of several. */
export function prefixOf(weights: StateDict, mark: string): string | null {
  const found = [...weights.keys()].filter((name) => name === mark || name.endsWith(`.${mark}`));
  const prefixes = found.map((name) => name.slice(0, name.length - mark.length));
  return prefixes.sort((a, b) => a.length - b.length)[0] ?? null;
}

/** A weight by its name, with its shape and elements. */
export type NamedWeight = readonly [name: string, shape: readonly number[], data: Float32Array<ArrayBuffer>];

/** The network's weights under timm's names, in f32; `placed` turns what has another shape there. */
export function renamed(
  weights: StateDict,
  prefix: string,
  { own, rules }: Names<string>,
  placed: (...weight: NamedWeight) => NamedWeight,
): StateDict {
  const state: StateDict = new Map();
  for (const [from, value] of weights) {
    const rest = from.startsWith(prefix) ? from.slice(prefix.length) : "";
    if (!own.test(rest)) continue;
    const to = rules.reduce((text, [part, into]) => text.replace(part, into), rest);
    const [name, shape, data] = placed(to, value.shape, toF32(value));
    state.set(name, ndarray([...shape], "f32", data));
  }
  return state;
}

/** Adds a head of `dim` features that changes nothing where there is none; tells whether there was one. */
export function completeHead(state: StateDict, name: string, dim: number, bias: boolean): boolean {
  const has = state.has(`${name}.weight`);
  if (!has) {
    const identity = Float32Array.from({ length: dim * dim }, (_, i) => i % (dim + 1) === 0 ? 1 : 0);
    state.set(`${name}.weight`, ndarray([dim, dim], "f32", identity));
  }
  const outputs = state.get(`${name}.weight`)!.shape[0]!;
  if (bias && !state.has(`${name}.bias`)) {
    state.set(`${name}.bias`, ndarray([outputs], "f32", new Float32Array(outputs)));
  }
  return has;
}
