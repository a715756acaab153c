import { assert, assertEquals } from "@std/assert";
import { fromFileUrl, join, toFileUrl } from "@std/path";
import { sources } from "./_sources.ts";

const ROOT = fromFileUrl(new URL("..", import.meta.url));

const FILES = await sources();

/** State of a module or a class: what is assigned again, and containers that start empty. */
function moduleState(text: string): string[] {
  const state =
    /^(?:(?:export )?(?:let|var) (\w+)|(?:(?:export )?const| +static) #?(\w+)(?:: [^=]+)? = (?:new (?:Weak)?(?:Map|Set)(?:<.*>)?\(\)|\[\]);)/gm;
  return [...text.matchAll(state)].map((match) => match[1] ?? match[2]!);
}

/** Modules with state, and why it is theirs: the list may only shrink. */
const STATE: Readonly<Record<string, string>> = {
  "src/autograd/mode.ts depth": "noGrad() holds for all that runs inside, on every device",
  "src/autograd/autocast.ts current":
    "autocast() holds for all that runs inside, on every device, and its sums for gradients",
  "src/autograd/watch.ts watcher": "findNonFinite() watches all that runs inside",
  "src/autograd/recompute.ts pass": "checkpoint() holds for all that runs inside its body",
  "src/autograd/node.ts nextId": "the order in which ops were run, over all devices",
  "src/tensor/scope.ts open": "the scopes that are open: what is made belongs to the innermost",
  "src/device/device.ts opened": "the default device is the one that was opened last",
  "src/device/replay/recordings.ts underWay": "a step that is recorded on one device must not run on another",
  "src/data/images/_decode_worker.ts last": "a worker is a process of its own: images one after another",
  "src/formats/pickle_keys.ts texts": "what was decoded of bytes, which are its keys",
};

Deno.test("modules have no state but what is listed with its reason", () => {
  const found = FILES.flatMap(([path, text]) => moduleState(text).map((name) => `${path} ${name}`));
  assertEquals(found.filter((each) => !(each in STATE)), []);
  assertEquals(Object.keys(STATE).filter((each) => !found.includes(each)), [], "strike what is no more");
});

/** Types of browsers and of Deno that code of users may name beside ours. */
const PLATFORM = new Set(
  ("Animation Attr Blob Cache Comment Disposable Document Element Event File History Image Iterator Location Lock Map " +
    "Navigator Node Notification Option Performance Plugin Process Range Record Report Request Response Screen Selection " +
    "Set Storage Text Touch Window Worker").split(" "),
);

function exported(text: string): string[] {
  const declared = /^export (?:abstract |async )?(?:class|interface|type|function\*?|const) (\w+)/gm;
  return [...new Set([...text.matchAll(declared)].map(([, name]) => name!))];
}

Deno.test("no export has the name of a type of the platform", () => {
  const found = FILES.flatMap(([path, text]) =>
    exported(text).filter((name) => PLATFORM.has(name)).map((name) => `${path} ${name}`)
  );
  assertEquals(found, []);
});

const FUNCTION =
  /^export (?:async )?(?:function\*? (\w+)|const (\w+)(?:: [^=]+)? = (?:async )?(?:function|\(|\w+ =>))/gm;
const TYPE = /^export (?:abstract )?(?:class|interface|type) (\w+)/gm;

/** Names that more than one file exports a function under, or a type, with the files. */
function twins(files: readonly (readonly [path: string, text: string])[], declared = FUNCTION): string[] {
  const owners = new Map<string, string[]>();
  for (const [path, text] of files) {
    const names = new Set([...text.matchAll(declared)].map((match) => match[1] ?? match[2]!));
    for (const name of names) owners.set(name, [...owners.get(name) ?? [], path]);
  }
  return [...owners].filter(([, paths]) => paths.length > 1).map(([name, paths]) => `${name}: ${paths.join(", ")}`);
}

Deno.test("no two files export functions of one name", () => {
  assertEquals(twins(FILES), []);
});

Deno.test("no two files export types of one name", () => {
  assertEquals(twins(FILES, TYPE), []);
});

Deno.test("a name means the same thing at every entry point", async () => {
  const { exports } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  const meanings = new Map<string, unknown>();
  const found: string[] = [];
  for (const [door, path] of Object.entries<string>(exports)) {
    const names: Record<string, unknown> = await import(toFileUrl(join(ROOT, path)).href);
    for (const [name, value] of Object.entries(names)) {
      if (meanings.has(name) && meanings.get(name) !== value) found.push(`${name} at ${door}`);
      meanings.set(name, value);
    }
  }
  assert(meanings.size > 300, `only ${meanings.size} names were found`);
  assertEquals(found, []);
});

/** Doc comments that need their neighbours to make sense: they begin with neither a noun nor a verb. */
function withoutSubject(text: string): string[] {
  const starters =
    /^(?:Of|By|How|Its|Their|Whether (?:it|they)|What|Where|Which|When|Why|The (?:one|same)|Those|To|For|In|On|At|From|With|Under|Over|Below|Per|Along|Into|Instead|Upwards|Is|Does|Given|Made|Taken|Added|Called|Unset|All|Always|Another)\b/;
  const comments = [...text.matchAll(/\/\*\*[\s*]*([^\n]*)/g)].map(([, first]) => first!.replace(/ *\*\/$/, ""));
  return comments.filter((first) => starters.test(first));
}

Deno.test("a doc comment begins with a noun or a verb", async () => {
  const folders = ["bench", "examples", "page", "scripts"];
  const files = [...FILES, ...(await Promise.all(folders.map((folder) => sources(folder)))).flat()];
  const questions = new Set(["examples/compare_methods.ts", "examples/compare_priors.ts"]); // titles that ask
  const found = files.filter(([path]) => !questions.has(path))
    .flatMap(([path, text]) => withoutSubject(text).map((first) => `${path}: ${first}`));
  assertEquals(found, []);
});

Deno.test("a kernel is a similarity or the window of a convolution, never code of the GPU", () => {
  const gpu = /kernel (?:launch|dispatch|code|source)|(?:compute|shader|WGSL|GPU) kernel|[Ee]lementwise ?[Kk]ernel/;
  assertEquals(FILES.filter(([, text]) => gpu.test(text)).map(([path]) => path), []);
});

Deno.test("one word for one thing: forms have no other names, and there is one Plan", () => {
  const others = /\b(?:withBody|withAlgorithm|BodyName|AlgorithmName|attachChoices)\b|device\.info as \{/;
  assertEquals(FILES.filter(([, text]) => others.test(text)).map(([path]) => path), []);
  const plans = FILES.filter(([, text]) => /^(?:export )?(?:interface|type|class) Plan\b/m.test(text));
  assertEquals(plans.map(([path]) => path).filter((path) => path.startsWith("src/ops")).length, 1);
});

Deno.test("the rules of words refuse what they should", () => {
  const text =
    "let a = 1;\nconst b = new Map<string, number>();\nexport const c: X[] = [];\nconst d = new Map([[1, 2]]);";
  assertEquals(moduleState(text), ["a", "b", "c"]);
  assertEquals(exported("export interface Range {}\nexport abstract class Node {}\nclass Text {}"), ["Range", "Node"]);
  const files = [
    "export function a() {}\nexport const b = () => 1;",
    "export async function* a() {}\nexport const b = 1;",
  ];
  assertEquals(twins(files.map((each, i) => [`${i}.ts`, each])), ["a: 0.ts, 1.ts"]);
  const types = ["export interface A {}\nexport type B = 1;", "export abstract class A {}\ntype B = 2;"];
  assertEquals(twins(types.map((each, i) => [`${i}.ts`, each]), TYPE), ["A: 0.ts, 1.ts"]);
  const docs =
    "/** Its name. */\n/**\n * By what.\n */\n/** Name of it. */\n/** Whether it is. */\n/** Tells the sum. */";
  assertEquals(withoutSubject(docs), ["Its name.", "By what.", "Whether it is."]);
  assert(PLATFORM.has("Range") && PLATFORM.has("Node"));
});
