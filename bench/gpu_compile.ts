/**
 * Code that compilers of real GPUs make of a training step, on a machine without one: every program of the step is compiled for
 * AMD cards by Mesa's RADV, which needs no card for that. Nothing is run: shares, registers and bytes are the compiler's and
 * the shapes'; times are a model's, to rank by. WGSL becomes SPIR-V by naga, as in Deno and Firefox, or by Tint, as in Chrome.
 *
 *     deno run -A bench/gpu_compile.ts [resnet18 | resnet50] [images] [--mixed [--sums f16]] [--family navi31] [--front tint] [--top 20] [--write | --check]
 *
 * `--check` fails where a shader is worse than it may be or than the committed table; `--write` puts the tables into bench/README.md, where a test compares them with what is compiled then.
 */
import { parseArgs } from "@std/cli/parse-args";
import { CARDS, type Family } from "./gpu_compile/_cards.ts";
import { compileStep } from "./gpu_compile/_compile_step.ts";
import { type Front, FRONTS, reasonAgainstTint } from "./gpu_compile/_front.ts";
import { committedShares, faultsOf, report } from "./gpu_compile/_report.ts";
import { writeReports } from "./gpu_compile/_write_reports.ts";
import { type NetworkName, NETWORKS } from "./_steps.ts";

const flags = parseArgs(Deno.args, {
  boolean: ["mixed", "write", "check"],
  string: ["family", "top", "sums", "front"],
});
const network = String(flags._[0] ?? "resnet18");
const { family = "navi31", front = "naga" } = flags;
if (!(network in NETWORKS) || !(family in CARDS) || !FRONTS.includes(front as Front)) {
  const wanted = `a network of ${Object.keys(NETWORKS)}, a family of ${Object.keys(CARDS)} and a front of ${FRONTS}`;
  console.error(`Cannot compile a step as it takes ${wanted}: got ${network}, ${family} and ${front}`);
  Deno.exit(2);
}
const lack = front === "tint" || flags.write ? await reasonAgainstTint() : "";
if (lack) {
  console.error(`Cannot compile with Tint as ${lack}`);
  Deno.exit(1);
}
if (flags.write) await writeReports();
else {
  const images = Number(flags._[1] ?? (network === "resnet18" ? 512 : 128));
  const sums = flags.sums === "f16" ? "f16" : "f32";
  const settings = { network: network as NetworkName, images, mixed: flags.mixed, sums } as const;
  const lines = await compileStep(settings, family as Family, front as Front);
  console.log(report(settings, family as Family, lines, Number(flags.top ?? 20)));
  if (flags.check) {
    const faults = faultsOf(lines, await committedShares(settings, family as Family));
    for (const fault of faults) console.error(fault);
    if (faults.length > 0) Deno.exit(1);
  }
}
