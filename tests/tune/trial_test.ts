import { assertAlmostEquals, assertEquals } from "@std/assert";
import { Device } from "../../src/device/mod.ts";
import { Answers, type Question } from "../../src/ops/shared/answers.ts";
import { exp } from "../../src/ops/mod.ts";
import { full, ones, scope } from "../../src/tensor/mod.ts";
import { testWith } from "../device/_features.ts";
import { clockStep, Trial } from "../../src/tune/trial.ts";

const device = await Device.open();

Deno.test("clockStep() is the step of which all times are multiples", () => {
  assertAlmostEquals(clockStep([0.065536, 0.196608, 0]), 0.065536, 1e-12);
  assertAlmostEquals(clockStep([0.000_032, 0.000_096]), 0.000_032, 1e-12);
  assertEquals(clockStep([0, 0]), 0.1); // nothing is known but that it is coarse
});

/** A device whose timestamps step by 65,536 ns, as those of Dawn, and how often an op of 20 µs ran on it. */
function coarse() {
  const op = { runs: 0 };
  const timeEach = (pieces: readonly (() => void)[]) =>
    Promise.resolve(pieces.map((piece) => {
      const before = op.runs;
      piece();
      return Math.floor(0.02 * (op.runs - before) / 0.065536) * 0.065536;
    }));
  const features = new Set(["timestamp-query"]);
  return { op, device: { features, timeEach } as unknown as Device };
}

Deno.test("Trial repeats candidates until they take many steps of a coarse clock", async () => {
  using _ = scope();
  const { op, device } = coarse();
  const run = () => (op.runs++, ones([1]));
  const question: Question = { key: "k", usual: "a", candidates: () => ["a", "b"], prepare: () => ({ run }) };
  const times = await new Trial(device, new Answers(() => {}), question).times(["a", "b"]);
  for (const answer of ["a", "b"]) assertAlmostEquals(times.get(answer)!, 0.02, 0.0004);
});

testWith(device, "timestamp-query", "Device.timeEach() times each piece as a whole", async () => {
  using _ = scope();
  const x = ones([64]);
  const long = () => Array.from({ length: 100 }, () => exp(x)); // Dawn's timestamps step by 65,536 ns
  const times = await device.timeEach([() => void long(), () => {}, () => void long()]);
  assertEquals(times.map((time) => time > 0), [true, false, true]);
});

Deno.test("Trial lets sums in f16 differ by as much as they may", async () => {
  using _ = scope();
  const answers = new Answers(() => {});
  const run = () => full([1], answers.find(question) === "b" ? 1.002 : 1);
  const question: Question = { key: "k", usual: "a", candidates: () => ["a", "b"], prepare: () => ({ run }) };
  assertEquals((await new Trial(device, answers, question).refusals(["b"])).map(({ answer }) => answer), ["b"]);
  assertEquals(await new Trial(device, answers, { ...question, sums: "f16" }).refusals(["b"]), []);
});
