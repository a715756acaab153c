import { type Tensor, tensor } from "../../tensor/mod.ts";

/** One step of a colour jitter. */
export type ColorStep = "brightness" | "contrast" | "saturation" | "hue";

/** Random parameters of one view, in torchvision's terms. */
export interface ViewParameters {
  /** First row of the crop, px. */
  readonly top: number;
  /** First column of the crop, px. */
  readonly left: number;
  /** Rows of the crop, px. */
  readonly height: number;
  /** Columns of the crop, px. */
  readonly width: number;
  /** Size that the crop is resized to, px; the view's size by default. */
  readonly resized?: readonly [number, number];
  /** Row and column of the resized crop where the view starts, px; 0 by default. */
  readonly shift?: readonly [number, number];
  /** Rotation counter-clockwise, degrees; 0 by default. */
  readonly angle?: number;
  /** Shift to the right and down, px; 0 by default. */
  readonly translate?: readonly [number, number];
  /** Factor of the size; 1 by default. */
  readonly scale?: number;
  /** Shear parallel to the x and y axes, degrees; 0 by default. */
  readonly shear?: readonly [number, number];
  /** Horizontal flip; false by default. */
  readonly flip?: boolean;
  /** Factors of the colour jitter and their order; steps without a factor are left out, all of them by default. */
  readonly jitter?: Readonly<Partial<Record<ColorStep, number>>> & { readonly order?: readonly ColorStep[] };
  /** Turning gray; false by default. */
  readonly grayscale?: boolean;
  /** Standard deviation of the blur, px; 0, for none, by default. */
  readonly blur?: number;
  /** Threshold from which values are inverted, in [0, 1]; null, for none, by default. */
  readonly solarize?: number | null;
}

/** Words of a view's parameters on the device: `CHOICE` of `shaders/lib/augment.wgsl`. */
export const CHOICE = 24;

const STEPS: readonly ColorStep[] = ["brightness", "contrast", "saturation", "hue"];

/** Uploads parameters, f32 `[views, CHOICE]`, for views of this size. */
export function uploadParameters(views: readonly ViewParameters[], size: number, device: Tensor["device"]): Tensor {
  const words = new Float32Array(views.length * CHOICE);
  views.forEach((view, i) => words.set(encode(view, size), i * CHOICE));
  return tensor(words, { shape: [views.length, CHOICE], device });
}

function encode(view: ViewParameters, size: number): number[] {
  const { jitter, resized = [size, size], shift = [0, 0] } = view;
  const order = jitter?.order ?? STEPS;
  if (order.length !== 4 || !STEPS.every((step) => order.includes(step))) {
    throw new TypeError(`Cannot augment() as order must name each step of the colour jitter once: got [${order}]`);
  }
  return [
    view.top,
    view.left,
    view.height,
    view.width,
    Number(view.flip ?? false),
    view.angle ?? 0,
    Number(view.grayscale ?? false),
    Number(jitter !== undefined),
    jitter?.brightness ?? -1,
    jitter?.contrast ?? -1,
    jitter?.saturation ?? -1,
    jitter?.hue ?? 0,
    order.reduce((code, step, place) => code + STEPS.indexOf(step) * 4 ** place, 0),
    ...resized,
    ...shift,
    view.blur ?? 0,
    view.solarize ?? -1,
    ...view.translate ?? [0, 0],
    view.scale ?? 1,
    ...view.shear ?? [0, 0],
  ];
}

/** Reads parameters back, as `sampleViews()` drew them. */
export async function readParameters(choices: Tensor): Promise<Required<ViewParameters>[]> {
  const words = await choices.data();
  return Array.from({ length: words.length / CHOICE }, (_, i) => decode(words.subarray(i * CHOICE, (i + 1) * CHOICE)));
}

function decode(words: ArrayLike<number>): Required<ViewParameters> {
  const at = (place: number) => words[place]!;
  const order = [0, 1, 2, 3].map((place) => STEPS[Math.floor(at(12) / 4 ** place) % 4]!);
  const factors = STEPS.map((step, k) => [step, at(8 + k)] as const).filter(([step, f]) => step === "hue" || f >= 0);
  return {
    top: at(0),
    left: at(1),
    height: at(2),
    width: at(3),
    flip: at(4) !== 0,
    angle: at(5),
    translate: [at(19), at(20)],
    scale: at(21),
    shear: [at(22), at(23)],
    grayscale: at(6) !== 0,
    jitter: at(7) === 0 ? {} : { ...Object.fromEntries(factors), order },
    resized: [at(13), at(14)],
    shift: [at(15), at(16)],
    blur: at(17),
    solarize: at(18) < 0 ? null : at(18),
  };
}
