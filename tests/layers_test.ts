import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { usesDeno, withoutComments } from "./_deno_use.ts";

const ROOT = fromFileUrl(new URL("..", import.meta.url));
/** The shaders, a generated module for each folder of shaders/; its files are doors, each for the family of that name. */
const SHADERS = "src/shaders/";

const RANK: Record<string, number> = {
  checks: -1,
  shaders: 0,
  device: 0,
  report: 0,
  tensor: 1,
  formats: 1,
  autograd: 2,
  distributed: 2,
  ops: 3,
  compile: 3,
  nn: 4,
  kernels: 4,
  optim: 4,
  data: 4,
  testing: 4,
  tune: 4,
  losses: 5,
  weights: 5,
  checkpoints: 6,
  methods: 6,
  train: 7,
  encoders: 8,
  eval: 8,
  jobs: 9,
  cli: 10,
};
/** Layers that may read the shaders. */
const SHADED = new Set(["device", "tensor", "ops", "nn", "optim", "data"]);
/** Layers that use web APIs only. */
const CORE = new Set([
  "checks",
  "device",
  "tensor",
  "autograd",
  "ops",
  "nn",
  "kernels",
  "optim",
  "losses",
  "tune",
  "compile",
]);
/** What else a layer may import; the layers that are not named here import nothing from outside. */
const OUTSIDE: Record<string, RegExp> = {
  data: /^(node:|npm:)/,
  report: /^(node:|npm:)/,
  encoders: /^(node:|npm:)/,
  eval: /^(node:|npm:)/,
  jobs: /^(node:|npm:)/,
  cli: /^(@std\/path|@std\/cli|node:|npm:)/,
};

/** Files of a layer that others import: what users get, and what only other layers get beside it. */
const DOORS = new Set(["mod.ts", "internal.ts"]);
/** Doors of folders in a layer: entry points of their own, which touch no file. */
const INNER_DOORS = new Set(["src/data/augment/mod.ts", "src/data/views/mod.ts"]);

interface Import {
  from: string;
  /** As written; `npm:NAME` for a package that deno.json maps to npm. */
  specifier: string;
  /** Path from the repository's root when it is a file of it. */
  to: string | undefined;
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function layerOf(path: string): string | undefined {
  return path.match(/^src\/(\w+)\//)?.[1];
}

function violation({ from, specifier, to }: Import): string | undefined {
  const layer = layerOf(from);
  if (layer === undefined || !(layer in RANK)) return `${from} is in no layer`;
  const inSource = to !== undefined && to.startsWith("src/");
  if (!inSource) {
    return OUTSIDE[layer]?.test(specifier) ? undefined : `${from} imports ${specifier}, which ${layer} may not`;
  }
  const other = layerOf(to);
  if (other === undefined || !(other in RANK)) return `${to} is in no layer`;
  if (to.startsWith(SHADERS) && layer !== "shaders") {
    return SHADED.has(layer) ? undefined : `${from} reads the shaders, which ${layer} may not`;
  }
  if (layer !== other && RANK[other]! >= RANK[layer]!) return `${from} imports ${to}, which is not below ${layer}`;
  if (layer !== other && !DOORS.has(to.slice(`src/${other}/`.length)) && !INNER_DOORS.has(to)) {
    return `${from} imports ${to}, past the doors of ${other}`;
  }
  if (folderOf(from) !== folderOf(to) && /\/_[^/]*$/.test(to)) {
    return `${from} imports ${to}, which is private to its folder`;
  }
  return undefined;
}

async function sourceFiles(folder = "src"): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(ROOT, folder))) {
    const path = `${folder}/${name}`;
    if (isDirectory) files.push(...await sourceFiles(path));
    else if (path.endsWith(".ts")) files.push(path);
  }
  return files.sort();
}

interface Module {
  specifier: string;
  error?: string;
  dependencies?: { specifier: string; code?: { specifier?: string }; type?: { specifier?: string } }[];
}

