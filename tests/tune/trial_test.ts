import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { Device } from "../../src/device/mod.ts";
import { Choices, type Question } from "../../src/ops/product/choices.ts";
import { exp } from "../../src/ops/mod.ts";
import { ones, scope } from "../../src/tensor/mod.ts";
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
  const group = { runs: 0 };
  let rows = new Map<string, number>();
  const runGroup = (name: string, body: () => void) => {
    const before = group.runs;
    body();
    rows.set(name, Math.floor(0.02 * (group.runs - before) / 0.065536) * 0.065536);
  };
  const stopProfile = () => {
    const result = [...rows].map(([name, milliseconds]) => ({ name, count: 1, milliseconds }));
    rows = new Map();
    return Promise.resolve(result);
  };
  const features = new Set(["timestamp-query"]);
  return { group, device: { features, runGroup, stopProfile, startProfile() {} } as unknown as Device };
}

Deno.test("Trial repeats candidates until they take many steps of a coarse clock", async () => {
  using _ = scope();
  const { group, device } = coarse();
  const run = () => (group.runs++, ones([1]));
  const question: Question = { key: "k", usual: "a", candidates: () => ["a", "b"], rehearse: () => ({ run }) };
  const times = await new Trial(device, new Choices(), question).times(["a", "b"]);
  for (const answer of ["a", "b"]) assertAlmostEquals(times.get(answer)!, 0.02, 0.0004);
});

testWith(device, "timestamp-query", "Device.startProfile() times what runs under one name as a whole", async () => {
  using _ = scope();
  const x = ones([64]);
  device.startProfile({ groups: true });
  for (const name of ["a", "b", "a"]) device.runGroup(name, () => void (exp(exp(x))));
  const rows = await device.stopProfile();
  assertEquals(new Map(rows.map(({ name, count }) => [name, count])), new Map([["a", 2], ["b", 1]]));
  assert(rows.every(({ milliseconds }) => milliseconds > 0));
});
