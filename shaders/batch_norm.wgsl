// Batch normalisation over rows, per channel: y = (x - mean) * inv_std * weight + bias (+ residual), then ReLU.
// x is [rows, channels]; V is vec4f when channels is a multiple of 4 and f32 otherwise; columns = channels / lanes of V.
// x, residual and y hold X: V, or its f16 (src/ops/_slices.ts).
//
//   0  params        uniform     { rows, columns, slices, step, block, eps, momentum }
//   1  x             read        [rows, columns]
//   2  moments       write       [slices, 3, columns]   mean, sum of squared deviations, count of a slice's rows
//   3  parts         read        [slices, 3, columns]
//   4  stats         write       [3, columns]           mean, 1 / sqrt(variance + eps), count
//   5  running_mean  read/write  [columns]
//   6  running_var   read/write  [columns]              unbiased
//   7  norm          read        [3, columns]           stats, when they are read
//   8  weight        read        [columns]
//   9  bias          read        [columns]
//  10  residual      read        [rows, columns]
//  11  y             write       [rows, columns]
//
// Rows of a slice: blocks of `block` rows, each shared by `step` slices that take every step-th row.
// Constants: RELU; LANES, invocations that share the merge of one column, a power of two <= 256.
// Dispatch: slice_moments, normalize…: Device.groups(slices * columns, 64); merge_slices: Device.groups(chunks * columns,
// 64); merge_moments, finish…: columns groups; from_running: Device.groups(columns, 64).
struct Params { rows: u32, columns: u32, slices: u32, step: u32, block: u32, eps: f32, momentum: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read_write> moments: array<V>;
@group(0) @binding(3) var<storage, read> parts: array<V>;
@group(0) @binding(4) var<storage, read_write> stats: array<V>;
@group(0) @binding(5) var<storage, read_write> running_mean: array<V>;
@group(0) @binding(6) var<storage, read_write> running_var: array<V>;
@group(0) @binding(7) var<storage, read> norm: array<V>;
@group(0) @binding(8) var<storage, read> weight: array<V>;
@group(0) @binding(9) var<storage, read> bias: array<V>;
@group(0) @binding(10) var<storage, read> residual: array<X>;
@group(0) @binding(11) var<storage, read_write> y: array<X>;
override RELU: bool = false;
override LANES: u32 = 1u;

// Sums over the rows of a slice are shifted by its first row, so that a large mean cancels nothing.
@compute @workgroup_size(64)
fn slice_moments(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.slices * params.columns) { return; }
  let column = i % params.columns;
  let slice = i / params.columns;
  let rows = rows_of(slice);
  var sum = V(0.0);
  var squares = V(0.0);
  var count = 0.0;
  var shift = V(0.0);
  if (rows.x < rows.y) {
    let stride = params.step * params.columns;
    let end = rows.y * params.columns;
    var at = rows.x * params.columns + column;
    shift = V(x[at]);
    for (; at < end; at += stride) {
      let d = V(x[at]) - shift;
      sum += d;
      squares += d * d;
    }
    count = f32((rows.y - rows.x + params.step - 1u) / params.step);
  }
  let mean = sum / max(count, 1.0);
  let base = 3u * slice * params.columns + column;
  moments[base] = shift + mean;
  moments[base + params.columns] = max(squares - sum * mean, V(0.0));
  moments[base + 2u * params.columns] = V(count);
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
  if (chunk * params.block >= params.slices) { return; }
  let end = min((chunk + 1u) * params.block, params.slices);
  var count = V(0.0);
  var mean = V(0.0);
  var squares = V(0.0);
  for (var s = chunk * params.block; s < end; s++) {
    let base = 3u * s * params.columns + column;
    let n = parts[base + 2u * params.columns];
    let d = parts[base] - mean;
    let share = n / max(count + n, V(1.0));
    squares += parts[base + params.columns] + d * d * count * share;
    mean += d * share;
    count += n;
  }
  let base = 3u * chunk * params.columns + column;
  moments[base] = mean;
  moments[base + params.columns] = squares;
  moments[base + 2u * params.columns] = count;
}

