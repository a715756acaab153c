// The mean gray of every view, and then its colour steps from contrast on, grayscale and normalisation, in place.
//
//   0  params    uniform     { views, size, run, runs, mean0 … mean2, scale0 … scale2, nan_bits }
//   1  grays     read        [views, size * runs]     sums of gray of a run (augment_resample.wgsl)
//   2  prepared  read        [views]
//   3  y         read/write  [views, size, size, 3]
//   4  means     write       [views]
//   5  levels    read        [views]                  means, when they are read
//
// Constants: LANES and ROWS (lib/rows.wgsl).
// Dispatch: mean_gray ceil(views / ROWS) groups, folded; color_views Device.groups(views * size * runs, 64).
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
@group(0) @binding(1) var<storage, read> grays: array<f32>;
@group(0) @binding(2) var<storage, read> prepared: array<View>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> means: array<f32>;
@group(0) @binding(5) var<storage, read> levels: array<f32>;

@compute @workgroup_size(LANES, ROWS)
fn mean_gray(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let i = flat_id(group, groups, lane.y, ROWS);
  let parts = params.size * params.runs;
  let end = select(0u, parts, i < params.views);
  var sum = 0.0;
  for (var k = lane.x; k < end; k += LANES) {
    sum += grays[i * parts + k];
  }
  let all = sum_row(sum, lane);
  if (lane.x == 0u && i < params.views) { means[i] = all / f32(params.size * params.size); }
}

@compute @workgroup_size(64)
fn color_views(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let id = flat_id(group, groups, local, 64u);
  if (id >= params.views * params.size * params.runs) { return; }
  let i = id / params.runs / params.size;
  let view = prepared[i];
  let first = id % params.runs * params.run;
  let count = min(params.run, params.size - first);
  let level = levels[i];
  let steps = steps_of(view, view.contrast_at, view.steps);
  let gray = view.grayscale != 0u;
  let mean = vec3f(params.mean0, params.mean1, params.mean2);
  let scale = vec3f(params.scale0, params.scale1, params.scale2);
  var at = 3u * (id / params.runs * params.size + first);
  for (var k = 0u; k < count; k++) {
    var value = run_steps(vec3f(y[at], y[at + 1u], y[at + 2u]), steps, level);
    value = (select(value, vec3f(gray_of(value)), gray) - mean) * scale;
    value = select(vec3f(bitcast<f32>(params.nan_bits)), value, view.valid != 0u);
    y[at] = value.x;
    y[at + 1u] = value.y;
    y[at + 2u] = value.z;
    at += 3u;
  }
}
