import { augment, evalTransform, packImages, type ViewParameters } from "../../../src/data/augment/mod.ts";
import { Device } from "../../../src/device/mod.ts";
import { tensor } from "../../../src/tensor/mod.ts";
import { assertClose } from "../../../src/testing/mod.ts";
import { eachFamily } from "../../ops/shared/_forms.ts";
import { arrayOf, floatsOf, readFixture, readFixtureJson } from "../../fixtures/read.ts";

/** One case of `views.json`. */
interface ViewCase extends
  Pick<
    ViewParameters,
    "angle" | "translate" | "scale" | "shear" | "flip" | "jitter" | "grayscale" | "blur" | "solarize"
  > {
  name: string;
  size: number;
  box?: { top: number; left: number; height: number; width: number };
  interpolation?: "bilinear" | "bicubic";
  resize?: number | [number, number] | null;
  turn?: "nearest" | "bilinear";
  window?: number;
}

const device = await Device.open();
const fixture = readFixture("views");
const { cases, mean, std } = readFixtureJson<{ cases: ViewCase[]; mean: number[]; std: number[] }>("views");

for (const { name, size, box, interpolation = "bilinear", resize, turn, window, ...rest } of cases) {
  Deno.test(`augment() agrees with torchvision: ${name}`, async () => {
    const { shape, data } = arrayOf(fixture, `${name}.image`);
    const [height, width] = shape as [number, number, number];
    const bytes = Uint8Array.from(data as Uint8Array);
    const recipe = {
      ...evalTransform({ size, mean, std, resize: resize ?? undefined }),
      ...{ interpolation, rotationInterpolation: turn },
      ...window === undefined ? {} : { blur: { p: 1, sigma: [1, 1], kernelSize: window } as const },
    };
    const parameters = box && [{ ...box, ...rest }];
    const options = { indices: [0], views: 1, recipe, parameters };
    const expected = floatsOf(fixture, `${name}.out`);
    await eachFamily(device, async () => {
      const resident = tensor(bytes, { shape: [1, ...shape] });
      assertClose(await augment(resident, options).data(), expected, { rtol: 5e-6 });
      const packed = packImages([{ data: bytes, height, width }]);
      assertClose(await augment(packed, options).data(), expected, { rtol: 5e-6 });
    });
  });
}
