// Centroids of unit-length views: c[b] = mean_v z[b, v] / max(||z[b, v]||, 1e-12).
//
//   0  params    uniform  { rows, views, features }       rows = batch * views
//   1  z         read     [batch, views, features]
//   2  inverse   write    [batch * views]                 1 / max(norm, 1e-12)   (read in centroids, grad)
//   3  c         write    [batch, features]               (centroids)
//   4  grad_c    read     [batch, features]               (projections, grad)
//   5  along     write    [batch * views]                 grad_c . z / norm^2    (read in grad)
//   6  grad_z    write    [batch, views, features]        (grad)
//
// inverse_norms:  Dispatch: Device.groups(rows, ROWS).
// centroids:      one element an invocation. Dispatch: Device.groups(batch * features, 64).
// projections:    Dispatch: Device.groups(rows, ROWS).
// grad:           grad_z = (grad_c - u (u . grad_c)) / (views norm), one element an invocation; 0 for a view shorter than
//                 1e-12, which has no direction. Dispatch: Device.groups(rows * features, 64).
//
// Constants: LANES and ROWS (lib/rows.wgsl).
struct Params { rows: u32, views: u32, features: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> z: array<f32>;
@group(0) @binding(2) var<storage, read_write> inverse: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;
@group(0) @binding(4) var<storage, read> grad_c: array<f32>;
@group(0) @binding(5) var<storage, read_write> along: array<f32>;
@group(0) @binding(6) var<storage, read_write> grad_z: array<f32>;

const EPS = 1e-12;

@compute @workgroup_size(LANES, ROWS)
fn inverse_norms(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let row = flat_id(group, groups, lane.y, ROWS);
  let end = select(0u, params.features, row < params.rows);
  let start = row * params.features;
  var sum = 0.0;
  for (var f = lane.x; f < end; f += LANES) { sum += z[start + f] * z[start + f]; }
  sum = sum_row(sum, lane);
  if (row < params.rows && lane.x == 0u) { inverse[row] = 1.0 / at_least(sqrt(sum), EPS); }
}

@compute @workgroup_size(64)
fn centroids(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let k = flat_id(group, groups, local, 64u);
  if (k * params.views >= params.rows * params.features) { return; }
  let sample = k / params.features;
  var sum = 0.0;
  for (var row = sample * params.views; row < (sample + 1u) * params.views; row++) {
    sum += z[row * params.features + k % params.features] * inverse[row];
  }
  c[k] = sum / f32(params.views);
}

@compute @workgroup_size(LANES, ROWS)
fn projections(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let row = flat_id(group, groups, lane.y, ROWS);
  let end = select(0u, params.features, row < params.rows);
  let start = row * params.features;
  let sample = (row / params.views) * params.features;
  var sum = 0.0;
  for (var f = lane.x; f < end; f += LANES) { sum += grad_c[sample + f] * z[start + f]; }
  sum = sum_row(sum, lane);
  if (row < params.rows && lane.x == 0u) { along[row] = sum * inverse[row] * inverse[row]; }
}

@compute @workgroup_size(64)
fn grad(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let k = flat_id(group, groups, local, 64u);
  if (k >= params.rows * params.features) { return; }
  let row = k / params.features;
  let g = grad_c[(row / params.views) * params.features + k % params.features];
  let value = (g - z[k] * along[row]) * inverse[row] / f32(params.views);
  grad_z[k] = select(value, 0.0, inverse[row] > 0.999 / EPS);
}
