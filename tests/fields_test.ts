import { assert, assertEquals } from "@std/assert";
import { type Source, sources } from "./_sources.ts";

/** Code without comments and without what is in quotes; lines stay. */
function bare(text: string): string {
  const quoted = /\/\*[\s\S]*?\*\/|\/\/.*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g;
  return text.replace(quoted, (found) => found.replace(/[^\n]/g, found[0] === "/" ? "" : "_"));
}

/** Fields of classes that others could set, each with its class: `name` to `Class.name`. */
function settable(files: readonly Source[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [, text] of files) {
    const classes = /^(?:export )?(?:abstract )?class (\w+)[^\n]*\{\n([\s\S]*?)^\}/gm;
    for (const [, owner, body] of bare(text).matchAll(classes)) {
      const field =
        /^ {2}(?:(?:public|override|declare|static|accessor) )*(?:set (\w+)\(|(\w+)[?!]?(?:: [^;]+?)?(?: = |;))/gm;
      for (const [, setter, plain] of body!.matchAll(field)) {
        const name = setter ?? plain!;
        found.set(name, [...found.get(name) ?? [], `${owner}.${name}`]);
      }
    }
  }
  return found;
}

/** Changes of a field of another object: by =, by an operator with =, or by ++ and --. */
function changes(text: string): string[] {
  const change =
    /(?:\+\+|--)([\w#.?![\]()]+)\.(\w+)\b(?![\w.([])|([\w#.?!\])]+)\.(\w+)\s*(?:(?:[-+*/%&|^]|\*\*|\?\?|&&|\|\||<<|>>>?)?=(?![=>])|\+\+|--)/g;
  return [...bare(text).matchAll(change)].flatMap(([, before, first, target, second]) =>
    (before ?? target) === "this" ? [] : [first ?? second!]
  );
}

/** Fields that are there to be set, and why: the list may only shrink. */
const SET: Readonly<Record<string, string>> = {
  "Tensor.requiresGrad": "as PyTorch's: users and modules say which leaves learn",
  "Tensor.grad": "as PyTorch's: backward() leaves it, an optimizer takes it, a divided step sums it up",
  "Module.training": "as PyTorch's: train() and eval() set it in all modules of a model",
  "Optimizer.lr": "a schedule sets it, or the user",
  "EMA.decay": "a schedule sets it, or the user",
  "Schedule.epoch": "a run that goes on sets it, and the learning rate follows",
  "Counter.value": "a number of a module's state: the module counts, a checkpoint restores it",
};

/** Changes of fields from outside: `FILE Class.field`. */
function outside(files: readonly Source[]): string[] {
  const fields = settable(files);
  return files.flatMap(([path, text]) =>
    [...new Set(changes(text))].flatMap((name) => fields.has(name) ? [`${path} ${fields.get(name)!.join(" or ")}`] : [])
  );
}

Deno.test("fields of objects are set by their own methods, but those that are listed with the reason", async () => {
  const files = await sources();
  assert(files.length > 300, `only ${files.length} files were found`);
  const found = outside(files).map((each) => each.slice(each.indexOf(" ") + 1).split(" or "));
  const listed = (names: readonly string[]) => names.some((name) => name in SET);
  assertEquals(outside(files).filter((_, i) => !listed(found[i]!)), []);
  assertEquals(Object.keys(SET).filter((name) => !found.flat().includes(name)), [], "strike what is no more");
});

Deno.test("the rule of fields refuses what it should", () => {
  const owner =
    "export class A {\n  readonly fixed = 1;\n  #own = 2;\n  open = 3;\n  typed: Map<string, B> | null = null;\n" +
    "  get read(): number {\n    return 1;\n  }\n  set told(x: number) {\n    this.#own = x;\n  }\n}\n";
  assertEquals([...settable([["a.ts", owner]]).values()].flat(), ["A.open", "A.typed", "A.told"]);
  const changing = [
    "a.open = 1;",
    "a.b[0].open += 1;",
    "this.#a.open ??= 1;",
    "f(a).open++;",
    "++a.open;",
    "--a!.open;",
  ];
  for (const line of changing) assertEquals(outside([["a.ts", owner], ["b.ts", line]]), ["b.ts A.open"], line);
  const reading = [
    "this.open = 1;",
    "a.open === 1;",
    "a.open >= 1;",
    "// a.open = 1",
    '"a.open = 1";',
    "(a) => a.open;",
  ];
  for (const line of reading) assertEquals(outside([["a.ts", owner], ["b.ts", line]]), [], line);
});
