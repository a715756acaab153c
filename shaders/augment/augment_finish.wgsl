// Gaussian blur of every view, one axis a pass, as torchvision's gaussian_blur (mirrored at the edges, which are not repeated);
// with the second pass solarize and normalisation.
//
//   0  params    uniform  { views, size, reach, mean0 … mean2, scale0 … scale2, nan_bits }
//   1  x         read     [views, size, size, channels]
//   2  prepared  read     [views]
//   3  y         write    [views, size, size, channels]
//
// reach: pixels on either side that are averaged, < size. A view with sigma 0 is not blurred, one with a threshold below 0
// not solarized. Constants: CHANNELS 1 or 3.
// Dispatch: Device.groups(views * size * size, 64).
struct Params {
  views: u32,
  size: u32,
  reach: u32,
  mean0: f32,
  mean1: f32,
  mean2: f32,
  scale0: f32,
  scale1: f32,
  scale2: f32,
  nan_bits: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> prepared: array<View>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
override CHANNELS: u32 = 3u;

// The pixels of a row or column: the middle one at `at`, its neighbours `stride` pixels apart; `place` of it along the axis.
struct Line { at: u32, place: i32, stride: i32 }

fn color_at(pixel: i32) -> vec3f {
  let at = u32(pixel) * CHANNELS;
  if (CHANNELS == 1u) { return vec3f(x[at]); }
  return vec3f(x[at], x[at + 1u], x[at + 2u]);
}

fn put(pixel: u32, color: vec3f) {
  let at = pixel * CHANNELS;
  y[at] = color.x;
  if (CHANNELS == 1u) { return; }
  y[at + 1u] = color.y;
  y[at + 2u] = color.z;
}

// A place along an axis, mirrored about the first and last pixel.
fn mirrored(place: i32) -> i32 {
  let last = i32(params.size) - 1;
  let inside = abs(place);
  return select(inside, 2 * last - inside, inside > last);
}

fn blurred(sigma: f32, line: Line) -> vec3f {
  let middle = color_at(i32(line.at));
  if (sigma <= 0.0) { return middle; }
  var sum = middle;
  var weights = 1.0;
  for (var k = 1; k <= i32(params.reach); k++) {
    let distance = f32(k) / sigma;
    let weight = exp(-0.5 * distance * distance);
    let before = i32(line.at) + (mirrored(line.place - k) - line.place) * line.stride;
    let after = i32(line.at) + (mirrored(line.place + k) - line.place) * line.stride;
    sum += weight * (color_at(before) + color_at(after));
    weights += 2.0 * weight;
  }
  return sum / weights;
}

@compute @workgroup_size(64)
fn blur_rows(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let id = flat_id(group, groups, local, 64u);
  if (id >= params.views * params.size * params.size) { return; }
  let view = prepared[id / params.size / params.size];
  put(id, blurred(view.sigma, Line(id, i32(id % params.size), 1)));
}

@compute @workgroup_size(64)
fn finish_views(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let id = flat_id(group, groups, local, 64u);
  if (id >= params.views * params.size * params.size) { return; }
  let view = prepared[id / params.size / params.size];
  var color = blurred(view.sigma, Line(id, i32(id / params.size % params.size), i32(params.size)));
  let turned = view.threshold >= 0.0 && view.valid != 0u;
  color = select(color, vec3f(1.0) - color, vec3<bool>(turned) & (color >= vec3f(view.threshold)));
  color = (color - vec3f(params.mean0, params.mean1, params.mean2)) *
    vec3f(params.scale0, params.scale1, params.scale2);
  put(id, select(vec3f(bitcast<f32>(params.nan_bits)), color, view.valid != 0u));
}