/** The imports of every file in src/, as `deno info --json` gives them. */
async function sourceImports(): Promise<Import[]> {
  const files = await sourceFiles();
  const root = new URL("..", import.meta.url).href;
  const entry = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(entry, files.map((file) => `import "${root}${file}";\n`).join(""));
  const info = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--config", join(ROOT, "deno.json"), entry],
    cwd: ROOT,
  }).output();
  await Deno.remove(entry);
  assert(info.success, new TextDecoder().decode(info.stderr));
  const modules: Module[] = JSON.parse(new TextDecoder().decode(info.stdout)).modules;
  const within = (url: string | undefined) => url?.startsWith(root) ? url.slice(root.length) : undefined;
  const found = new Map(modules.map((module) => [within(module.specifier), module]));
  return files.flatMap((from) => {
    const module = found.get(from);
    assert(module !== undefined && module.error === undefined, `Cannot read ${from}: ${module?.error}`);
    return (module.dependencies ?? []).map(({ specifier, code, type }) => {
      const url = code?.specifier ?? type?.specifier;
      return { from, specifier: url?.startsWith("npm:") ? url : specifier, to: within(url) };
    });
  });
}

Deno.test("src/ imports only downwards", async () => {
  const imports = await sourceImports();
  assert(imports.length > 50, `only ${imports.length} imports were found`);
  assertEquals(imports.map(violation).filter((found) => found !== undefined), []);
});

/** Files that import themselves through others: each circle once, as its files. */
function circles(imports: readonly Pick<Import, "from" | "to">[]): string[][] {
  const next = new Map<string, string[]>();
  for (const { from, to } of imports) if (to !== undefined) next.set(from, [...next.get(from) ?? [], to]);
  const reached = new Map([...next.keys()].map((from) => {
    const seen = new Set<string>();
    const open = [...next.get(from)!];
    for (let file = open.pop(); file !== undefined; file = open.pop()) {
      if (!seen.has(file)) open.push(...next.get(file) ?? []);
      seen.add(file);
    }
    return [from, seen] as const;
  }));
  const found = new Map<string, string[]>();
  for (const [from, seen] of reached) {
    if (!seen.has(from)) continue;
    const circle = [...seen].filter((file) => reached.get(file)?.has(from)).sort();
    found.set(circle[0]!, circle);
  }
  return [...found.values()];
}

Deno.test("no file of src/ imports itself through others, not even for types", async () => {
  assertEquals(circles(await sourceImports()), []);
  const edges = ["ab", "bc", "ca", "cd", "ee", "fd"].map(([from, to]) => ({ from: from!, to }));
  assertEquals(circles(edges), [["a", "b", "c"], ["e"]]);
});

/** Files that put their folder together from its folders: doors, and what stands for a whole device. */
const WHOLE = /\/(?:mod|internal)\.ts$|^src\/device\/(?:device|encoder)\.ts$/;

Deno.test("no folder of src/ imports itself through others, but where it is put together", async () => {
  const between = (await sourceImports()).filter(({ from, to }) => to?.startsWith("src/") && !WHOLE.test(from));
  const edges = between.map(({ from, to }) => ({ from: folderOf(from), to: folderOf(to!) }));
  assertEquals(circles(edges.filter(({ from, to }) => from !== to)), []);
});

Deno.test("src/ holds only files of a layer", async () => {
  const stray = (await sourceFiles()).filter((file) => !((layerOf(file) ?? "") in RANK));
  assertEquals(stray, []);
});

Deno.test("the core uses web APIs only", async () => {
  const found: string[] = [];
  for (const file of await sourceFiles()) {
    if (!CORE.has(layerOf(file) ?? "")) continue;
    if (usesDeno(withoutComments(await Deno.readTextFile(join(ROOT, file))))) found.push(file);
  }
  assertEquals(found, []);
});

