// Enough of WGSL's grammar to find what a shader stores to: declarations of memory that invocations share, and assignments.

/** A token and where it starts. */
export interface Token {
  /** Text as written. */
  readonly text: string;
  /** Offset in the source. */
  readonly at: number;
}

/** A type: its name, its arguments as types or, where they are no types, without any. */
export interface Type {
  /** Name of the type: `vec4`, `array`, `f32` or a structure's. */
  readonly name: string;
  /** Between `<` and `>`. */
  readonly args: readonly Type[];
}

const TOKEN = /[A-Za-z_]\w*|\d[\w.]*|<<=|>>=|<<|[-+*/%&|^]=|[=!<>]=|&&|\|\||\+\+|--|->|\S/g;

/** The source with its comments blanked, so that offsets stay. */
export function withoutComments(code: string): string {
  return code.replace(/\/\/.*|\/\*[^]*?\*\//g, (comment) => comment.replace(/[^\n]/g, " "));
}

/** The tokens of a source, without comments. */
export function tokensOf(code: string): Token[] {
  return [...withoutComments(code).matchAll(TOKEN)].map((match) => ({ text: match[0], at: match.index }));
}

/** Declarations of a source. */
export interface Declarations {
  /** Variables that invocations share (workgroup and storage memory), by name. */
  readonly shared: ReadonlyMap<string, Type>;
  /** Members of structures. */
  readonly structs: ReadonlyMap<string, ReadonlyMap<string, Type>>;
  /** Names for other types. */
  readonly aliases: ReadonlyMap<string, Type>;
}

/** Reads declarations of module scope. */
export function declarationsOf(tokens: readonly Token[]): Declarations {
  const shared = new Map<string, Type>();
  const structs = new Map<string, Map<string, Type>>();
  const aliases = new Map<string, Type>();
  const text = (i: number) => tokens[i]?.text ?? "";
  for (let i = 0; i < tokens.length; i++) {
    if (text(i) === "alias") aliases.set(text(i + 1), typeAt(tokens, i + 3).type);
    if (text(i) === "struct") structs.set(text(i + 1), membersAt(tokens, i + 3));
    if (text(i) !== "var" || text(i + 1) !== "<" || !["workgroup", "storage"].includes(text(i + 2))) continue;
    while (text(i) !== ">") i++;
    shared.set(text(i + 1), typeAt(tokens, i + 3).type);
  }
  return { shared, structs, aliases };
}

function membersAt(tokens: readonly Token[], at: number): Map<string, Type> {
  const members = new Map<string, Type>();
  for (let i = at; tokens[i]!.text !== "}";) {
    if (tokens[i + 1]!.text !== ":") {
      i++;
      continue;
    }
    const { type, end } = typeAt(tokens, i + 2);
    members.set(tokens[i]!.text, type);
    i = end;
  }
  return members;
}

/** The type that starts at a token. */
export function typeAt(tokens: readonly Token[], at: number): { type: Type; end: number } {
  const name = tokens[at]!.text;
  if (tokens[at + 1]?.text !== "<") return { type: { name, args: [] }, end: at + 1 };
  const args: Type[] = [];
  let i = at + 2;
  for (;;) {
    const { type, end } = typeAt(tokens, i);
    args.push(type);
    i = end;
    for (let depth = 0; depth > 0 || !(tokens[i]!.text === "," || tokens[i]!.text === ">"); i++) {
      depth += Number("([".includes(tokens[i]!.text)) - Number(")]".includes(tokens[i]!.text));
    }
    if (tokens[i++]!.text === ">") return { type: { name, args }, end: i };
  }
}
