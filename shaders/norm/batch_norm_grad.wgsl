// Gradients of batch normalisation. With inv_std = 1 / sqrt(variance + eps), xhat = (x - mean) inv_std and g = grad_y, masked
// where ReLU was 0: grad_bias = sum g; grad_weight = sum g xhat; grad_x = weight inv_std (g - grad_bias / count - xhat
// grad_weight / count) (weight inv_std g in evaluation); grad_residual = g. V, X (of x, y, grad_x, grad_y and masked), columns
// and norm as in batch_norm.wgsl. Sums are those of g and of g (x - mean), of a block of the rows or of all.
//
//   0  params       uniform  { rows, columns, slices (of norm), parts (of sums), step, span, block, eps }
//   1  x            read     [rows, columns]
//   2  grad_y       read     [rows, columns]
//   3  norm         read     [slices, 3, columns]   mean, sum of squared deviations, count
//   4  weight       read     [columns]
//   5  bias         read     [columns]
//   6  y            read     [rows, columns]
//   7  masked       read/write [rows, columns]      g
//   8  found        write    [blocks, 2, columns]   sums, when they are written
//   9  sums         read     [parts, 2, columns]
//  10  grad_bias    write    [columns]
//  11  grad_weight  write    [columns]
//  12  grad_x       read/write [rows, columns]
//
// Joined behind, as an entry point must bind all that it can reach (src/ops/_batch_norm_grad.ts): value(at), the x of an
// element; gradient(at, before), its g, found for the first time, and gradient_again; shift_of(column).
// Constants: RELU, recompute the mask from x; TRAINING, the statistics depend on x; LANES as in batch_norm.wgsl.
// Dispatch: reduce, grad_rows…, grad_columns: as lib/slices.wgsl; merge_sums: columns groups.
struct Params { rows: u32, columns: u32, slices: u32, parts: u32, step: u32, span: u32, block: u32, eps: f32 }
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

// g where x alone tells what was there before ReLU; with a residual, the output tells its sign.
fn masked_by_input(g: V, before: V) -> V {
  if (RELU) { return mask(g, before); }
  return g;
}

fn masked_by_output(at: u32, g: V) -> V {
  let kept = mask(g, V(y[at]));
  masked[at] = X(kept);
  return kept;
}

// Of all rows of a place, over those that share its column.
fn sums_of(place: SlicePlace, local: u32, all: ColumnMoments) -> array<V, 2> {
  let scale = inverse_std(all) * weight[place.column];
  let shift = shift_of(place.column);
  var sum_g = V(0.0);
  var sum_gx = V(0.0);
  for (var row = place.row; row < place.end; row += params.step) {
    let at = row * params.columns + place.column;
    let d = value(at) - all.mean;
    let g = gradient(at, d * scale + shift);
    sum_g += g;
    sum_gx += g * d;
  }
  return sum_steps(sum_g, sum_gx, local);
}

@compute @workgroup_size(64)
fn reduce(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = place_of(group, groups, local);
  let found_here = sums_of(place, local, moments_of(place.column));
  if (!leads(place)) { return; }
  let base = 2u * place.block * params.columns + place.column;
  found[base] = found_here[0];
  found[base + params.columns] = found_here[1];
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

fn sums_of_parts(column: u32) -> array<V, 2> {
  var sum_g = sums[column];
  var sum_gx = sums[params.columns + column];
  for (var s = 1u; s < params.parts; s++) {
    sum_g += sums[2u * s * params.columns + column];
    sum_gx += sums[(2u * s + 1u) * params.columns + column];
  }
  return array<V, 2>(sum_g, sum_gx);
}

// The gradients of bias and weight.
fn put_affine(place: SlicePlace, all: ColumnMoments, totals: array<V, 2>) {
  if (!leads_column(place)) { return; }
  grad_bias[place.column] = totals[0];
  grad_weight[place.column] = totals[1] * inverse_std(all);
}

fn put_grad(place: SlicePlace, all: ColumnMoments, totals: array<V, 2>) {
  let inv_std = inverse_std(all);
  let scale = inv_std * weight[place.column];
  let shift = shift_of(place.column);
  let mean_g = select(V(0.0), totals[0] / all.count, TRAINING);
  let slope = select(V(0.0), totals[1] * inv_std * inv_std / all.count, TRAINING);
  for (var row = place.row; row < place.end; row += params.step) {
    let at = row * params.columns + place.column;
    let d = value(at) - all.mean;
    let g = gradient_again(at, d * scale + shift);
    grad_x[at] = X(scale * (g - mean_g - d * slope));
  }
}

@compute @workgroup_size(64)
fn grad_rows(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = place_of(group, groups, local);
  put_grad(place, moments_of(place.column), sums_of_parts(place.column));
}

@compute @workgroup_size(64)
fn grad_rows_affine(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = place_of(group, groups, local);
  let all = moments_of(place.column);
  let totals = sums_of_parts(place.column);
  put_affine(place, all, totals);
  put_grad(place, all, totals);
}

// All of it where a workgroup has all rows of its columns.
@compute @workgroup_size(64)
fn grad_columns(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = place_of(group, groups, local);
  let all = moments_of(place.column);
  let totals = sums_of(place, local, all);
  put_affine(place, all, totals);
  put_grad(place, all, totals);
}
