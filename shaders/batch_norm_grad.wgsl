// Gradients of batch normalisation. With inv_std = 1 / sqrt(variance + eps), xhat = (x - mean) inv_std and g = grad_y, masked
// where ReLU was 0: grad_bias = sum g; grad_weight = sum g xhat; grad_x = weight inv_std (g - grad_bias / count - xhat
// grad_weight / count) (weight inv_std g in evaluation); grad_residual = g. V, X (of x, y, grad_x, grad_y and masked), columns
// and norm as in batch_norm.wgsl. Sums are those of g and of g (x - mean), of a block of the rows or of all.
//
//   0  params       uniform  { rows, columns, slices (of norm), parts (of sums), step, block, eps }
//   1  x            read     [rows, columns]
//   2  grad_y       read     [rows, columns]        (reduce_output_two: the other gradient)
//   3  norm         read     [slices, 3, columns]   mean, sum of squared deviations, count
//   4  weight       read     [columns]
//   5  bias         read     [columns]
//   6  y            read     [rows, columns]        (reduce_output…)
//   7  masked       read/write [rows, columns]      g (reduce_output…)
//   8  found        write    [blocks, 2, columns]   sums, when they are written
//   9  sums         read     [parts, 2, columns]
//  10  grad_bias    write    [columns]
//  11  grad_weight  write    [columns]
//  12  grad_x       read/write [rows, columns]
//
// Constants: RELU, recompute the mask from x; TRAINING, the statistics depend on x; LANES as in batch_norm.wgsl.
// Dispatch: reduce…, grad_rows…: as lib/slices.wgsl; merge_sums: columns groups.
struct Params { rows: u32, columns: u32, slices: u32, parts: u32, step: u32, block: u32, eps: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read> grad_y: array<X>;
@group(0) @binding(3) var<storage, read> norm: array<V>;
@group(0) @binding(4) var<storage, read> weight: array<V>;
@group(0) @binding(5) var<storage, read> bias: array<V>;
@group(0) @binding(6) var<storage, read> y: array<X>;
@group(0) @binding(7) var<storage, read_write> masked: array<X>;
@group(0) @binding(8) var<storage, read_write> found: array<V>;
@group(0) @binding(9) var<storage, read> sums: array<V>;
@group(0) @binding(10) var<storage, read_write> grad_bias: array<V>;
@group(0) @binding(11) var<storage, read_write> grad_weight: array<V>;
@group(0) @binding(12) var<storage, read_write> grad_x: array<X>;
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
  let place = place_of(group, groups, local);
  let all = moments_of(place.column);
  let scale = inverse_std(all) * weight[place.column];
  let shift = bias[place.column];
  var sum_g = V(0.0);
  var sum_gx = V(0.0);
  for (var row = place.row; row < place.end; row += params.step) {
    let at = row * params.columns + place.column;
    let d = V(x[at]) - all.mean;
    var g = V(grad_y[at]);
    if (RELU) { g = mask(g, d * scale + shift); }
    sum_g += g;
    sum_gx += g * d;
  }
  put_sums(place, local, sum_g, sum_gx);
}

// With a residual the sign before ReLU cannot be found from x alone: the output tells it.
@compute @workgroup_size(64)
fn reduce_output(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = place_of(group, groups, local);
  let mean = moments_of(place.column).mean;
  var sum_g = V(0.0);
  var sum_gx = V(0.0);
  for (var row = place.row; row < place.end; row += params.step) {
    let at = row * params.columns + place.column;
    let g = mask(V(grad_y[at]), V(y[at]));
    masked[at] = X(g);
    sum_g += g;
    sum_gx += g * (V(x[at]) - mean);
  }
  put_sums(place, local, sum_g, sum_gx);
}

