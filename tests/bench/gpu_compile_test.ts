import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { fmaShare, instructionMix, mainLoop, multiplyAdds } from "../../bench/gpu_compile/_assembly.ts";
import { reasonAgainstCards } from "../../bench/gpu_compile/_cards.ts";
import { autocast, Device, key, matmul, scope, uniform } from "../../mod.ts";
import { compilePipelines, compileStep } from "../../bench/gpu_compile/_compile_step.ts";
import type { Line } from "../../bench/gpu_compile/_estimate.ts";
import { committedShares, faultsOf, STEPS } from "../../bench/gpu_compile/_report.ts";
import { reasonAgainstTint } from "../../bench/gpu_compile/_front.ts";
import { LARGE } from "../../bench/gpu_compile/_step.ts";
import { nullGpu, type Pipeline } from "../portability/_null_gpu.ts";
import { reasonAgainstSpirv } from "../../bench/gpu_compile/_spirv.ts";

const ASSEMBLY = `
BB0:
  s_mov_b32 s0, 0                                          ; be800080
  buffer_load_b128 v[0:3], v4, s[0:3], 0 offen             ; e05c0000
BB1:
  v_add_f32_e32 v0, 1.0, v0                                ; 06000
BB2:
  v_dual_fmac_f32 v5, v6, v7 :: v_dual_mul_f32 v8, v9, v10 ; c8000
  v_fma_f32 v5, v6, v7, v8                                 ; d6130
  v_pk_fma_f16 v5, v6, v7, v8                              ; cc0e0
  ds_load_b128 v[0:3], v4                                  ; dbfc
  s_cbranch_scc1 BB2                                       ; bfa2
  s_cbranch_vccnz BB1                                      ; bfa3
BB3:
  global_store_b32 v[0:1], v2, off                         ; dc6a
  s_endpgm
`;

Deno.test("a loop counts its own instructions, each half of a dual one", () => {
  const mix = instructionMix(ASSEMBLY);
  assertEquals(mix.loops, [{ vector: 1 }, { fma: 2, vector: 1, packedF16: 1, sharedLoad: 1, other: 2 }]);
  assertEquals(mix.bytesAnInvocation, 20);
  assertAlmostEquals(fmaShare(mainLoop(mix)), 0.75);
  assertAlmostEquals(multiplyAdds(mainLoop(mix)), 1); // a packed one is two
  assertEquals(instructionMix(ASSEMBLY.replace("ds_load", "global_load")).bytesAnInvocation, null);
});

Deno.test("spills, poor products and lost shares are faults", () => {
  const line: Line = {
    ...{ name: "a tile", calls: 1, seconds: 1, bytes: 1, boundBy: "bytes", fma: 0.9, loadsPerFma: 0.1 },
    ...{ registers: 100, spills: 0, waves: 8, product: true },
  };
  const faults = (changed: Partial<Line>) => faultsOf([{ ...line, ...changed }], new Map([["a tile", [91]]]));
  assertEquals(faults({}), []);
  assertEquals(faults({ spills: 2 }), ["a tile spills 2 registers"]);
  assertEquals(faults({ fma: 0.87 }), ["a tile fell from 91 to 87 % multiply-adds"]);
  assertEquals(faults({ fma: 0.7 }).length, 2);
  assertEquals(faults({ fma: 0.7, product: false, name: "another" }), []);
  assertEquals(faults({ fma: 0.7, name: "matmul half64 f16" }), []); // each is two
});

const reason = await reasonAgainstCards() || await reasonAgainstSpirv();
const reasonOfTint = reason || await reasonAgainstTint();

Deno.test({
  name: `an RDNA 3 card's compiler makes of a step what bench/README.md says${reason && ` (skipped as ${reason})`}`,
  ignore: reason !== "",
  async fn() {
    const lines = await compileStep(STEPS[0], "navi31");
    assert(lines.length > 50);
    assertEquals(faultsOf(lines, await committedShares(STEPS[0], "navi31")), []);
    const narrow = lines.filter(({ product, loadsPerFma }) => product && loadsPerFma > 0.1); // one number a load: 0.25
    assertEquals(narrow.map(({ name }) => name), []);
    const transforms = lines.filter(({ name }) => name.includes("winograd"));
    assert(transforms.length > 5);
    for (const { name, registers, waves } of transforms) {
      assert(registers <= 96 && waves >= 16, `${name} takes ${registers} registers and leaves ${waves} waves`);
    }
  },
});

Deno.test({
  name: `under Tint its share is within 3 points of naga's${reasonOfTint && ` (skipped as ${reasonOfTint})`}`,
  ignore: reasonOfTint !== "",
  async fn() {
    const lines = await compileStep(STEPS[0], "navi31", "tint");
    assert(lines.length > 50);
    assertEquals(faultsOf(lines, await committedShares(STEPS[0], "navi31")), []);
  },
});

Deno.test({
  name: `cards' compilers pack sums in f16${reason && ` (skipped as ${reason})`}`,
  ignore: reason !== "",
  async fn() {
    const made: Pipeline[] = [];
    const device = await Device.open({ gpu: nullGpu(LARGE, made) });
    {
      using _ = scope();
      const x = uniform([4096, 1024], { key: key(1), device });
      for (const sums of ["f32", "f16"] as const) {
        autocast(() => matmul(x, x, { transposeB: true }), { sums, device });
      }
    }
    device.close();
    const tiles = made.filter(({ label }) => / (tile|half)128 /.test(label));
    assertEquals(tiles.length, 2);
    for (const codes of await compilePipelines(tiles, ["navi31", "navi21", "vega20"])) {
      const [plain, packed] = codes.map((code) => multiplyAdds(mainLoop(code)));
      assert(packed! > 1.25 * plain!, `${packed} and ${plain} multiply-adds an instruction`);
      assertEquals(codes.map(({ statistics }) => statistics["Spilled VGPRs"]), [0, 0]);
    }
  },
});
