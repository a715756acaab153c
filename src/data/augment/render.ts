import { type Constants, defineProgram } from "../../device/mod.ts";
import { augment_color, augment_finish, augment_prepare, augment_resample } from "../../shaders/augment.ts";
import { lib_augment, lib_colors, lib_flat, lib_rows } from "../../shaders/lib.ts";
import { NAN_BITS, policyOf } from "../../ops/internal.ts";
import { Tensor } from "../../tensor/mod.ts";
import { AUGMENT } from "./_tables.ts";
import { groupsOf, sourcePrograms } from "./choose.ts";
import type { Source } from "./images.ts";
import type { Recipe } from "./recipe.ts";

const PREPARE = sourcePrograms(augment_prepare, "prepare");
const RESAMPLE = defineProgram({
  name: "augment",
  code: [lib_flat, lib_augment, lib_colors, augment_resample],
  entryPoint: "resample_views",
});
const RESAMPLE_FOR_CONTRAST = { ...RESAMPLE, entryPoint: "resample_for_contrast" };
const MEAN_GRAY = defineProgram({
  name: "augment",
  code: [lib_flat, lib_augment, lib_colors, lib_rows, augment_color],
  entryPoint: "mean_gray",
});
const FINISH = defineProgram({
  name: "augment",
  code: [lib_flat, lib_augment, augment_finish],
  entryPoint: "finish_views",
});
const BLUR_ROWS = { ...FINISH, entryPoint: "blur_rows" };
const COLOR = { ...MEAN_GRAY, entryPoint: "color_views" };

/** Bytes of `View` in `shaders/lib/augment.wgsl`. */
const VIEW_BYTES = 34 * 4;
/** Input pixels that one invocation may read: some drivers end loops after 65,535 turns. */
const MOST_TAPS = 30_000;

/** The constants of `shaders/lib/rows.wgsl`. */
type MeanConstants = { readonly LANES: number; readonly ROWS: number };

/** Work of the passes. */
export interface Render {
  /** Whether any view may be rotated, or mapped otherwise. */
  readonly rotate: boolean;
  /** Whether any view may have colour steps or turn gray. */
  readonly color: boolean;
  /** Whether views may change their contrast. */
  readonly contrast: boolean;
  /** Pixels that a blur averages on either side, 0 where views are solarized only; null for neither. */
  readonly reach: number | null;
}

/** Makes the pixels of views from their parameters: `[batch, views, size, size, channels]`. */
export function renderViews(source: Source, samples: Tensor, choices: Tensor, recipe: Recipe, work: Render): Tensor {
  const prepared = prepare(source, samples, choices);
  const { reach } = work;
  if (reach === null) return colorViews(source, samples, prepared, recipe, work);
  const x = colorViews(source, samples, prepared, { ...recipe, mean: undefined, std: undefined }, work);
  return finishViews(x, prepared, recipe, reach);
}

/** Blurs, solarizes and normalises views. */
function finishViews(x: Tensor, prepared: Tensor, recipe: Recipe, reach: number): Tensor {
  const { device, shape } = x;
  const { size } = recipe;
  const channels = shape.at(-1)!;
  const views = shape[0]! * shape[1]!;
  const params = { views, size, reach, nan_bits: NAN_BITS, ...normalization(recipe, channels) };
  const workgroups = device.groups(views * size * size, 64);
  const run = (program: typeof FINISH, from: Tensor): Tensor => {
    const y = new Tensor(device, shape);
    const buffers = { 1: from.storage, 2: prepared.storage, 3: y.storage };
    device.dispatch(program, { params, buffers, workgroups, constants: { CHANNELS: channels } });
    return y;
  };
  return run(FINISH, reach > 0 ? run(BLUR_ROWS, x) : x);
}