// The same where `masked` holds the gradient and may lose it; apart, as an entry point must bind all that it can reach, and
// nothing twice.
@compute @workgroup_size(64)
fn reduce_output_in_place(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = place_of(group, groups, local);
  let mean = moments_of(place.column).mean;
  var sum_g = V(0.0);
  var sum_gx = V(0.0);
  for (var row = place.row; row < place.end; row += params.step) {
    let at = row * params.columns + place.column;
    let g = mask(V(masked[at]), V(y[at]));
    masked[at] = X(g);
    sum_g += g;
    sum_gx += g * (V(x[at]) - mean);
  }
  put_sums(place, local, sum_g, sum_gx);
}

// The same where the gradient is a sum of two, of which `masked` holds one.
@compute @workgroup_size(64)
fn reduce_output_two(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = place_of(group, groups, local);
  let mean = moments_of(place.column).mean;
  var sum_g = V(0.0);
  var sum_gx = V(0.0);
  for (var row = place.row; row < place.end; row += params.step) {
    let at = row * params.columns + place.column;
    let g = mask(V(masked[at]) + V(grad_y[at]), V(y[at]));
    masked[at] = X(g);
    sum_g += g;
    sum_gx += g * (V(x[at]) - mean);
  }
  put_sums(place, local, sum_g, sum_gx);
}

fn put_sums(place: Place, local: u32, sum_g: V, sum_gx: V) {
  let totals = sum_steps(sum_g, sum_gx, place, local);
  if (!leads(place)) { return; }
  let base = 2u * place.block * params.columns + place.column;
  found[base] = totals[0];
  found[base + params.columns] = totals[1];
}

@compute @workgroup_size(LANES)
fn merge_sums(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let column = group.x;
  var sum_g = V(0.0);
  var sum_gx = V(0.0);
  for (var s = lane; s < params.parts; s += LANES) {
    sum_g += sums[2u * s * params.columns + column];
    sum_gx += sums[(2u * s + 1u) * params.columns + column];
  }
  let totals = sum_lanes(sum_g, sum_gx, lane);
  if (lane > 0u) { return; }
  found[column] = totals[0];
  found[params.columns + column] = totals[1];
  grad_bias[column] = totals[0];
  grad_weight[column] = totals[1] * inverse_std(moments_of(column));
}

// What is fixed for a column of grad_x, and the gradients of bias and weight.
struct Column { mean: V, scale: V, shift: V, mean_g: V, slope: V, sum_g: V, sum_gxhat: V }

fn column_of(column: u32) -> Column {
  let all = moments_of(column);
  var sum_g = sums[column];
  var sum_gx = sums[params.columns + column];
  for (var s = 1u; s < params.parts; s++) {
    sum_g += sums[2u * s * params.columns + column];
    sum_gx += sums[(2u * s + 1u) * params.columns + column];
  }
  let inv_std = inverse_std(all);
  let sum_gxhat = sum_gx * inv_std;
  return Column(
    all.mean,
    inv_std * weight[column],
    bias[column],
    select(V(0.0), sum_g / all.count, TRAINING),
    select(V(0.0), sum_gxhat * inv_std / all.count, TRAINING),
    sum_g,
    sum_gxhat,
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
  let place = place_of(group, groups, local);
  let c = column_of(place.column);
  for (var row = place.row; row < place.end; row += params.step) {
    let at = row * params.columns + place.column;
    grad_x[at] = X(grad_of(c, V(x[at]), V(grad_y[at])));
  }
}

// The same where grad_x holds x and may lose it; leaves the gradients of bias and weight too.
@compute @workgroup_size(64)
fn grad_rows_in_place(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = place_of(group, groups, local);
  let c = column_of(place.column);
  if (leads_column(place)) {
    grad_bias[place.column] = c.sum_g;
    grad_weight[place.column] = c.sum_gxhat;
  }
  for (var row = place.row; row < place.end; row += params.step) {
    let at = row * params.columns + place.column;
    grad_x[at] = X(grad_of(c, V(grad_x[at]), V(grad_y[at])));
  }
}
