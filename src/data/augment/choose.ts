import {
  type Accesses,
  type AccessOf,
  defineProgram,
  type Device,
  type ParamsOf,
  type ParamTypes,
  type Program,
  type ShaderPart,
} from "../../device/mod.ts";
import { withParts } from "../../device/internal.ts";
import { augment_choose } from "../../shaders/augment.ts";
import { lib_augment, lib_flat, lib_images_packed, lib_images_resident, lib_philox } from "../../shaders/lib.ts";
import { type Key, Tensor } from "../../tensor/mod.ts";
import type { Source } from "./images.ts";
import { affineRanges } from "./affine.ts";
import { CHOICE } from "./parameters.ts";
import type { Recipe } from "./recipe.ts";

/** Programs of one task, for images of one size and for packed images. */
export interface SourcePrograms<P extends ParamTypes, A extends Accesses> {
  /** Program for images of one size. */
  readonly resident: Program<P, A>;
  /** Program for packed images, which come with a table. */
  readonly packed: Program<P, A & typeof lib_images_packed.access>;
}

/** Makes both programs of an entry point. */
export function sourcePrograms<const S extends ShaderPart>(
  code: S,
  entryPoint: string,
): SourcePrograms<ParamsOf<[S]>, AccessOf<[S]>> {
  const program = withParts(
    defineProgram({ name: "augment", code: [code], entryPoint }),
    lib_flat,
    lib_philox,
    lib_augment,
  );
  return { resident: withParts(program, lib_images_resident), packed: withParts(program, lib_images_packed) };
}

const RANDOM = sourcePrograms(augment_choose, "choose_random");
const CENTER = sourcePrograms(augment_choose, "choose_center");

/** Sets the streams of augmentation apart from those that `uniform()` and `normal()` draw with the same seed. */
const DOMAIN = 0x61756721;

/** Key of the random parameters of views, beside the recipe and the sizes of the images. */
export interface ViewsKey {
  /** Seed of the whole run; an integer, 0 ≤ seed < 2⁵³. */
  readonly seed: number;
  /** An integer, 0 ≤ epoch < 2³². */
  readonly epoch: number;
  /** Views of each sample. */
  readonly views: number;
  /** Number of the first view, for the random numbers. */
  readonly firstView: number;
}

/** Draws the parameters of every view, f32 `[batch * views, CHOICE]`; view i by recipe i, cycling through the recipes. */
export function chooseViews(source: Source, samples: Tensor, recipes: readonly Recipe[], drawn: ViewsKey): Tensor {
  const { views } = drawn;
  const choices = new Tensor(samples.device, [samples.shape[0]! * views, CHOICE]);
  const [only] = recipes;
  if (only && recipes.length === 1) choose(source, samples, choices, only, { ...drawn, first: 0, count: views });
  else {
    for (let first = 0; first < views; first++) {
      choose(source, samples, choices, recipes[first % recipes.length]!, { ...drawn, first, count: 1 });
    }
  }
  return choices;
}

function choose(
  source: Source,
  samples: Tensor,
  choices: Tensor,
  recipe: Recipe,
  { views, epoch, seed, firstView: offset, first, count }: ViewsKey & { first: number; count: number },
): void {
  const { device } = samples;
  const batch = samples.shape[0]!;
  const [key0, key1] = keyOf(seed);
  const programs = recipe.crop.kind === "random" ? RANDOM : CENTER;
  const place = { batch, views, first, count, offset, channels: source.channels };
  const params = { ...source.params, ...scalarsOf(recipe), ...place, epoch, key0, key1 };
  const buffers = { 1: samples.storage, 2: choices.storage };
  const workgroups = groupsOf(device, batch * count);
  if (source.table) {
    device.dispatch(programs.packed, { params, buffers: { ...buffers, 7: source.table.storage }, workgroups });
  } else device.dispatch(programs.resident, { params, buffers, workgroups });
}

/** Workgroups of 64 for so many views. */
export function groupsOf(device: Device, views: number): ReturnType<Device["groups"]> {
  return device.groups(views, 64);
}

function keyOf(seed: number): Key {
  return [seed >>> 0, (Math.floor(seed / 2 ** 32) ^ DOMAIN) >>> 0];
}

function affineScalars({ affine, size }: Recipe) {
  const { translate, scale, shear } = affineRanges(affine, size);
  return {
    translate_x: translate[0],
    translate_y: translate[1],
    factor_min: scale[0],
    factor_max: scale[1],
    shear_x_min: shear[0],
    shear_x_max: shear[1],
    shear_y_min: shear[2],
    shear_y_max: shear[3],
  };
}

function scalarsOf(recipe: Recipe) {
  const { crop, jitter, blur, solarize } = recipe;
  const random = crop.kind === "random" ? crop : { scale: [1, 1], ratio: [1, 1] } as const;
  const resize = crop.kind === "center" ? crop.resize : undefined;
  const [height, width] = typeof resize === "number" ? [resize, resize] : resize ?? [0, 0];
  return {
    size: recipe.size,
    scale_min: random.scale[0],
    scale_max: random.scale[1],
    log_ratio_min: Math.log(random.ratio[0]),
    log_ratio_max: Math.log(random.ratio[1]),
    flip_p: recipe.flip,
    rotation: recipe.rotation,
    ...affineScalars(recipe),
    jitter_p: jitter?.p ?? 0,
    brightness: jitter?.brightness ?? 0,
    contrast: jitter?.contrast ?? 0,
    saturation: jitter?.saturation ?? 0,
    hue: jitter?.hue ?? 0,
    grayscale_p: recipe.grayscale,
    resize: resize === undefined ? 0 : typeof resize === "number" ? 1 : 2,
    resize_h: height,
    resize_w: width,
    blur_p: blur?.p ?? 0,
    sigma_min: blur?.sigma[0] ?? 1,
    sigma_max: blur?.sigma[1] ?? 1,
    solarize_p: solarize?.p ?? 0,
    threshold: solarize?.threshold ?? 0,
  };
}