struct Moments { mean: V, squares: V, count: V }

// Mean and squared deviations of all slices: first the mean, then what each slice adds around it.
fn merge(column: u32, lane: u32) -> Moments {
  let columns = params.columns;
  let shift = parts[column];
  var count = V(0.0);
  var sum = V(0.0);
  for (var s = lane; s < params.slices; s += LANES) {
    let base = 3u * s * columns + column;
    let n = parts[base + 2u * columns];
    count += n;
    sum += n * (parts[base] - shift);
  }
  let totals = sum_lanes(count, sum, lane);
  let mean = shift + totals[1] / totals[0];
  var squares = V(0.0);
  for (var s = lane; s < params.slices; s += LANES) {
    let base = 3u * s * columns + column;
    let d = parts[base] - mean;
    squares += parts[base + columns] + parts[base + 2u * columns] * d * d;
  }
  workgroupBarrier(); // all have read the totals
  return Moments(mean, sum_lanes(squares, V(0.0), lane)[0], totals[0]);
}

@compute @workgroup_size(LANES)
fn merge_moments(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let all = merge(group.x, lane);
  if (lane > 0u) { return; }
  moments[group.x] = all.mean;
  moments[params.columns + group.x] = all.squares;
  moments[2u * params.columns + group.x] = all.count;
}

@compute @workgroup_size(LANES)
fn finish(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let all = merge(group.x, lane);
  if (lane > 0u) { return; }
  store_stats(group.x, all);
}

@compute @workgroup_size(LANES)
fn finish_running(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let all = merge(group.x, lane);
  if (lane > 0u) { return; }
  let column = group.x;
  store_stats(column, all);
  let m = params.momentum;
  running_mean[column] = (1.0 - m) * running_mean[column] + m * all.mean;
  running_var[column] = (1.0 - m) * running_var[column] + m * all.squares / (all.count - 1.0);
}

fn store_stats(column: u32, all: Moments) {
  stats[column] = all.mean;
  stats[params.columns + column] = inverseSqrt(all.squares / all.count + params.eps);
  stats[2u * params.columns + column] = all.count;
}

// Evaluation: the running statistics are the statistics.
@compute @workgroup_size(64)
fn from_running(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let column = flat_id(group, groups, local, 64u);
  if (column >= params.columns) { return; }
  stats[column] = running_mean[column];
  stats[params.columns + column] = inverseSqrt(running_var[column] + params.eps);
  stats[2u * params.columns + column] = V(f32(params.rows));
}

// NaN passes, as it does in PyTorch: a diverged step must not look like zeros.
fn relu(value: V) -> V {
  return larger(V(0.0), value);
}

@compute @workgroup_size(64)
fn normalize_rows(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.slices * params.columns) { return; }
  let column = i % params.columns;
  let mean = norm[column];
  let scale = norm[params.columns + column] * weight[column];
  let shift = bias[column];
  let rows = rows_of(i / params.columns);
  for (var row = rows.x; row < rows.y; row += params.step) {
    let at = row * params.columns + column;
    let value = (V(x[at]) - mean) * scale + shift;
    y[at] = X(select(value, relu(value), RELU));
  }
}

@compute @workgroup_size(64)
fn normalize_residual(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.slices * params.columns) { return; }
  let column = i % params.columns;
  let mean = norm[column];
  let scale = norm[params.columns + column] * weight[column];
  let shift = bias[column];
  let rows = rows_of(i / params.columns);
  for (var row = rows.x; row < rows.y; row += params.step) {
    let at = row * params.columns + column;
    let value = (V(x[at]) - mean) * scale + shift + V(residual[at]);
    y[at] = X(select(value, relu(value), RELU));
  }
}
