// Cross-entropy of each row of similarities against its positives, the other rows of one owner, by a stable log-sum-exp:
// loss[i] = log sum_{a != i} exp(scale s[i, a]) - mean_{p in P(i)} scale s[i, p];
// grad_s[i, a] = grad scale / rows * (exp(scale s[i, a] - lse[i]) - [a in P(i)] / |P(i)|), 0 on the diagonal.
// `sample_owner(sample: u32) -> u32` is the op's: a label, or the sample itself.
//
//   0  params     uniform  { rows, views, scale }     rows = samples * views, the rows of a sample together
//   1  s          read     [rows, rows]
//   2  labels     read     [rows / views]             (when owners are labels)
//   3  losses     write    [rows]
//   4  lse        write    [rows]                     (read in backward)
//   5  positives  write    [rows], |P(i)|             (read in backward)
//   6  grad       read     [1], of the mean loss      (backward)
//   7  grad_s     write    [rows, rows]               (backward)
//
// Joined after lib/nan of f32. Constants: LANES and ROWS (lib/rows.wgsl).
// Dispatch: per_row Device.groups(rows, ROWS); backward Device.groups(rows * rows, 64).
struct Params { rows: u32, views: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> s: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read_write> losses: array<f32>;
@group(0) @binding(4) var<storage, read_write> lse: array<f32>;
@group(0) @binding(5) var<storage, read_write> positives: array<f32>;
@group(0) @binding(6) var<storage, read> grad: array<f32>;
@group(0) @binding(7) var<storage, read_write> grad_s: array<f32>;

fn owner(row: u32) -> u32 { return sample_owner(row / params.views); }

@compute @workgroup_size(LANES, ROWS)
fn per_row(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let row = flat_id(group, groups, lane.y, ROWS);
  let inside = row < params.rows;
  let end = select(0u, params.rows, inside);
  let start = row * params.rows;
  let own = owner(min(row, params.rows - 1u));
  var top = -3.4028234663852886e38;
  for (var a = lane.x; a < end; a += LANES) {
    if (a != row) { top = max(top, params.scale * s[start + a]); }
  }
  top = max_row(top, lane);
  var powers = 0.0;
  var chosen = 0.0;
  var count = 0.0;
  for (var a = lane.x; a < end; a += LANES) {
    if (a == row) { continue; }
    let value = params.scale * s[start + a] - top;
    powers += exp_or_nan(value);
    if (owner(a) == own) {
      chosen += value;
      count += 1.0;
    }
  }
  powers = sum_row(powers, lane);
  chosen = sum_row(chosen, lane);
  count = sum_row(count, lane);
  if (!inside || lane.x > 0u) { return; }
  losses[row] = log_of_sum(powers) - chosen / count;
  lse[row] = top + log_of_sum(powers);
  positives[row] = count;
}

@compute @workgroup_size(64)
fn backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let k = flat_id(group, groups, local, 64u);
  if (k >= params.rows * params.rows) { return; }
  let i = k / params.rows;
  let a = k % params.rows;
  let wanted = select(0.0, 1.0 / positives[i], owner(i) == owner(a));
  let value = grad[0] * params.scale / f32(params.rows) * (exp_or_nan(params.scale * s[k] - lse[i]) - wanted);
  grad_s[k] = select(value, 0.0, i == a);
}
