// Implementations of WebGPU where an index past the end means another element, which WGSL allows: the first one of an array,
// and one after the first eighth of a storage array that is written, so that what was read past an end shows where it is
// written. (The last ones may be padding, which shows nothing.)
import { withRewritten } from "./_rewritten.ts";
import { sharedPointers } from "./_stores.ts";
import { declarationsOf, type Token, tokensOf } from "./_wgsl.ts";

const INSIDE = "\nfn inside_(i: u32, size: u32, other: u32) -> u32 { return select(other, i, i < size); }";

/** The source with each index into storage and workgroup arrays held inside. */
export function withIndicesInside(code: string): string {
  const pointers = sharedPointers(code);
  if (pointers.length) throw new Error(`Cannot hold indices inside as arrays are reached by pointers: got ${pointers}`);
  const tokens = tokensOf(code);
  const variables = argumentsOf(tokens);
  const added: { readonly at: number; readonly text: string }[] = [];
  for (const i of uses(tokens, variables)) {
    let open = i + 1;
    for (const rest of variables.get(tokens[i]!.text)!) {
      if (tokens[open]?.text !== "[") break;
      const close = closing(tokens, open);
      added.push({ at: tokens[open]!.at + 1, text: "inside_(u32(" }, { at: tokens[close]!.at, text: `), ${rest})` });
      open = close + 1;
    }
  }
  if (!added.length) return code;
  const starts = added.sort((a, b) => a.at - b.at).map(({ at, text }, k) => text + code.slice(at, added[k + 1]?.at));
  return code.slice(0, added[0]!.at) + starts.join("") + INSIDE;
}

/** The last arguments of `inside_()` for each array that invocations share, one text a dimension, outermost first. */
function argumentsOf(tokens: readonly Token[]): Map<string, readonly string[]> {
  const { shared, structs, aliases } = declarationsOf(tokens);
  const variables = new Map<string, readonly string[]>();
  for (let i = 3; i < tokens.length; i++) {
    const name = tokens[i]!.text;
    if (tokens[i - 1]!.text !== ">" || tokens[i + 1]?.text !== ":" || !shared.has(name)) continue;
    const type = shared.get(name)!.name;
    if (structs.has(type) || aliases.get(type)?.name === "array") {
      throw new Error(
        `Cannot hold indices inside as shared variables must be declared as arrays: got ${name}: ${type}`,
      );
    }
    const end = tokens.findIndex(({ text }, k) => k > i && text === ";");
    const sizes = dimensions(name, tokens.slice(i + 2, end).map(({ text }) => text));
    const others = sizes.map((size, k) => k === 0 && tokens[i - 2]!.text === "read_write" ? `${size} / 8u` : "0u");
    variables.set(name, sizes.map((size, k) => `${size}, ${others[k]}`));
  }
  return variables;
}

/** Sizes of a type's dimensions, from its tokens: `array < T , N >`. */
function dimensions(variable: string, type: readonly string[]): string[] {
  if (type[0] !== "array") return [];
  let depth = 0;
  const comma = type.findIndex((text) => {
    depth += Number("<(".includes(text)) - Number(">)".includes(text));
    return depth === 1 && text === ",";
  });
  if (comma < 0) return [`arrayLength(&${variable})`, ...dimensions(variable, type.slice(2, -1))];
  return [`u32(${type.slice(comma + 1, -1).join(" ")})`, ...dimensions(variable, type.slice(2, comma))];
}

/** A block, the parameters of a function or the header of a loop; the last two end with the block after them. */
interface Scope {
  readonly names: Set<string>;
  readonly header: boolean;
}

/** The tokens that name one of these variables, not a member, a parameter or a local of the same name. */
function uses(tokens: readonly Token[], variables: ReadonlyMap<string, unknown>): number[] {
  const found: number[] = [];
  const scopes: Scope[] = [];
  let declared: string[] = []; // in a statement that goes on: the name is not yet the local's
  let parameters = false;
  for (let i = 0; i < tokens.length; i++) {
    const { text } = tokens[i]!;
    const next = tokens[i + 1]?.text;
    if (text === "fn" || text === "for") scopes.push({ names: new Set(), header: true });
    if (text === "fn" || text === "{") parameters = text === "fn";
    if (text === "{") scopes.push({ names: new Set(), header: false });
    if (text === "}") {
      scopes.pop();
      if (scopes.at(-1)?.header) scopes.pop();
    }
    if (parameters && next === ":") scopes.at(-1)!.names.add(text);
    if (scopes.length && ["let", "var", "const"].includes(text)) declared.push(next!);
    if (text === ";") {
      for (const name of declared) scopes.at(-1)?.names.add(name);
      declared = [];
    }
    const hidden = tokens[i - 1]?.text === "." || scopes.some(({ names }) => names.has(text));
    if (variables.has(text) && next === "[" && !hidden) found.push(i);
  }
  return found;
}

function closing(tokens: readonly Token[], open: number): number {
  for (let i = open, depth = 0;; i++) {
    depth += Number("([".includes(tokens[i]!.text)) - Number(")]".includes(tokens[i]!.text));
    if (depth === 0) return i;
  }
}

/** An implementation whose shaders hold their indices so. */
export function withBounds(gpu: GPU): GPU {
  return withRewritten(gpu, withIndicesInside);
}
