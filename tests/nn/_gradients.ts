import { type NdArray, ndarray, toF32 } from "../../src/formats/mod.ts";
import type { Module } from "../../src/nn/mod.ts";
import { assertClose, TOLERANCE } from "../../src/testing/mod.ts";
import { toTorchLayout } from "../../src/weights/model_state.ts";
import { floatsOf, type readFixture } from "../fixtures/read.ts";

/** Asserts that every parameter has PyTorch's gradient, which the fixture holds as `train/grad/NAME`. */
export async function assertGradients(model: Module, golden: ReturnType<typeof readFixture>): Promise<void> {
  for (const [name, parameter] of model.namedParameters()) {
    const own: NdArray = ndarray([...parameter.shape], "f32", Float32Array.from(await parameter.grad!.data()));
    const expected = floatsOf(golden, `train/grad/${name}`);
    assertClose(toF32(toTorchLayout(own)), expected, { rtol: TOLERANCE.goldenGradient, atol: 1e-6 });
  }
}
