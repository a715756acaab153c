// Cross-entropy of logits against labels, by a stable log-sum-exp, to be averaged over the rows:
// loss[i] = lse(x[i]) - (1 - smoothing) x[i, label] - smoothing / classes * sum_k x[i, k];
// grad_x[i, k] = grad / rows * (softmax(x[i])[k] - (1 - smoothing) [k = label] - smoothing / classes).
// V is vec4f when classes is a multiple of 4 and f32 otherwise; columns = classes / lanes of V.
//
//   0  params  uniform  { rows, columns, classes, smoothing, nan_bits }
//   1  x       read     [rows, columns]
//   2  labels  read     [rows]
//   3  losses  write    [rows]              NaN where the label is not a class
//   4  lse     write    [rows]              log-sum-exp
//   5  sums    read     [rows]              lse, when it is read
//   6  grad    read     [1]                 of the loss
//   7  grad_x  write    [rows, columns]
//
// Joined after lib/nan of V. Constants: LANES and ROWS, LANES * ROWS <= 256 (lib/rows.wgsl).
// Dispatch: per_row ceil(rows / ROWS) groups, folded; backward Device.groups(rows * columns, 64).
struct Params { rows: u32, columns: u32, classes: u32, smoothing: f32, nan_bits: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<V>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read_write> losses: array<f32>;
@group(0) @binding(4) var<storage, read_write> lse: array<f32>;
@group(0) @binding(5) var<storage, read> sums: array<f32>;
@group(0) @binding(6) var<storage, read> grad: array<f32>;
@group(0) @binding(7) var<storage, read_write> grad_x: array<V>;

// Which lanes of column k are the label's class: a bool for each lane of V.
fn is_label(k: u32, label: u32) -> B {
  return (U(k * WIDTH) + LANE_IDS) == U(label);
}

@compute @workgroup_size(LANES, ROWS)
fn per_row(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let row = flat_id(group, groups, lane.y, ROWS);
  let inside = row < params.rows;
  let end = select(0u, params.columns, inside);
  let base = row * params.columns;
  let label = labels[min(row, params.rows - 1u)];
  var top = -3.4028234663852886e38;
  for (var k = lane.x; k < end; k += LANES) {
    top = max(top, largest(x[base + k]));
  }
  top = max_row(top, lane);
  var powers = 0.0;
  var plain = 0.0;
  var chosen = 0.0;
  for (var k = lane.x; k < end; k += LANES) {
    let value = x[base + k] - V(top);
    powers += total(exp_or_nan(value));
    plain += total(value);
    chosen += total(select(V(0.0), value, is_label(k, label)));
  }
  powers = sum_row(powers, lane);
  plain = sum_row(plain, lane);
  chosen = sum_row(chosen, lane);
  if (!inside || lane.x > 0u) { return; }
  let log_sum = log_of_sum(powers);
  let smooth_part = select(0.0, params.smoothing * plain / f32(params.classes), params.smoothing > 0.0);
  let value = log_sum - (1.0 - params.smoothing) * chosen - smooth_part;
  losses[row] = select(bitcast<f32>(params.nan_bits), value, label < params.classes);
  lse[row] = top + log_sum;
}

@compute @workgroup_size(64)
fn backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.rows * params.columns) { return; }
  let row = i / params.columns;
  let label = labels[row];
  let hot = select(V(0.0), V(1.0 - params.smoothing), is_label(i % params.columns, label));
  let wanted = hot + V(params.smoothing / f32(params.classes));
  let scale = select(bitcast<f32>(params.nan_bits), grad[0] / f32(params.rows), label < params.classes);
  grad_x[i] = scale * (exp_or_nan(x[i] - V(sums[row])) - wanted);
}
