import { assertEquals } from "@std/assert";
import { Device, noGrad, scope, sizeOf, zeros } from "../../mod.ts";
import { matmul, maxPool2d } from "../../src/ops/mod.ts";
import { type ResNet, resnet18, resnet50 } from "../../src/nn/mod.ts";
import { countStep } from "../../bench/_roofline.ts";
import { dryRun, trace, type TracedOp } from "../../bench/_trace.ts";
import { workOf } from "../../bench/_work.ts";

const device = await Device.open();

function op(name: string, inputs: number[][], output: number[], wanted: boolean[] = []): TracedOp {
  return { index: 0, name, inputs, output, wanted, dispatches: 1 };
}

/** Multiply-adds of the convolutions and linear layers in a forward pass, biases left out. */
function multiplyAdds(make: () => ResNet, size: number): number {
  return dryRun(device, () => {
    using _ = scope();
    const model = make();
    const ops = trace(device, () => noGrad(() => model.forward(zeros([1, size, size, 3]))));
    model.dispose();
    return ops.filter(({ name }) => ["conv2d", "normConv2d", "linear"].includes(name)).reduce((sum, each) => {
      const bias = each.name === "linear" ? each.output!.at(-1)! : 0;
      const norm = each.name === "normConv2d" ? 6 * sizeOf(each.inputs[0]!) : 0;
      return sum + (workOf(each).flop - bias - norm) / 2;
    }, 0);
  });
}

Deno.test("workOf() counts the multiply-adds that are published for torchvision's ResNets", () => {
  assertEquals(multiplyAdds(() => resnet18({ numClasses: 1000 }), 224), 1_814_073_344);
  assertEquals(multiplyAdds(() => resnet50({ numClasses: 1000 }), 224), 4_089_184_256);
});

Deno.test("workOf() counts the CIFAR stem with its padding of 2: maps of 34, 17, 9 and 5 px", () => {
  const stage = (size: number, from: number, to: number) =>
    size ** 2 * (9 * from * to + 3 * 9 * to ** 2 + (from === to ? 0 : from * to));
  const expected = 34 ** 2 * 27 * 64 + stage(34, 64, 64) + stage(17, 64, 128) + stage(9, 128, 256) +
    stage(5, 256, 512) + 512 * 2048;
  assertEquals(multiplyAdds(() => resnet18({ stem: "cifar" }), 32), expected);
});

Deno.test("workOf() counts twice the forward for a convolution's gradients, once where one is not wanted", () => {
  const [x, w, y] = [[2, 9, 9, 4], [3, 3, 4, 8], [2, 5, 5, 8]];
  const [nx, nw, ny] = [2 * 81 * 4, 9 * 32, 2 * 25 * 8];
  const forward = 2 * 2 * 25 * nw;
  assertEquals(workOf(op("conv2d", [x, w], y)), { flop: forward, bytes: 4 * (nx + nw + ny) });
  const both = { flop: 2 * forward, bytes: 4 * (ny + 2 * nx + 2 * nw) };
  assertEquals(workOf(op("conv2d grad", [x, w], y, [true, true])), both);
  const first = { flop: forward, bytes: 4 * (ny + nx + nw) };
  assertEquals(workOf(op("conv2d grad", [x, w], y, [false, true])), first);
});

Deno.test("workOf() counts a normalised image once, forward and backward", () => {
  const [x, c, w, y] = [[2, 5, 5, 4], [4], [1, 1, 4, 8], [2, 5, 5, 8]];
  const [nx, nw, ny, forward] = [200, 32, 400, 2 * 50 * 32];
  const fused = op("normConv2d", [x, c, c, w], y);
  assertEquals(workOf(fused), { flop: forward + 6 * nx, bytes: 4 * (nx + 8 + nw + ny) });
  const grad = op("normConv2d grad", [x, c, c, w], y, [true, true, true, true]);
  assertEquals(workOf(grad), { flop: 2 * forward + 10 * nx, bytes: 4 * (ny + 2 * nx + 2 * nw + 8) });
});

Deno.test("workOf() counts two normalised tensors once each, forward and backward", () => {
  const [x, c] = [[2, 5, 5, 4], [4]];
  const inputs = [x, c, c, x, c, c];
  assertEquals(workOf(op("addNorms", inputs, x)), { flop: 13 * 200, bytes: 4 * (3 * 200 + 16) });
  const grad = op("addNorms grad", inputs, x, inputs.map(() => true));
  assertEquals(workOf(grad), { flop: 20 * 200, bytes: 4 * (5 * 200 + 16) });
});

Deno.test("workOf() reads what a strided 1 x 1 window touches and no more", () => {
  const { bytes } = workOf(op("conv2d", [[1, 9, 9, 4], [1, 1, 4, 8]], [1, 5, 5, 8]));
  assertEquals(bytes, 4 * (25 * 4 + 32 + 25 * 8));
});

Deno.test("workOf() counts pools, products and optimizers", () => {
  assertEquals(workOf(op("globalAvgPool", [[2, 5, 5, 8]], [2, 8])), { flop: 400, bytes: 4 * 416 });
  assertEquals(workOf({ ...op("sgd", [], []), output: undefined }, 1000), { flop: 2000, bytes: 12000 });
  using _ = scope();
  const ops = trace(device, () => {
    matmul(zeros([7, 5]), zeros([7, 3]), { transposeA: true });
    maxPool2d(zeros([1, 8, 8, 4]), { kernelSize: 3, stride: 2, padding: 1 });
  }).filter(({ name }) => name !== "fill");
  assertEquals(ops.map(({ name, output }) => [name, output]), [["matmul", [5, 3]], ["maxPool2d", [1, 4, 4, 4]]]);
  assertEquals(ops.map((each) => workOf(each)), [
    { flop: 2 * 5 * 3 * 7, bytes: 4 * (35 + 21 + 15) },
    { flop: 9 * 64, bytes: 4 * (256 + 64) },
  ]);
});

Deno.test("countStep() counts a whole training step of 512 images that would not fit, and leaves the device as it was", async () => {
  const { lines, peakBytes } = countStep(device, "resnet18", 512);
  const flop = (name: string) => lines.filter((line) => line.name.startsWith(name)).reduce((n, l) => n + l.flop, 0);
  const first = 2 * 512 * 34 ** 2 * 27 * 64;
  assertEquals(flop("conv2d grad"), 2 * flop("conv2d [") - first); // no gradient of the images
  const calls = (name: string) => lines.filter((line) => line.name.startsWith(name)).reduce((n, l) => n + l.calls, 0);
  assertEquals(
    ["conv2d [", "normConv2d [", "linear [", "pairTerm [", "augment", "sgd"].map(calls),
    [12, 8, 3, 1, 1, 1],
  );
  // The maps that backward needs, each convolution's input and output, are most of the memory.
  const maps = 4 * 512 * 2 * (34 ** 2 * 64 * 5 + 17 ** 2 * 128 * 5 + 81 * 256 * 5 + 25 * 512 * 5);
  assertEquals(peakBytes > maps / 4 && peakBytes < 2 * maps, true, `${peakBytes} beside ${maps}`);
  using _ = scope();
  assertEquals(await zeros([2]).data(), new Float32Array(2));
});
