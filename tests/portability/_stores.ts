// Stores to one element of a vector in memory that invocations share. WGSL lets such a store write the whole vector, and
// compilers for Metal and D3D do: invocations that store other elements of it race.
import { type Declarations, declarationsOf, type Token, tokensOf, type Type } from "./_wgsl.ts";

/** A store to one element of a vector. */
export interface ElementStore {
  /** The statement, for messages. */
  readonly statement: string;
  /** Offsets of the statement, without its semicolon. */
  readonly start: number;
  /** Offset past its end. */
  readonly end: number;
  /** Start of the access of the element. */
  readonly element: number;
  /** End of the left side. */
  readonly left: number;
}

const ASSIGNMENT = /^(=|<<=|>>=|[-+*/%&|^]=|\+\+|--)$/;

/** Finds all stores to one element of a vector in workgroup or storage memory. */
export function elementStores(code: string): ElementStore[] {
  const tokens = tokensOf(code);
  const declared = declarationsOf(tokens);
  const stores: ElementStore[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const type = declared.shared.get(tokens[i]!.text);
    if (!type || tokens[i - 1]?.text === "&" || tokens[i - 1]?.text === ".") continue;
    const { end, element } = accesses(tokens, i + 1, type, declared);
    if (element === undefined || !ASSIGNMENT.test(tokens[end]?.text ?? "")) continue;
    const close = statementEnd(tokens, end);
    const [start, last] = [tokens[i]!.at, tokens[close]!.at];
    const left = tokens[end]!.at;
    stores.push({ statement: code.slice(start, last), start, end: last, element: tokens[element]!.at, left });
  }
  return stores;
}

/** Pointers into memory that invocations share, which {@linkcode elementStores} does not follow. */
export function sharedPointers(code: string): string[] {
  const tokens = tokensOf(code);
  const { shared, aliases } = declarationsOf(tokens);
  const found: string[] = [];
  for (let i = 2; i < tokens.length; i++) {
    const [before, and, name] = [tokens[i - 2]!.text, tokens[i - 1]!.text, tokens[i]!.text];
    if (before === "ptr" && and === "<" && ["workgroup", "storage"].includes(name)) found.push(`ptr<${name}>`);
    const type = shared.get(name);
    const taken = and === "&" && /^[=(,]$/.test(before) && tokens[i - 3]?.text !== "arrayLength";
    if (taken && type && innermost(type, aliases) !== "atomic") found.push(`&${name}`);
  }
  return found;
}

function innermost(type: Type, aliases: Declarations["aliases"]): string {
  const { name, args } = aliases.get(type.name) ?? type;
  return name === "array" ? innermost(args[0]!, aliases) : name;
}

/** Follows `[…]` and `.name` from a variable; `element` is the token at which a vector is taken apart. */
function accesses(tokens: readonly Token[], at: number, type: Type, declared: Declarations) {
  let here: Type | undefined = type;
  let element: number | undefined;
  for (let i = at;;) {
    const text = tokens[i]?.text;
    if (text !== "[" && text !== ".") return { end: i, element };
    if (here) here = declared.aliases.get(here.name) ?? here;
    if (here && /^vec[234]/.test(here.name)) element = i;
    here = inside(here, tokens[i + 1]!.text, declared);
    i = text === "." ? i + 2 : closing(tokens, i) + 1;
  }
}

function inside(type: Type | undefined, member: string, { structs }: Declarations): Type | undefined {
  if (type?.name === "array") return type.args[0];
  if (type && /^mat/.test(type.name)) return { name: "vec4", args: [] };
  return structs.get(type?.name ?? "")?.get(member);
}

function closing(tokens: readonly Token[], open: number): number {
  for (let i = open, depth = 0;; i++) {
    depth += Number("([{".includes(tokens[i]!.text)) - Number(")]}".includes(tokens[i]!.text));
    if (depth === 0) return i;
  }
}

/** The semicolon, or the parenthesis of a loop's header, that ends the statement. */
function statementEnd(tokens: readonly Token[], at: number): number {
  for (let i = at, depth = 0;; i++) {
    const { text } = tokens[i]!;
    if (depth === 0 && (text === ";" || text === ")")) return i;
    depth += Number("([{".includes(text)) - Number(")]}".includes(text));
  }
}

/** The source with each such store done as a compiler may do it: read the vector, change the element, write the vector. */
export function withWholeStores(code: string): string {
  let text = code;
  for (const { start, end, element, left } of elementStores(code).reverse()) {
    const vector = code.slice(start, element);
    const changed = `whole_${code.slice(element, left)}${code.slice(left, end)}`;
    text = `${text.slice(0, start)}{ var whole_ = ${vector}; ${changed}; ${vector} = whole_; }${text.slice(end)}`;
  }
  return text;
}
