// The package as its users meet it: imported by name elsewhere, published, documented, bundled for a browser.
import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { CORE, ENTRIES } from "../scripts/npm.ts";
import { usesDeno, withoutComments } from "./_deno_use.ts";

const ROOT = fromFileUrl(new URL("..", import.meta.url));

interface Configuration {
  exports: Record<string, string>;
  publish: { include: string[] };
}

const configuration: Configuration = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));

/** Runs deno, and returns what it printed to stdout and to both. */
async function deno(args: string[], cwd = ROOT): Promise<{ out: string; all: string }> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const out = new TextDecoder().decode(stdout);
  const all = out + new TextDecoder().decode(stderr);
  assert(success, `deno ${args.join(" ")} failed:\n${all}`);
  return { out, all };
}

/** Calls of a minified bundle that Node 20 does not know: helpers of iterators and sets, and what came with them. */
function newerThanNode20(code: string): string[] {
  const helpers =
    /\.(?:keys|values|entries)\(\)\.(?:some|every|map|filter|find|reduce|flatMap|forEach|toArray|take|drop)\(/g;
  const others =
    /\b(?:Map\.groupBy|Object\.groupBy|Array\.fromAsync|Promise\.(?:withResolvers|try)|Iterator\.from)\(|\.(?:isDisjointFrom|isSubsetOf|isSupersetOf|symmetricDifference|difference|intersection|union)\(/g;
  return [...code.matchAll(helpers), ...code.matchAll(others)].map(([call]) => call);
}

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const PROGRAM = `
import { backward, Device, key, scope, uniform } from "@decoupled/uniformity";
import { centroidWeights, rbf } from "@decoupled/uniformity/kernels";
import { decoupledUniformity } from "@decoupled/uniformity/losses";
import { contrastive, resnet18 } from "@decoupled/uniformity/nn";
import { CosineAnnealingLR, SGD } from "@decoupled/uniformity/optim";

await using _device = await Device.open();
const model = contrastive(resnet18({ stem: "cifar", numClasses: 64 }), { projection: 32, seed: 0 });
const optimizer = new SGD(model.parameters(), { lr: 0.05 });
const schedule = new CosineAnnealingLR(optimizer, { tMax: 3 });
const views = uniform([4, 2, 8, 8, 3], { key: key(1) });
const prior = uniform([4, 5], { key: key(2) });

const losses: number[] = [];
for (let step = 0; step < 3; step++) {
  using _ = scope();
  const z = model.forward(views);
  const weights = centroidWeights(prior, { kernel: rbf({ sigma: 1 }), ridge: 0.01 });
  const loss = decoupledUniformity(z, { weights });
  backward(loss);
  optimizer.step();
  schedule.step();
  losses.push(await loss.item());
}
console.log(JSON.stringify(losses));
`;

Deno.test("a project elsewhere imports the package by name and trains three steps", async () => {
  await inFolder(async (folder) => {
    const project = {
      imports: { "@decoupled/uniformity": "jsr:@decoupled/uniformity@^0.1.0" },
      links: [ROOT.replace(/[\\/]$/, "")],
      lock: false,
      compilerOptions: { strict: true },
    };
    await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify(project));
    await Deno.writeTextFile(join(folder, "train.ts"), PROGRAM);
    const { out } = await deno(["run", "-A", "--check", "train.ts"], folder);
    const losses: number[] = JSON.parse(out);
    assertEquals(losses.length, 3);
    assert(losses.every(Number.isFinite), out);
    assertLess(losses[2]!, losses[0]!);
  });
});

Deno.test("deno publish --dry-run passes and takes only what is meant to be published", async () => {
  const { all } = await deno(["publish", "--dry-run", "--allow-dirty"]);
  const root = new URL("..", import.meta.url).href;
  const files = [...all.matchAll(/^\s+(file:\S+)/gm)].map(([, url]) => url!.slice(root.length));
  for (const file of ["mod.ts", "src/shaders/lib.ts", "LICENSE"]) {
    assert(files.includes(file), `${file}\n${all}`);
  }
  const stray = files.filter((file) => {
    return !configuration.publish.include.some((part) => part.endsWith("/") ? file.startsWith(part) : file === part);
  });
  assertEquals(stray, []);
});

Deno.test("deno doc --lint is clean for every export", async () => {
  const { all } = await deno(["doc", "--lint", ...Object.values(configuration.exports)]);
  assertStringIncludes(all, "Checked");
});

interface Documented {
  module_doc?: { doc?: string; tags?: { kind: string }[] };
  symbols: { name: string }[];
}

/** Reads what `deno doc --json` tells of each entry point, by its name in deno.json. */
async function documented(): Promise<Map<string, Documented>> {
  const { out } = await deno(["doc", "--json", ...Object.values(configuration.exports)]);
  const nodes: Record<string, Documented> = JSON.parse(out).nodes;
  const root = new URL("..", import.meta.url);
  return new Map(
    Object.entries(configuration.exports).map(([name, path]) => [name, nodes[new URL(path, root).href]!]),
  );
}

Deno.test("each entry point has a module doc, and the root's has an example", async () => {
  const entries = await documented();
  const bare = [...entries].filter(([, entry]) => !entry.module_doc?.doc?.trim()).map(([name]) => name);
  assertEquals(bare, []);
  assert(entries.get(".")!.module_doc!.tags?.some(({ kind }) => kind === "example"), "the root has no @example");
});

Deno.test("the root exports at most 130 names, each by its name, and nothing of an internal.ts", async () => {
  const names = new Set((await documented()).get(".")!.symbols.map(({ name }) => name));
  assertLess(names.size, 131);
  const source = await Deno.readTextFile(join(ROOT, "mod.ts"));
  assert(!/export \*|internal\.ts/.test(withoutComments(source)), "mod.ts exports names that it does not list");
});

Deno.test("the core bundles for a browser and runs where there is no Deno", async () => {
  const paths = ENTRIES.map((name) => configuration.exports[name]!);
  await inFolder(async (folder) => {
    for (const [i, entry] of paths.entries()) {
      const bundle = join(folder, `${i}.js`);
      await deno(["bundle", "--quiet", "--minify", "--platform", "browser", "--output", bundle, entry]);
      const code = await Deno.readTextFile(bundle);
      assert(i >= CORE.length || !usesDeno(code), `the bundle of ${entry} uses Deno`);
      assertEquals(newerThanNode20(code), [], `the bundle of ${entry} asks for more than Node 20`);
      assertEquals(code.match(/(from|import)\s*\(?"[^"]+"/g) ?? [], [], `the bundle of ${entry} imports a package`);
    }
    const page = `const print = console.log;
      delete globalThis.process;
      delete globalThis.Deno;
      const { Device, relu, tensor } = await import("./0.js");
      await using device = await Device.open();
      const count = ${ENTRIES.length};
      for (let i = 1; i < count; i++) await import("./" + i + ".js");
      print(typeof Deno, ...await relu(tensor([-1, 2])).data());`;
    await Deno.writeTextFile(join(folder, "page.js"), page);
    const { out } = await deno(["run", "-A", "--no-config", "page.js"], folder);
    assertEquals(out, "undefined 0 2\n");
  });
});

Deno.test("a page downloads less than 550 kB for the whole core", async () => {
  await inFolder(async (folder) => {
    const entry = join(folder, "all.ts");
    const lines = CORE.map((name, i) => `export * as e${i} from "${join(ROOT, configuration.exports[name]!)}";`);
    await Deno.writeTextFile(entry, lines.join("\n"));
    const bundle = join(folder, "all.js");
    await deno(["bundle", "--quiet", "--minify", "--platform", "browser", "--output", bundle, entry]);
    assertLess((await Deno.stat(bundle)).size, 550_000);
  });
});

Deno.test("newerThanNode20() tells what Node 20 lacks from what it has", () => {
  const newer = "a.keys().some(f);Map.groupBy(a,f);s.difference(t);Array.fromAsync(a)";
  assertEquals(newerThanNode20(newer).sort(), [".difference(", ".keys().some(", "Array.fromAsync(", "Map.groupBy("]);
  assertEquals(
    newerThanNode20("[...a.keys()].some(f);Object.keys(a).map(f);Array.from(a.values()).find(f);new Map(a)"),
    [],
  );
});

Deno.test("usesDeno() tells uses from words", () => {
  for (const code of ["Deno.args", "a(Deno)", "const { args } = Deno;", "Deno?.args"]) assert(usesDeno(code), code);
  for (const code of ['Symbol.for("Deno.customInspect")', '"Deno 2.9 or a browser"', "isDenoX.y"]) {
    assert(!usesDeno(code));
  }
  assertEquals(withoutComments("// Deno.a\n/** Deno.b */\nf(); // Deno.c").trim(), "f();");
});
