import { assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../src/device/mod.ts";
import { ConvTranspose2d } from "../../src/nn/mod.ts";
import { tensor } from "../../src/tensor/mod.ts";

await Device.open();

Deno.test("ConvTranspose2d loads PyTorch's [in, out / groups, kh, kw] weight", async () => {
  const layer = new ConvTranspose2d({ inChannels: 2, outChannels: 1, kernelSize: [1, 2], stride: [1, 2] });
  const weight = { shape: [2, 1, 1, 2], data: [1, 10, 100, 1000] };
  layer.loadStateDict(new Map([["weight", weight], ["bias", { shape: [1], data: [0.5] }]]), { layout: "torch" });
  const y = layer.forward(tensor([1, 2, 3, 4], { shape: [1, 1, 2, 2] }));
  assertEquals(y.shape, [1, 1, 4, 1]);
  assertEquals(await y.data(), new Float32Array([201.5, 2010.5, 403.5, 4030.5]));
});

Deno.test("ConvTranspose2d throws where groups do not divide the channels", () => {
  assertThrows(
    () => new ConvTranspose2d({ inChannels: 4, outChannels: 3, kernelSize: 1, groups: 2 }),
    RangeError,
    "Cannot make ConvTranspose2d as groups must divide both channels: got 2 for 4 and 3",
  );
});