Deno.test("the layer rule refuses what it should", () => {
  const broken: [from: string, specifier: string, to?: string][] = [
    ["src/tensor/a.ts", "../ops/b.ts", "src/ops/b.ts"],
    ["src/nn/a.ts", "../optim/b.ts", "src/optim/b.ts"],
    ["src/data/a.ts", "../../examples/b.ts", "examples/b.ts"],
    ["src/data/a.ts", "../../tests/b.ts", "tests/b.ts"],
    ["src/testing/a.ts", "@std/assert", "std/assert.ts"],
    ["src/cli/a.ts", "@std/testing/time"],
    ["src/train/a.ts", "@std/cli"],
    ["src/formats/a.ts", "@std/path"],
    ["src/data/a.ts", "@std/path", "std/path.ts"],
    ["src/ops/a.ts", "node:fs"],
    ["src/train/a.ts", "../shaders/lib.ts", "src/shaders/lib.ts"],
    ["src/report/a.ts", "../device/mod.ts", "src/device/mod.ts"],
    ["src/nn/a.ts", "../ops/conv/conv2d.ts", "src/ops/conv/conv2d.ts"],
    ["src/nn/a.ts", "../ops/conv/mod.ts", "src/ops/conv/mod.ts"],
    ["src/ops/conv/a.ts", "../product/_b.ts", "src/ops/product/_b.ts"],
    ["src/new/a.ts", "../ops/b.ts", "src/ops/b.ts"],
    ["src/train/a.ts", "../new/b.ts", "src/new/b.ts"],
    ["src/a.ts", "./ops/b.ts", "src/ops/b.ts"],
  ];
  for (const [from, specifier, to] of broken) assert(violation({ from, specifier, to }), `${from} -> ${specifier}`);
  const right: [from: string, specifier: string, to?: string][] = [
    ["src/ops/a.ts", "./b.ts", "src/ops/b.ts"],
    ["src/losses/a.ts", "../kernels/mod.ts", "src/kernels/mod.ts"],
    ["src/nn/a.ts", "../shaders/lib.ts", "src/shaders/lib.ts"],
    ["src/nn/a.ts", "../ops/internal.ts", "src/ops/internal.ts"],
    ["src/train/a.ts", "../data/views/mod.ts", "src/data/views/mod.ts"],
    ["src/ops/conv/a.ts", "../product/b.ts", "src/ops/product/b.ts"],
    ["src/ops/conv/a.ts", "./_b.ts", "src/ops/conv/_b.ts"],
    ["src/data/a.ts", "node:path"],
    ["src/data/a.ts", "npm:sharp@^0.34"],
    ["src/cli/a.ts", "@std/cli/parse-args", "std/cli.ts"],
  ];
  for (const [from, specifier, to] of right) assertEquals(violation({ from, specifier, to }), undefined);
});

const LONGEST_FILE = 300;
/** Files that are longer, of some lines each. */
function tooLong(files: readonly { readonly file: string; readonly lines: number }[]): string[] {
  return files.filter(({ lines }) => lines > LONGEST_FILE).map(({ file, lines }) => `${file} has ${lines} lines`);
}

/** Ranks of the folders that a table of CONTRIBUTING.md gives. */
function ranksOf(table: string): Record<string, number> {
  const rows = [...table.matchAll(/^\| (−?\d+) +\| ([^|]*)\|/gm)];
  return Object.fromEntries(
    rows.flatMap(([, rank, folders]) =>
      [...folders!.matchAll(/`(\w+)`/g)].map(([, folder]) => [folder, Number(rank!.replace("−", "-"))])
    ),
  );
}

Deno.test("CONTRIBUTING.md and docs/architecture.md give the layers that are enforced", async () => {
  assertEquals(ranksOf(await Deno.readTextFile(join(ROOT, "CONTRIBUTING.md"))), RANK);
  const page = await Deno.readTextFile(join(ROOT, "docs/architecture.md"));
  const drawn = page.match(/^```\n(cli → [^`]*)```/m)![1]!.split("→").map((layer) => layer.match(/\w+/g)!);
  assertEquals(drawn.flat().toSorted(), Object.keys(RANK).toSorted());
  const ranks = drawn.map((layers) => new Set(layers.map((layer) => RANK[layer])));
  assert(
    ranks.every((each, i) => i === 0 || Math.max(...each as Set<number>) < Math.min(...ranks[i - 1] as Set<number>)),
  );
});

Deno.test("files are at most 300 lines long", async () => {
  const folders = ["src", "tests", "bench", "examples", "scripts", "std", "page"];
  const files = (await Promise.all(folders.map((folder) => sourceFiles(folder)))).flat();
  const counted = await Promise.all(
    files.filter((file) => !file.startsWith(SHADERS)).map(async (file) => {
      return { file, lines: (await Deno.readTextFile(join(ROOT, file))).trimEnd().split("\n").length };
    }),
  );
  assertEquals(tooLong(counted), []);
  assertEquals(tooLong([{ file: "a.ts", lines: 300 }, { file: "b.ts", lines: 301 }]), ["b.ts has 301 lines"]);
});

Deno.test("deno.lock pins npm packages by integrity, without the address of a registry", async () => {
  const text = await Deno.readTextFile(join(ROOT, "deno.lock"));
  assertEquals(text.match(/"[^"]*:\/\/[^"]*"|"tarball"/g) ?? [], []);
  const packages = Object.entries<{ integrity?: string }>(JSON.parse(text).npm);
  assert(packages.length > 10, `only ${packages.length} packages are pinned`);
  assertEquals(packages.filter(([, { integrity }]) => !integrity?.startsWith("sha512-")).map(([name]) => name), []);
});
