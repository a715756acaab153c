import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path";
import {
  generate,
  generateAll,
  interfaceOf,
  MODULES,
  outdated,
  readShaders,
  SHADERS,
  withoutComments,
} from "../scripts/shaders.ts";

async function inFolder(files: Record<string, string>, body: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    for (const folder of ["lib", "some"]) await Deno.mkdir(join(root, folder));
    for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(join(root, name), text);
    await body(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("src/shaders/ is what shaders/ generates", async () => {
  assertEquals(await outdated(MODULES, generateAll(await readShaders(SHADERS))), [], "run `deno task shaders`");
});

Deno.test("outdated() names modules that are missing, that differ, and that no folder makes", async () => {
  await inFolder({ "lib.ts": "old", "gone.ts": "", "norm.ts": "same", "shader.ts": "by hand" }, async (root) => {
    for (const folder of ["lib", "some"]) await Deno.remove(join(root, folder));
    const texts = new Map([["lib.ts", "new"], ["norm.ts", "same"], ["conv.ts", "new"]]);
    assertEquals(await outdated(root, texts), ["conv.ts", "gone.ts", "lib.ts"]);
  });
});

Deno.test("src/shaders/ carries every shader unchanged", async () => {
  for (const { folder, name, code } of await readShaders(SHADERS)) {
    const module: Record<string, { code: string }> = await import(`../src/shaders/${folder}.ts`);
    assertEquals(module[name]!.code, code);
  }
});

Deno.test("readShaders() sorts by name and prefixes lib/", async () => {
  await inFolder({ "some/b.wgsl": "b", "some/a_2.wgsl": "a", "lib/b.wgsl": "lib\r\n" }, async (root) => {
    assertEquals(await readShaders(root), [
      { folder: "some", name: "a_2", code: "a" },
      { folder: "some", name: "b", code: "b" },
      { folder: "lib", name: "lib_b", code: "lib\n" },
    ]);
  });
});

Deno.test("readShaders() refuses other names", async () => {
  const refusals: [files: string[], message: string][] = [
    [["a.wgsl"], "as shaders/ must hold folders"],
    [["some/Gram.wgsl"], "must hold files named snake_case.wgsl"],
    [["some/notes.txt"], "must hold files named snake_case.wgsl"],
    [["some/switch.wgsl"], 'must not be a reserved word: got "switch.wgsl"'],
    [["some/a.wgsl", "some/lib_a.wgsl", "lib/a.wgsl"], 'two files export the name "lib_a"'],
  ];
  for (const [files, message] of refusals) {
    await inFolder(Object.fromEntries(files.map((name) => [name, ""])), async (root) => {
      await assertRejects(() => readShaders(root), TypeError, message);
    });
  }
});

Deno.test("withoutComments() leaves the lines that hold code", () => {
  const code = "// Formula.\n//\nlet a = 1u; // why\n\n  // inner\n  let b = a / 2u;\n";
  assertEquals(withoutComments(code), "let a = 1u;\nlet b = a / 2u;\n");
});

Deno.test("generate() keeps backslashes, backticks and ${", async () => {
  const code = "// \\ ` ${x} \\` $\\{\n";
  const text = generate("some", [{ name: "odd", code }]);
  const { odd } = await import(`data:application/typescript,${encodeURIComponent(text)}`);
  assertEquals(odd, { params: {}, access: {}, code });
});

Deno.test("interfaceOf() reads Params in order and the access of bindings", () => {
  const code = `struct Params {
    size: u32, lr: f32,
    at: N1,
    steps: array<vec4i, 1>,
  }
  @group(0) @binding(0) var<uniform> params: Params;
  @group(0)   @binding(12)  var<storage, read_write> y: array<f32>;
  @group(0) @binding(3) var<storage> z: array<f32>;
  @group(0) @binding(1) var<storage, read> x: array<f32>;
  @group(0) @binding(4)
  var t: texture_storage_2d<rgba32float, read>;`;
  const steps = { steps0: "i32", steps1: "i32", steps2: "i32", steps3: "i32" };
  const { params, access } = interfaceOf({ name: "some", code });
  assertEquals(Object.entries(params), Object.entries({ size: "u32", lr: "f32", at: "N1", ...steps }));
  assertEquals(access, { 1: "read", 3: "read", 4: "texture", 12: "read_write" });
  assertEquals(interfaceOf({ name: "none", code: "struct ParamsOf { x: vec2f }" }), { params: {}, access: {} });
});

Deno.test("interfaceOf() refuses what has no one meaning", () => {
  const vector = "struct Params { size: u32, x: vec2f }";
  const message =
    'Cannot generate some as Params must hold u32, i32, f32, aliases and array<vec4, n> only: got "x: vec2f"';
  assertThrows(() => interfaceOf({ name: "some", code: vector }), TypeError, message);
  const twice = "@group(0) @binding(2) var<storage> x: X;\n@group(0) @binding(2) var<storage, read_write> y: X;";
  const both = "Cannot generate some as binding 2 must be declared in one way: got read and read_write";
  assertThrows(() => interfaceOf({ name: "some", code: twice }), TypeError, both);
});

Deno.test("generate() gives every shader the exact type of its interface", () => {
  const text = generate("some", [{
    name: "a",
    code: "struct Params { n: u32 }\n@group(0) @binding(1) var<storage> x: X;",
  }]);
  assertStringIncludes(text, 'export const a: Shader<{ n: "u32" }, { 1: "read" }> = {');
});

/** WGSL of a file of shaders/, without comments. */
async function wgsl(file: string): Promise<string> {
  return withoutComments(await Deno.readTextFile(join(SHADERS, file)));
}

Deno.test("no two structs of one name have different fields", async () => {
  const structs = new Map<string, string>();
  const different: string[] = [];
  for (const { name: file, code } of await readShaders(SHADERS)) {
    for (const [, name, fields] of code.matchAll(/\bstruct\s+(\w+)\s*\{([^}]*)\}/g)) {
      if (name === "Params") continue; // every program has its own
      const flat = fields!.replaceAll(/\s+/g, " ").trim().replace(/,$/, "");
      if ((structs.get(name!) ?? flat) !== flat) different.push(`${name} of ${file}`);
      structs.set(name!, flat);
    }
  }
  assertEquals(different, []);
  assert(structs.size > 30, `only ${structs.size} structs were found`);
});

/** What operands owe to the forms of a product, as the header of matmul_rows.wgsl lists it: `fn …` and `alias …`. */
async function owedByOperands(): Promise<string[]> {
  const header = (await Deno.readTextFile(join(SHADERS, "product/matmul_rows.wgsl"))).split("and the constants")[0]!;
  const functions = [...header.matchAll(/^\/\/ {3}(\w+\(.*?\)(?: -> \w+)?)(?: {2,}|$)/gm)].map(([, each]) =>
    `fn ${each}`
  );
  return [...functions, ...["Place", "Row", "Segment"].map((name) => `alias ${name} =`)];
}

const OPERANDS: Record<string, string[]> = {
  matmul: ["product/matmul.wgsl"],
  forward: ["conv2d", "conv2d_place", "conv2d_pixels", "conv2d_forward"].map((file) => `conv/${file}.wgsl`),
  forwardTaps: ["conv2d", "conv2d_place", "conv2d_pixels", "conv2d_forward_taps"].map((file) => `conv/${file}.wgsl`),
  inputGrad: ["conv2d", "conv2d_input_grad"].map((file) => `conv/${file}.wgsl`),
  weightGrad: ["conv2d", "conv2d_place", "conv2d_weight_grad"].map((file) => `conv/${file}.wgsl`),
};

Deno.test("operands of a product give what matmul_rows.wgsl says, and its forms ask for no more", async () => {
  const owed = await owedByOperands();
  assertEquals(owed.length, 15 + 3);
  const given = new Set<string>();
  for (const [name, files] of Object.entries(OPERANDS)) {
    const code = (await Promise.all(files.map(wgsl))).join("\n");
    assertEquals(owed.filter((each) => !code.includes(`${each}`)), [], name);
    for (const [, each] of code.matchAll(/\bfn (\w+)\(/g)) given.add(each!);
  }
  const names = owed.map((each) => each.match(/^fn (\w+)/)?.[1]);
  for (const form of ["matmul_rows", "matmul_subgroup", "matmul_tile"]) {
    const code = await wgsl(`product/${form}.wgsl`);
    const asked = [...given].filter((each) => new RegExp(`(?<!fn )\\b${each}\\(`).test(code));
    assertEquals(asked.filter((each) => !names.includes(each)), [], form);
    assert(asked.length > 8, form);
  }
});
