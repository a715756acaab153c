// Batch normalisation over rows, per channel: y = (x - mean) / sqrt(variance + eps) * weight + bias (+ residual), then ReLU.
// x is [rows, channels]; V is vec4f when channels is a multiple of 4 and f32 otherwise; columns = channels / lanes of V.
// x, residual and y hold X: V, or its f16 (src/ops/_slices.ts). Moments are those of a slice of the rows: mean, sum of squared
// deviations, count; few slices are joined by every invocation that needs them.
//
//   0  params        uniform     { rows, columns, slices (of norm), step, span, block, eps, momentum }
//   1  x             read        [rows, columns]
//   2  moments       write       [blocks or chunks, 3, columns]
//   3  norm          read        [slices, 3, columns]
//   4  running_mean  read/write  [columns]
//   5  running_var   read/write  [columns]              unbiased
//   6  weight        read        [columns]
//   7  bias          read        [columns]
//   8  residual      read        [rows, columns]
//   9  y             write       [rows, columns]
//  10  reading       write       [columns, 2]           scale and shift of x, for lib/read_normalized.wgsl; or
//                                [columns, 4]           these, mean and 1 / deviation, for add_norms.wgsl
//
// Joined behind (src/ops/_batch_norm.ts): added(at, value), the value with the residual where there is one.
// Constants: RELU; LANES, invocations that share the merge of one column, a power of two <= 256.
// Dispatch: slice_moments, normalize…: as lib/slices.wgsl; merge_slices: Device.groups(chunks * columns, 64), chunks of
// `block` slices; merge_moments, merge_to…: columns groups; from_running: Device.groups(columns, 64).
struct Params { rows: u32, columns: u32, slices: u32, step: u32, span: u32, block: u32, eps: f32, momentum: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read_write> moments: array<V>;
@group(0) @binding(3) var<storage, read> norm: array<V>;
@group(0) @binding(4) var<storage, read_write> running_mean: array<V>;
@group(0) @binding(5) var<storage, read_write> running_var: array<V>;
@group(0) @binding(6) var<storage, read> weight: array<V>;
@group(0) @binding(7) var<storage, read> bias: array<V>;
@group(0) @binding(8) var<storage, read> residual: array<X>;
@group(0) @binding(9) var<storage, read_write> y: array<X>;
@group(0) @binding(10) var<storage, read_write> reading: array<V>;
override RELU: bool = false;
override LANES: u32 = 1u;

fn put_moments(slice: u32, column: u32, all: ColumnMoments) {
  let base = 3u * slice * params.columns + column;
  moments[base] = all.mean;
  moments[base + params.columns] = all.squares;
  moments[base + 2u * params.columns] = all.count;
}

// Of the rows of a block. Sums are shifted by its first row, so that a large mean cancels nothing.
fn moments_of_block(place: SlicePlace, local: u32) -> ColumnMoments {
  let start = place.block * params.block;
  let shift = V(x[start * params.columns + place.column]);
  var sum = V(0.0);
  var squares = V(0.0);
  let end = place.end * params.columns;
  for (var at = place.row * params.columns + place.column; at < end; at += params.step * params.columns) {
    let d = V(x[at]) - shift;
    sum += d;
    squares += d * d;
  }
  let sums = sum_steps(sum, squares, local);
  let count = V(f32(place.end - start));
  let mean = sums[0] / count;
  return ColumnMoments(shift + mean, max(sums[1] - sums[0] * mean, V(0.0)), count);
}

@compute @workgroup_size(64)
fn slice_moments(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = place_of(group, groups, local);
  let all = moments_of_block(place, local);
  if (leads(place)) { put_moments(place.block, place.column, all); }
}

// The moments of every params.block slices as one, so that few are left where a convolution leaves many.
@compute @workgroup_size(64)
fn merge_slices(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  let chunk = i / params.columns;
  let column = i % params.columns;
  let first = chunk * params.block;
  if (first >= params.slices) { return; }
  put_moments(chunk, column, joined_slices(column, first, min(first + params.block, params.slices)));
}

// The moments of all slices as one: first the mean, then what each slice adds around it.
fn merged(column: u32, lane: u32) -> ColumnMoments {
  let shift = norm[column];
  var count = V(0.0);
  var sum = V(0.0);
  for (var s = lane; s < params.slices; s += LANES) {
    let slice = slice_of(s, column);
    count += slice.count;
    sum += slice.count * (slice.mean - shift);
  }
  let totals = sum_lanes(count, sum, lane);
  let mean = shift + totals[1] / totals[0];
  var squares = V(0.0);
  for (var s = lane; s < params.slices; s += LANES) {
    let slice = slice_of(s, column);
    let d = slice.mean - mean;
    squares += slice.squares + slice.count * d * d;
  }
  workgroupBarrier(); // all have read the totals
  return ColumnMoments(mean, sum_lanes(squares, V(0.0), lane)[0], totals[0]);
}

@compute @workgroup_size(LANES)
fn merge_moments(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let all = merged(group.x, lane);
  if (lane == 0u) { put_moments(0u, group.x, all); }
}

// Evaluation: the running statistics are the moments, of one row.
@compute @workgroup_size(64)
fn from_running(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let column = flat_id(group, groups, local, 64u);
  if (column >= params.columns) { return; }
  put_moments(0u, column, ColumnMoments(running_mean[column], running_var[column], V(1.0)));
}

// Training: the running statistics follow those of the batch.
fn move_running_of(column: u32, all: ColumnMoments) {
  let m = params.momentum;
  running_mean[column] = (1.0 - m) * running_mean[column] + m * all.mean;
  running_var[column] = (1.0 - m) * running_var[column] + m * all.squares / (all.count - 1.0);
}

fn move_running(place: SlicePlace, all: ColumnMoments) {
  if (leads_column(place)) { move_running_of(place.column, all); }
}

// As merge_moments, in training where what reads x normalises it: leaves what that needs.
@compute @workgroup_size(LANES)
fn merge_to_read(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let column = group.x;
  let all = merged(column, lane);
  if (lane > 0u) { return; }
  put_moments(0u, column, all);
  move_running_of(column, all);
  let scale = inverse_std(all) * weight[column];
  reading[2u * column] = scale;
  reading[2u * column + 1u] = bias[column] - all.mean * scale;
}

// The same where x is normalised as it is added to another.
@compute @workgroup_size(LANES)
fn merge_to_add(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let column = group.x;
  let all = merged(column, lane);
  if (lane > 0u) { return; }
  move_running_of(column, all);
  let inv_std = inverse_std(all);
  let scale = inv_std * weight[column];
  reading[4u * column] = scale;
  reading[4u * column + 1u] = bias[column] - all.mean * scale;
  reading[4u * column + 2u] = all.mean;
  reading[4u * column + 3u] = inv_std;
}

// NaN passes, as it does in PyTorch: a diverged step must not look like zeros.
fn put(at: u32, value: V) {
  y[at] = X(select(value, larger(V(0.0), value), RELU));
}

fn normalize(place: SlicePlace, all: ColumnMoments) {
  let scale = inverse_std(all) * weight[place.column];
  let shift = bias[place.column];
  for (var row = place.row; row < place.end; row += params.step) {
    let at = row * params.columns + place.column;
    put(at, added(at, (V(x[at]) - all.mean) * scale + shift));
  }
}

@compute @workgroup_size(64)
fn normalize_rows(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = place_of(group, groups, local);
  normalize(place, moments_of(place.column));
}

// The same in training; apart, as an entry point must bind all that it can reach.
@compute @workgroup_size(64)
fn normalize_rows_running(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = place_of(group, groups, local);
  let all = moments_of(place.column);
  move_running(place, all);
  normalize(place, all);
}

// The same where a workgroup has all rows of its columns: it finds their moments first.
@compute @workgroup_size(64)
fn normalize_columns(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = place_of(group, groups, local);
  let all = moments_of_block(place, local);
  if (leads(place)) { put_moments(place.block, place.column, all); }
  move_running(place, all);
  normalize(place, all);
}
