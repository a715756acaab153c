// Where the public functions and classes take options, as `deno doc --json` tells it.
import { assert } from "@std/assert";
import { fromFileUrl, join, toFileUrl } from "@std/path";
import deno from "../deno.json" with { type: "json" };

const ROOT = fromFileUrl(new URL("..", import.meta.url));

/** What a type says, as far as names of options need it. */
interface Type {
  kind: string;
  value?: unknown;
}
interface Member {
  name: string;
}
interface Param {
  kind: string;
  name?: string;
  left?: Param;
  tsType?: Type;
}
interface Definition {
  params?: Param[];
  properties?: Member[];
  extends?: Type[];
  tsType?: Type;
  isAbstract?: boolean;
  constructors?: { params: Param[]; accessibility?: string }[];
  methods?: { name: string; isStatic?: boolean; accessibility?: string; functionDef: { params: Param[] } }[];
}
interface Documented {
  name: string;
  declarations: { kind: string; def: Definition }[];
}

/** A public function, constructor or method that takes options. */
export interface Site {
  /** `sum`, `new Conv2d`, `Device.open`, `Module.prototype.loadStateDict`. */
  name: string;
  /** Calls it with the options alone: what comes before them is undefined. */
  call: (options: object) => unknown;
  /** Names of the options by their type. */
  options: string[];
}

/** The symbols of each entry point by its file's address. */
async function documentation(): Promise<Map<string, Documented[]>> {
  const args = ["doc", "--json", ...Object.values(deno.exports)];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT }).output();
  assert(success, new TextDecoder().decode(stderr));
  const nodes: Record<string, { symbols: Documented[] }> = JSON.parse(new TextDecoder().decode(stdout)).nodes;
  return new Map(Object.entries(nodes).map(([url, { symbols }]) => [url, symbols]));
}

/** A type's name, where it is one of ours. */
function nameOf(type: Type | undefined): string | undefined {
  if (type?.kind === "intersection") return (type.value as Type[]).map(nameOf).find((name) => name !== undefined);
  return type?.kind === "typeRef" ? (type.value as { typeName: string }).typeName : undefined;
}

/** Names of the members of a type of options, each once. */
function membersOf(type: Type | undefined, types: ReadonlyMap<string, Definition>): string[] {
  if (type === undefined) return [];
  const { kind, value } = type;
  if (kind === "typeLiteral") return ((value as Definition).properties ?? []).map(({ name }) => name);
  if (kind === "union" || kind === "intersection") {
    return [...new Set((value as Type[]).flatMap((part) => membersOf(part, types)))];
  }
  if (kind !== "typeRef") return [];
  const { typeName, typeParams = [] } = value as { typeName: string; typeParams?: Type[] };
  if (typeName === "Omit" || typeName === "Pick") {
    const listed = typeParams[1]!.kind === "union" ? typeParams[1]!.value as Type[] : [typeParams[1]!];
    const keys = listed.map((key) => (key.value as { string: string }).string);
    return typeName === "Pick" ? keys : membersOf(typeParams[0], types).filter((name) => !keys.includes(name));
  }
  if (typeName === "Partial" || typeName === "Readonly") return membersOf(typeParams[0], types);
  const { properties = [], extends: bases = [], tsType } = types.get(typeName) ?? {};
  const inherited = [...bases.flatMap((base) => membersOf(base, types)), ...membersOf(tsType, types)];
  return [...new Set([...inherited, ...properties.map(({ name }) => name)])];
}

/** Position and type of the options among parameters; undefined without. */
function optionsOf(params: Param[]): { index: number; type: Type } | undefined {
  for (const [index, param] of params.entries()) {
    const { name, tsType = param.tsType } = param.left ?? param;
    if (tsType !== undefined && (name === "options" || /(Options|Config)$/.test(nameOf(tsType) ?? ""))) {
      return { index, type: tsType };
    }
  }
  return undefined;
}

/** The values that a declaration offers to call, with their names and parameters. */
function callables(name: string, { kind, def }: Documented["declarations"][number], value: unknown) {
  const found: { name: string; params: Param[]; run: (args: unknown[]) => unknown }[] = [];
  if (kind === "function" && value !== undefined) {
    found.push({ name, params: def.params!, run: (args) => (value as (...all: unknown[]) => unknown)(...args) });
  }
  if (kind !== "class" || value === undefined) return found; // of some only the type is exported
  const made = value as { new (...all: unknown[]): unknown; prototype: object };
  for (const { params, accessibility } of def.isAbstract ? [] : def.constructors ?? []) {
    if (accessibility === undefined) found.push({ name: `new ${name}`, params, run: (args) => new made(...args) });
  }
  for (const { name: method, isStatic, accessibility, functionDef: { params } } of def.methods ?? []) {
    if ((accessibility ?? "public") !== "public" || method.startsWith("[")) continue;
    const owner = isStatic ? made : made.prototype;
    const run = (args: unknown[]) => Reflect.apply(Reflect.get(owner, method), owner, args);
    found.push({ name: `${name}${isStatic ? "" : ".prototype"}.${method}`, params, run });
  }
  return found;
}

/** All public functions, constructors and methods that take options, each once. */
export async function optionSites(): Promise<Site[]> {
  const documented = await documentation();
  const types = new Map<string, Definition>();
  for (const { name, declarations } of [...documented.values()].flat()) {
    for (const { kind, def } of declarations) if (kind === "interface" || kind === "typeAlias") types.set(name, def);
  }
  const sites = new Map<string, Site>();
  for (const file of Object.values(deno.exports)) {
    const url = toFileUrl(join(ROOT, file)).href;
    const door: Record<string, unknown> = await import(url);
    for (const { name: symbol, declarations } of documented.get(url)!) {
      for (const { name, params, run } of declarations.flatMap((each) => callables(symbol, each, door[symbol]))) {
        const found = optionsOf(params);
        if (found === undefined || sites.has(name)) continue;
        const before = Array<undefined>(found.index).fill(undefined);
        const call = (options: object) => run([...before, options]);
        sites.set(name, { name, call, options: membersOf(found.type, types) });
      }
    }
  }
  return [...sites.values()];
}
