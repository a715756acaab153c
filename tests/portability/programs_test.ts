import { assert, assertEquals } from "@std/assert";
import { readShaders, SHADERS } from "../../scripts/shaders.ts";
import { mixedOperators } from "./_grammar.ts";
import type { NullAdapter, Pipeline } from "./_null_gpu.ts";
import { ADAPTERS, pipelinesOf } from "./_programs.ts";
import { elementStores, sharedPointers } from "./_stores.ts";
import { DIVISIONS } from "./_subgroups.ts";
import { ROWS } from "../../src/ops/elementwise/_unary_rows.ts";
import * as ops from "../../src/ops/mod.ts";
import { lib_lanes_subgroup, lib_rows_subgroup } from "../../src/shaders/lib.ts";

const byAdapter: { name: string; adapter: NullAdapter; pipelines: Pipeline[] }[] = [];
for (const [name, adapter] of Object.entries(ADAPTERS)) {
  byAdapter.push({ name, adapter, pipelines: await pipelinesOf(adapter) });
}
const pipelines = byAdapter.flatMap((each) => each.pipelines);
const codes = [...new Map(pipelines.map(({ code, label }) => [code, label]))];

Deno.test("mixedOperators() finds what WGSL's grammar refuses", () => {
  const code = `fn f(x: u32) -> array<vec4<f32>, 2u << 3u> {
    let inside = x >= low & x <= high;
    let right = (x >= low) & (x <= high);
    y = x & 3u; z = 1u << x + 2u; w = a | b | c; q = x >> 1u; r = x >> 1u & 3u;
    let v = vec2<u32>(1u, -1u & 2u);
    s = 1u << 2u << x;
    return a[i / 4u + (x & 3u)] * 2.0;
  }`;
  assertEquals(mixedOperators(code), ["x >= low & x <= high", "1u << x + 2u", "x >> 1u & 3u", "1u << 2u << x"]);
});

Deno.test("the pipelines hold every shader", async () => {
  const missing = (await readShaders(SHADERS)).filter(({ code }) => !codes.some(([joined]) => joined.includes(code)));
  assertEquals(missing.map(({ name }) => name), []);
});

Deno.test("the pipelines are those of every op, but for those that only view", async () => {
  const source = await Deno.readTextFile(new URL("_programs.ts", import.meta.url));
  const missing = Object.keys(ops).filter((name) => !(name in ROWS) && !new RegExp(`\\bops\\.${name}\\b`).test(source));
  assertEquals(missing.sort(), ["isFactored", "reshape", "squeeze", "unsqueeze"]);
});

Deno.test("no program stores to one element of a vector that invocations share, or takes a pointer to it", () => {
  const found = codes.flatMap(([code, label]) =>
    [...elementStores(code).map(({ statement }) => statement), ...sharedPointers(code)].map((one) => `${label}: ${one}`)
  );
  assertEquals(found, []);
});

Deno.test("no program mixes operators as WGSL's grammar refuses it", () => {
  assertEquals(codes.flatMap(([code, label]) => mixedOperators(code).map((one) => `${label}: ${one}`)), []);
});

Deno.test("every program binds as many buffers as its adapter has, and on Metal 31 with uniforms and lengths", () => {
  for (const { name, adapter, pipelines } of byAdapter) {
    for (const { label, entries } of pipelines) {
      const storages = entries.filter(({ buffer }) => buffer?.type !== "uniform").length;
      assert(
        storages <= adapter.limits.maxStorageBuffersPerShaderStage!,
        `${name}: ${label} binds ${storages} storages`,
      );
      assert(entries.length + 1 <= 31, `${name}: ${label} takes ${entries.length + 1} slots of Metal's 31`);
    }
  }
});

Deno.test("no program compares a value with itself, which tells no NaN where compilers assume that there is none", () => {
  const itself = /(?<![\w.\]])([A-Za-z_][\w.]*) *[!=]= *\1(?![\w.[(])/g;
  assertEquals("a.x != a.x, b == b.y".match(itself), ["a.x != a.x"]);
  assertEquals(codes.flatMap(([code, label]) => (code.match(itself) ?? []).map((one) => `${label}: ${one}`)), []);
});

Deno.test("on GPUs only lib/rows and lib/lanes shuffle, in the divisions of workgroups that subgroups_test.ts runs", () => {
  const own = [lib_rows_subgroup, lib_lanes_subgroup].map((part) => typeof part === "string" ? part : part.code);
  const found = new Set<string>();
  for (const { pipelines } of byAdapter.filter(({ adapter }) => !adapter.software)) {
    for (const { label, code, constants: { LANES, ROWS } } of pipelines) {
      if (!/\bsubgroup[A-Z]/.test(code)) continue;
      const rest = own.reduce((code, part) => code.replace(part, ""), code);
      assert(!/\bsubgroup[A-Z]/.test(rest), `${label} shuffles by itself`);
      found.add(JSON.stringify(ROWS ? [LANES, ROWS] : [LANES]));
    }
  }
  assertEquals([...found].sort(), DIVISIONS.map((each) => JSON.stringify(each)).sort());
});