/** Cuts, resizes and colours views. */
function colorViews(source: Source, samples: Tensor, prepared: Tensor, recipe: Recipe, work: Render): Tensor {
  const { device } = samples;
  const { size } = recipe;
  const batch = samples.shape[0]!;
  const count = prepared.size / VIEW_BYTES;
  const run = runOf(source, recipe, policyOf(device).of(AUGMENT).run);
  const runs = Math.ceil(size / run);
  const scalars = { views: count, size, run, runs, nan_bits: NAN_BITS, ...normalization(recipe, source.channels) };
  const y = new Tensor(device, [batch, count / batch, size, size, source.channels]);
  const grays = work.contrast ? new Tensor(device, [count, size * runs]) : null;
  const workgroups = device.groups(count * size * runs, 64);
  const constants: Constants = {
    CHANNELS: source.channels,
    CUBIC: recipe.interpolation === "bicubic",
    ROTATE: work.rotate,
    TURN_SMOOTHLY: recipe.rotationInterpolation === "bilinear",
    ...grays ? {} : { COLOR: work.color },
  };
  device.dispatch(grays ? RESAMPLE_FOR_CONTRAST : RESAMPLE, {
    params: scalars,
    buffers: { 1: source.bytes.storage, 2: prepared.storage, 3: y.storage, 4: grays?.storage },
    workgroups,
    constants,
  });
  if (!grays) return y;
  const means = new Tensor(device, [count]);
  const mean = meanConstants(policyOf(device).of(AUGMENT).mean, size * runs);
  device.dispatch(MEAN_GRAY, {
    params: scalars,
    buffers: { 1: grays.storage, 4: means.storage },
    workgroups: device.groups(count, mean.ROWS),
    constants: mean,
  });
  device.dispatch(COLOR, {
    params: scalars,
    buffers: { 2: prepared.storage, 3: y.storage, 5: means.storage },
    workgroups,
  });
  return y;
}

/** Pixels of a run: fewer where each reads many. */
function runOf(source: Source, { crop, interpolation, size }: Recipe, most: number): number {
  const to = crop.kind === "center" ? crop.resize ?? source.largest : size;
  const [height, width] = typeof to === "number" ? [to, to] : to;
  const radius = interpolation === "bicubic" ? 2 : 1;
  const taps = [source.largest[0] / height, source.largest[1] / width]
    .map((shrink) => 2 * radius * Math.max(1, shrink) + 2)
    .reduce((rows, columns) => rows * columns);
  if (taps > MOST_TAPS) {
    throw new RangeError(
      `Cannot augment() as images of up to ${source.largest.join(" x ")} px shrink too much for views of ${size} px: ` +
        "resize them when they are decoded",
    );
  }
  return Math.max(1, Math.min(most, size, Math.floor(MOST_TAPS / taps)));
}

/** Lanes for a sum of so many parts: as the table says, and more for a long one. */
function meanConstants({ LANES, ROWS }: MeanConstants, parts: number): MeanConstants {
  let lanes = LANES;
  while (lanes < 256 && parts / lanes > 2048) lanes *= 2;
  return { LANES: lanes, ROWS: Math.max(1, Math.floor(LANES * ROWS / lanes)) };
}

function prepare(source: Source, samples: Tensor, choices: Tensor): Tensor {
  const { device } = samples;
  const batch = samples.shape[0]!;
  const count = choices.shape[0]!;
  const prepared = new Tensor(device, [count * VIEW_BYTES], { dtype: "u8" });
  const params = { ...source.params, batch, views: count / batch, channels: source.channels };
  const buffers = { 1: samples.storage, 2: choices.storage, 3: prepared.storage };
  const workgroups = groupsOf(device, count);
  if (source.table) {
    device.dispatch(PREPARE.packed, { params, buffers: { ...buffers, 7: source.table.storage }, workgroups });
  } else device.dispatch(PREPARE.resident, { params, buffers, workgroups });
  return prepared;
}

function normalization(recipe: Recipe, channels: number) {
  const [mean0, mean1, mean2] = perChannel("mean", recipe.mean ?? [0], channels);
  const [std0, std1, std2] = perChannel("std", recipe.std ?? [1], channels);
  return { mean0, mean1, mean2, scale0: 1 / std0, scale1: 1 / std1, scale2: 1 / std2 };
}

function perChannel(name: string, values: readonly number[], channels: number): readonly [number, number, number] {
  if (values.length === 1) return [values[0]!, values[0]!, values[0]!];
  if (values.length === channels) return [values[0]!, values[1]!, values[2]!];
  throw new TypeError(
    `Cannot augment() as ${name} must have 1 or ${channels} values for images of ${channels} channels: got [${values}]`,
  );
}
