// Cuts, resizes (antialiased, as Pillow: the filter grows with the shrink factor), maps (rotation, shift, scale,
// shear) and flips every view, from bytes
// to floats in [0, 1]; then all colour steps and normalisation, or, where contrast needs a mean of gray, the
// steps before it.
//
//   0  params    uniform  { views, size, run, runs, mean0 … mean2, scale0 … scale2, nan_bits }   (normalisation)
//   1  bytes     read     images, one byte a channel
//   2  prepared  read     [views]
//   3  y         write    [views, size, size, channels]
//   4  grays     write    [views, size * runs]  sums of gray of a run (resample_for_contrast)
//
// A run: `run` pixels of one row, for one invocation; `runs` of them make a row. views: of the whole batch.
// Constants: CHANNELS 1 or 3; CUBIC, bicubic (a = -0.5) rather than bilinear; ROTATE, the views are
// mapped about their middle, to the nearest pixel or, with TURN_SMOOTHLY, between four; COLOR, they have colour steps or turn gray (3 channels).
// Dispatch: Device.groups(views * size * runs, 64).
struct Params {
  views: u32,
  size: u32,
  run: u32,
  runs: u32,
  mean0: f32,
  mean1: f32,
  mean2: f32,
  scale0: f32,
  scale1: f32,
  scale2: f32,
  nan_bits: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> bytes: array<u32>;
@group(0) @binding(2) var<storage, read> prepared: array<View>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> grays: array<f32>;
override CHANNELS: u32 = 3u;
override CUBIC: bool = false;
override COLOR: bool = false;
override ROTATE: bool = false;
override TURN_SMOOTHLY: bool = false;

// A pixel in [0, 1]; three channels may lie across two words.
fn pixel_at(at: u32) -> vec3f {
  let shift = 8u * (at & 3u);
  let low = bytes[at >> 2u] >> shift;
  if (CHANNELS == 1u) { return vec3f(f32(low & 0xffu) / 255.0); }
  let high = bytes[(at >> 2u) + 1u];
  return unpack4x8unorm(select(low | (high << (32u - shift)), low, shift == 0u)).xyz;
}

fn filter_weight(distance: f32) -> f32 {
  let t = abs(distance);
  if (!CUBIC) { return max(0.0, 1.0 - t); }
  let near = (1.5 * t - 2.5) * t * t + 1.0;
  let far = ((-0.5 * t + 2.5) * t - 4.0) * t + 2.0;
  return select(select(0.0, far, t < 2.0), near, t < 1.0);
}

// The pixels that reach one output pixel along an axis: `first` up to `end`, weighed by their distance from `center`.
struct Taps { first: i32, end: i32, center: f32, sharpness: f32 }

fn taps_of(q: i32, crop: u32, resized: u32) -> Taps {
  let scale = f32(crop) / f32(resized);
  let support = select(1.0, 2.0, CUBIC) * max(scale, 1.0);
  let center = scale * (f32(q) + 0.5);
  return Taps(
    max(i32(center - support + 0.5), 0),
    min(i32(center + support + 0.5), i32(crop)),
    center - 0.5,
    1.0 / max(scale, 1.0),
  );
}

fn resample(view: View, rows: Taps, cols: Taps) -> vec3f {
  var sum = vec3f(0.0);
  var row_weights = 0.0;
  var col_weights = 0.0;
  for (var row = rows.first; row < rows.end; row++) {
    var line = vec3f(0.0);
    col_weights = 0.0;
    var at = view.offset + ((view.top + u32(row)) * view.width + view.left + u32(cols.first)) * CHANNELS;
    for (var col = cols.first; col < cols.end; col++) {
      let weight = filter_weight((f32(col) - cols.center) * cols.sharpness);
      line += weight * pixel_at(at);
      col_weights += weight;
      at += CHANNELS;
    }
    let weight = filter_weight((f32(row) - rows.center) * rows.sharpness);
    sum += weight * line;
    row_weights += weight;
  }
  return sum / (row_weights * col_weights);
}

// Where an output pixel lies in the cut and resized image: mapped back about the middle.
fn source_of(view: View, row: u32, col: u32) -> vec2f {
  let x = select(col, params.size - 1u - col, view.flip != 0u);
  if (!ROTATE) { return vec2f(f32(row), f32(x)); }
  let middle = 0.5 * f32(params.size) - 0.5;
  let right = f32(x) - middle - view.shift_right;
  let down = f32(row) - middle - view.shift_down;
  return vec2f(
    view.down_right * right + view.down_down * down,
    view.right_right * right + view.right_down * down,
  ) + middle;
}

// A pixel of the cut and resized image; black outside.
fn resized_pixel(view: View, q: vec2i) -> vec3f {
  let at = q + vec2i(view.shift_y, view.shift_x);
  let resized = vec2u(view.resized_h, view.resized_w);
  if (any(q < vec2i(0)) || any(q >= vec2i(i32(params.size))) || any(at < vec2i(0)) || any(at >= vec2i(resized))) {
    return vec3f(0.0);
  }
  return resample(view, taps_of(at.x, view.height, resized.x), taps_of(at.y, view.crop_width, resized.y));
}

fn view_pixel(view: View, row: u32, col: u32) -> vec3f {
  let source = source_of(view, row, col);
  if (!ROTATE || !TURN_SMOOTHLY) { return resized_pixel(view, vec2i(round(source))); }
  let corner = floor(source);
  let part = source - corner;
  var sum = vec3f(0.0);
  for (var k = 0u; k < 4u; k++) {
    let step = vec2f(f32(k / 2u), f32(k % 2u));
    let weight = mix(1.0 - part, part, step);
    sum += weight.x * weight.y * resized_pixel(view, vec2i(corner + step));
  }
  return sum;
}

fn store_pixel(view: View, at: u32, color: vec3f) {
  let value = select(vec3f(bitcast<f32>(params.nan_bits)), color, view.valid != 0u);
  if (CHANNELS == 1u) {
    y[at] = value.x;
  } else {
    y[3u * at] = value.x;
    y[3u * at + 1u] = value.y;
    y[3u * at + 2u] = value.z;
  }
}

// The pixels of one invocation: row and columns of one view.
struct Run { i: u32, row: u32, first: u32, end: u32 }

fn run_of(id: u32) -> Run {
  let first = id % params.runs * params.run;
  let line = id / params.runs;
  return Run(line / params.size, line % params.size, first, min(first + params.run, params.size));
}

@compute @workgroup_size(64)
fn resample_views(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let id = flat_id(group, groups, local, 64u);
  if (id >= params.views * params.size * params.runs) { return; }
  let run = run_of(id);
  let view = prepared[run.i];
  let steps = steps_of(view, 0u, view.steps);
  let mean = vec3f(params.mean0, params.mean1, params.mean2);
  let scale = vec3f(params.scale0, params.scale1, params.scale2);
  for (var col = run.first; col < run.end; col++) {
    var value = view_pixel(view, run.row, col);
    if (COLOR) {
      value = run_steps(value, steps, 0.0);
      value = select(value, vec3f(gray_of(value)), view.grayscale != 0u);
    }
    store_pixel(view, (run.i * params.size + run.row) * params.size + col, (value - mean) * scale);
  }
}

@compute @workgroup_size(64)
fn resample_for_contrast(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let id = flat_id(group, groups, local, 64u);
  if (id >= params.views * params.size * params.runs) { return; }
  let run = run_of(id);
  let view = prepared[run.i];
  let steps = steps_of(view, 0u, view.contrast_at);
  var sum = 0.0;
  for (var col = run.first; col < run.end; col++) {
    let value = run_steps(view_pixel(view, run.row, col), steps, 0.0);
    store_pixel(view, (run.i * params.size + run.row) * params.size + col, value);
    sum += gray_of(value);
  }
  grays[id] = sum;
}
