import { assert } from "@std/assert";
import { Device } from "../../mod.ts";
import { inScope, type NetworkName, trainingStep } from "../../bench/_steps.ts";
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

// Each costs the host 2 to 4 microseconds a step: what adds one to every layer shows here.
for (const [network, most] of [["resnet18", 208], ["resnet50", 338]] as const) {
  Deno.test(`a training step of ${network} takes at most ${most} dispatches`, async () => {
    await inFamily(device, "cpu", () => {
      const count = dispatchesOf(network);
      assert(count <= most, `${count} dispatches`);
      return Promise.resolve();
    });
  });
}
