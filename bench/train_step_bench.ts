import { Device, keep } from "../mod.ts";
import { benchOn } from "./_bench.ts";
import { inScope, trainingStep } from "./_steps.ts";

const device = await Device.open();
const bench = await benchOn(device);
const images = device.info.family === "gpu" ? 512 : 16;
const step = trainingStep(device, "resnet18", { images });

// Right first: the loss of one batch falls.
const losses = Array.from({ length: 3 }, () => inScope(() => keep(step.run())));
const [first, , third] = await Promise.all(losses.map((loss) => loss.item()));
if (!(third! < first!)) throw new Error(`The loss does not fall: ${first} to ${third}`);
losses.forEach((loss) => loss.dispose());

const { parameters } = step;
await bench(`ResNet-18 (CIFAR stem) training step, ${images} images of 32 px`, () => step.run(), {
  n: 3,
  warmup: 1,
  parameters,
});
