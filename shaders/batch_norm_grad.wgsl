// Gradients of batch normalisation. With xhat = (x - mean) * inv_std and g = grad_y, masked where ReLU was 0:
// grad_bias = sum g; grad_weight = sum g xhat; grad_x = weight inv_std (g - grad_bias / count - xhat grad_weight / count)
// (weight inv_std g in evaluation); grad_residual = g. V, X (of x, y, grad_x, grad_y and masked) and columns as in batch_norm.wgsl.
//
//   0  params       uniform  { rows, columns, slices, step, block }
//   1  x            read     [rows, columns]
//   2  grad_y       read     [rows, columns]
//   3  norm         read     [3, columns]           mean, 1 / sqrt(variance + eps), count
//   4  weight       read     [columns]
//   5  bias         read     [columns]
//   6  y            read     [rows, columns]        (reduce_output…)
//   7  masked       read/write [rows, columns]      g (reduce_output…)
//   8  parts        write    [slices, 2, columns]   sums of g and of g (x - mean) of a slice
//   9  sums         read     [slices, 2, columns]   parts, when they are read
//  10  grad_bias    write    [columns]
//  11  grad_weight  write    [columns]
//  12  total_g      read     [columns]              grad_bias, over all that shared the statistics
//  13  total_gx     read     [columns]              grad_weight, likewise
//  14  grad_x       read/write [rows, columns]
//
// Constants: RELU, recompute the mask from x; TRAINING, the statistics depend on x; LANES as in batch_norm.wgsl.
// Dispatch: reduce…, grad_rows: Device.groups(slices * columns, 64); merge_sums: columns groups.
struct Params { rows: u32, columns: u32, slices: u32, step: u32, block: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read> grad_y: array<X>;
@group(0) @binding(3) var<storage, read> norm: array<V>;
@group(0) @binding(4) var<storage, read> weight: array<V>;
@group(0) @binding(5) var<storage, read> bias: array<V>;
@group(0) @binding(6) var<storage, read> y: array<X>;
@group(0) @binding(7) var<storage, read_write> masked: array<X>;
@group(0) @binding(8) var<storage, read_write> parts: array<V>;
@group(0) @binding(9) var<storage, read> sums: array<V>;
@group(0) @binding(10) var<storage, read_write> grad_bias: array<V>;
@group(0) @binding(11) var<storage, read_write> grad_weight: array<V>;
@group(0) @binding(12) var<storage, read> total_g: array<V>;
@group(0) @binding(13) var<storage, read> total_gx: array<V>;
@group(0) @binding(14) var<storage, read_write> grad_x: array<X>;
override RELU: bool = false;
override TRAINING: bool = true;
override LANES: u32 = 1u;

// NaN passes, as it does in PyTorch.
fn mask(g: V, value: V) -> V {
  return select(V(0.0), g, (value > V(0.0)) | is_nan(value));
}

@compute @workgroup_size(64)
fn reduce_rows(
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
  var sum_g = V(0.0);
  var sum_gx = V(0.0);
  for (var row = rows.x; row < rows.y; row += params.step) {
    let at = row * params.columns + column;
    let d = V(x[at]) - mean;
    var g = V(grad_y[at]);
    if (RELU) { g = mask(g, d * scale + shift); }
    sum_g += g;
    sum_gx += g * d;
  }
  put_parts(i, sum_g, sum_gx);
}

// With a residual the sign before ReLU cannot be found from x alone: the output tells it.
@compute @workgroup_size(64)
fn reduce_output(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.slices * params.columns) { return; }
  let column = i % params.columns;
  let mean = norm[column];
  let rows = rows_of(i / params.columns);
  var sum_g = V(0.0);
  var sum_gx = V(0.0);
  for (var row = rows.x; row < rows.y; row += params.step) {
    let at = row * params.columns + column;
    let g = mask(V(grad_y[at]), V(y[at]));
    masked[at] = X(g);
    sum_g += g;
    sum_gx += g * (V(x[at]) - mean);
  }
  put_parts(i, sum_g, sum_gx);
}

// The same where `masked` holds the gradient and may lose it; apart, as an entry point must bind all that it can reach, and
// nothing twice.
@compute @workgroup_size(64)
fn reduce_output_in_place(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.slices * params.columns) { return; }
  let column = i % params.columns;
  let mean = norm[column];
  let rows = rows_of(i / params.columns);
  var sum_g = V(0.0);
  var sum_gx = V(0.0);
  for (var row = rows.x; row < rows.y; row += params.step) {
    let at = row * params.columns + column;
    let g = mask(V(masked[at]), V(y[at]));
    masked[at] = X(g);
    sum_g += g;
    sum_gx += g * (V(x[at]) - mean);
  }
  put_parts(i, sum_g, sum_gx);
}

fn put_parts(i: u32, sum_g: V, sum_gx: V) {
  let base = 2u * (i / params.columns) * params.columns + i % params.columns;
  parts[base] = sum_g;
  parts[base + params.columns] = sum_gx;
}

@compute @workgroup_size(LANES)
fn merge_sums(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let column = group.x;
  var sum_g = V(0.0);
  var sum_gx = V(0.0);
  for (var s = lane; s < params.slices; s += LANES) {
    sum_g += sums[2u * s * params.columns + column];
    sum_gx += sums[(2u * s + 1u) * params.columns + column];
  }
  let totals = sum_lanes(sum_g, sum_gx, lane);
  if (lane > 0u) { return; }
  grad_bias[column] = totals[0];
  grad_weight[column] = totals[1] * norm[params.columns + column];
}

// What is fixed for a column of grad_x.
struct Column { mean: V, scale: V, shift: V, mean_g: V, slope: V }

fn column_of(column: u32) -> Column {
  let inv_std = norm[params.columns + column];
  let count = norm[2u * params.columns + column];
  return Column(
    norm[column],
    inv_std * weight[column],
    bias[column],
    select(V(0.0), total_g[column] / count, TRAINING),
    select(V(0.0), total_gx[column] * inv_std / count, TRAINING),
  );
}

fn grad_of(c: Column, value: V, grad: V) -> V {
  let d = value - c.mean;
  var g = grad;
  if (RELU) { g = mask(g, d * c.scale + c.shift); }
  return c.scale * (g - c.mean_g - d * c.slope);
}

@compute @workgroup_size(64)
fn grad_rows(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.slices * params.columns) { return; }
  let c = column_of(i % params.columns);
  let rows = rows_of(i / params.columns);
  for (var row = rows.x; row < rows.y; row += params.step) {
    let at = row * params.columns + i % params.columns;
    grad_x[at] = X(grad_of(c, V(x[at]), V(grad_y[at])));
  }
}

// The same where grad_x holds x and may lose it.
@compute @workgroup_size(64)
fn grad_rows_in_place(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.slices * params.columns) { return; }
  let c = column_of(i % params.columns);
  let rows = rows_of(i / params.columns);
  for (var row = rows.x; row < rows.y; row += params.step) {
    let at = row * params.columns + i % params.columns;
    grad_x[at] = X(grad_of(c, V(grad_x[at]), V(grad_y[at])));
  }
}
