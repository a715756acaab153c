import { assert } from "@std/assert";
import { Device, rbfGram, zeros } from "../../mod.ts";
import { inScope, type NetworkName, trainingStep } from "../../bench/_steps.ts";
import { dryRun } from "../../bench/_trace.ts";
import { hatMatrix } from "../../src/ops/mod.ts";
import { inFamily } from "../ops/shared/_forms.ts";

const device = await Device.open();

/** Dispatches of a step of 4 images of 32 px, which is as few as the cheapest forms have; nothing is computed. */
function dispatchesOf(network: NetworkName): number {
  const { dispatch } = device;
  let count = 0;
  device.dispatch = () => void count++;
  try {
    const step = trainingStep(device, network, { images: 4, size: 32 });
    count = 0;
    inScope(() => void step.run());
    step.dispose();
    return count;
  } finally {
    device.dispatch = dispatch;
  }
}

/** Buffers that the optimizers bind at once where they can: with fewer they take more dispatches. */
const BOUND = 29;
const few = device.limits.maxStorageBuffersPerShaderStage < BOUND;
const reason = few ? ` (skipped as the adapter binds fewer than ${BOUND} buffers)` : "";

// Each costs the host 2 to 4 microseconds a step: what adds one to every layer shows here.
for (const [network, most] of [["resnet18", 208], ["resnet50", 338]] as const) {
  Deno.test(`a training step of ${network} takes at most ${most} dispatches${reason}`, { ignore: few }, async () => {
    await inFamily(device, "cpu", () => {
      const count = dispatchesOf(network);
      assert(count <= most, `${count} dispatches`);
      return Promise.resolve();
    });
  });
}

/** Workgroups of each dispatch of the centroid weights of n samples on a large GPU; nothing is computed. */
function workgroupsOf(n: number): number[] {
  return dryRun(device, () => {
    const all: number[] = [];
    device.dispatch = (_, { workgroups: [x, y, z] }) => void all.push(x * y * z);
    inScope(() => {
      const prior = zeros([n, 2048]);
      all.length = 0;
      hatMatrix(rbfGram(prior, prior, { gamma: 1 }), { ridge: 0.01 });
    });
    return all.filter((count) => count > 0);
  });
}

// A GPU waits for each to end, and one of few workgroups keeps little of it busy.
for (const [n, most, mostSmall] of [[256, 67, 45], [1024, 103, 28], [2048, 146, 26]] as const) {
  Deno.test(`the centroid weights of ${n} samples take at most ${most} dispatches, ${mostSmall} of them small`, () => {
    const workgroups = workgroupsOf(n);
    const small = workgroups.filter((count) => count < 64).length;
    assert(workgroups.length <= most && small <= mostSmall, `${workgroups.length} dispatches, ${small} small`);
  });
}
