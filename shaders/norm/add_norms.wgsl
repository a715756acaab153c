// Sum of two batch normalisations in training, and ReLU: y = relu(norm(x) + norm(r)), and its gradients. What is normalised
// is never stored. V, X, columns and the sharing of rows as in batch_norm.wgsl. With xhat = (x - mean) inv_std, n rows, and
// g = grad_y (+ other), masked where ReLU was 0: grad_bias = sum g; grad_weight = sum g xhat; grad_x = scale (g -
// grad_bias / n - xhat grad_weight / n); and so for r.
//
//   0  params        uniform     { rows, columns, parts (of sums), step, span, block }
//   1  x             read        [rows, columns]
//   2  r             read        [rows, columns]
//   3  norm_x        read        [columns, 4]       of x, as merge_to_add of batch_norm.wgsl leaves it
//   4  norm_r        read        [columns, 4]       of r
//   5  y             write       [rows, columns]
//   6  grad_y        read        [rows, columns]
//   7  other         read        [rows, columns]    second gradient, where there is one
//   8  found         write       [blocks, 3, columns], or [3, columns] of all   sums of g, g xhat and g rhat
//   9  sums          read        [parts, 3, columns]
//  10  grad_x        read/write  [rows, columns]    x, then its gradient
//  11  grad_r        read/write  [rows, columns]    r, then its gradient
//  12  grad_bias_x   write       [columns]
//  13  grad_weight_x write       [columns]
//  14  grad_bias_r   write       [columns]
//  15  grad_weight_r write       [columns]
//
// Joined behind (src/ops/norm/add_norms.ts): gradient(at), of y. Constants: LANES as in batch_norm.wgsl.
// Dispatch: add_rows, reduce, grad_rows: as lib/slices.wgsl; merge: columns groups.
struct Params { rows: u32, columns: u32, parts: u32, step: u32, span: u32, block: u32 }
struct ColumnNorm { scale: V, shift: V, mean: V, inv_std: V }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read> r: array<X>;
@group(0) @binding(3) var<storage, read> norm_x: array<ColumnNorm>;
@group(0) @binding(4) var<storage, read> norm_r: array<ColumnNorm>;
@group(0) @binding(5) var<storage, read_write> y: array<X>;
@group(0) @binding(6) var<storage, read> grad_y: array<X>;
@group(0) @binding(7) var<storage, read> other: array<X>;
@group(0) @binding(8) var<storage, read_write> found: array<V>;
@group(0) @binding(9) var<storage, read> sums: array<V>;
@group(0) @binding(10) var<storage, read_write> grad_x: array<X>;
@group(0) @binding(11) var<storage, read_write> grad_r: array<X>;
@group(0) @binding(12) var<storage, read_write> grad_bias_x: array<V>;
@group(0) @binding(13) var<storage, read_write> grad_weight_x: array<V>;
@group(0) @binding(14) var<storage, read_write> grad_bias_r: array<V>;
@group(0) @binding(15) var<storage, read_write> grad_weight_r: array<V>;
override LANES: u32 = 1u;

fn sum_of(of_x: ColumnNorm, x: V, of_r: ColumnNorm, r: V) -> V {
  return (x * of_x.scale + of_x.shift) + (r * of_r.scale + of_r.shift);
}

// NaN passes, as it does in PyTorch.
fn masked(g: V, before: V) -> V {
  return select(V(0.0), g, (before > V(0.0)) | is_nan(before));
}

@compute @workgroup_size(64)
fn add_rows(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = place_of(group, groups, local);
  let of_x = norm_x[place.column];
  let of_r = norm_r[place.column];
  for (var row = place.row; row < place.end; row += params.step) {
    let at = row * params.columns + place.column;
    y[at] = X(larger(V(0.0), sum_of(of_x, V(x[at]), of_r, V(r[at]))));
  }
}

@compute @workgroup_size(64)
fn reduce(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = place_of(group, groups, local);
  let of_x = norm_x[place.column];
  let of_r = norm_r[place.column];
  var sum_g = V(0.0);
  var sum_gx = V(0.0);
  var sum_gr = V(0.0);
  for (var row = place.row; row < place.end; row += params.step) {
    let at = row * params.columns + place.column;
    let here = V(x[at]);
    let beside = V(r[at]);
    let g = masked(gradient(at), sum_of(of_x, here, of_r, beside));
    sum_g += g;
    sum_gx += g * (here - of_x.mean);
    sum_gr += g * (beside - of_r.mean);
  }
  let both = sum_steps(sum_g, sum_gx, local);
  workgroupBarrier(); // all have read the sums
  let last = sum_steps(sum_gr, V(0.0), local);
  if (!leads(place)) { return; }
  let base = 3u * place.block * params.columns + place.column;
  found[base] = both[0];
  found[base + params.columns] = both[1] * of_x.inv_std;
  found[base + 2u * params.columns] = last[0] * of_r.inv_std;
}

@compute @workgroup_size(LANES)
fn merge(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let column = group.x;
  var all = array<V, 3>();
  for (var s = lane; s < params.parts; s += LANES) {
    let base = 3u * s * params.columns + column;
    all[0] += sums[base];
    all[1] += sums[base + params.columns];
    all[2] += sums[base + 2u * params.columns];
  }
  let both = sum_lanes(all[0], all[1], lane);
  workgroupBarrier(); // all have read the sums
  let last = sum_lanes(all[2], V(0.0), lane);
  if (lane > 0u) { return; }
  found[column] = both[0];
  found[column + params.columns] = both[1];
  found[column + 2u * params.columns] = last[0];
  grad_bias_x[column] = both[0];
  grad_weight_x[column] = both[1];
  grad_bias_r[column] = both[0];
  grad_weight_r[column] = last[0];
}

@compute @workgroup_size(64)
fn grad_rows(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = place_of(group, groups, local);
  let of_x = norm_x[place.column];
  let of_r = norm_r[place.column];
  let share = 1.0 / f32(params.rows);
  let mean_g = sums[place.column] * share;
  let slope_x = sums[place.column + params.columns] * of_x.inv_std * share;
  let slope_r = sums[place.column + 2u * params.columns] * of_r.inv_std * share;
  for (var row = place.row; row < place.end; row += params.step) {
    let at = row * params.columns + place.column;
    let here = V(grad_x[at]);
    let beside = V(grad_r[at]);
    let g = masked(gradient(at), sum_of(of_x, here, of_r, beside)) - mean_g;
    grad_x[at] = X(of_x.scale * (g - (here - of_x.mean) * slope_x));
    grad_r[at] = X(of_r.scale * (g - (beside - of_r.mean) * slope_r));
  }
}
