// Weights of attention from products s[row, j] = q . k of some heads and queries, row by row:
// `soften` gives p = exp(scale s - lse) and lse = log sum_j exp(scale s); `soften_grad` makes p again, and of the products
// t[row, j] = grad_out . v the gradient of s, scale p (t - delta). Both write over what they read. Columns past `keys`, and with
// causal = 1 keys past the query's own number, get 0.
//
//   0  params  uniform  { rows, columns, keys, scale, causal, queries, first, count, head }
//   1  s       read and write  [rows, columns], vectors of four: p after it
//   2  lse     write           [heads, queries]    (read in soften_grad)
//   3  delta   read            [heads, queries]    (soften_grad)
//   4  t       read and write  [rows, columns]     (soften_grad): the gradient of s after it
//
// A row is query first + row % count of head head + row / count. Constants: LANES and ROWS (lib/rows.wgsl).
// Dispatch: soften ceil(rows / ROWS) groups; soften_grad Device.groups(rows * columns, 64).
struct Params {
  rows: u32, columns: u32, keys: u32, scale: f32, causal: u32, queries: u32, first: u32, count: u32, head: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> s: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> lse: array<f32>;
@group(0) @binding(3) var<storage, read> delta: array<f32>;
@group(0) @binding(4) var<storage, read_write> t: array<vec4f>;

fn query_of(row: u32) -> u32 { return params.first + row % params.count; }
fn place_of(row: u32) -> u32 { return (params.head + row / params.count) * params.queries + query_of(row); }

// Which keys of vector c the query of a row sees.
fn seen(row: u32, c: u32) -> vec4<bool> {
  let last = select(params.keys, min(params.keys, query_of(row) + 1u), params.causal == 1u);
  return 4u * vec4u(c) + vec4u(0u, 1u, 2u, 3u) < vec4u(last);
}

@compute @workgroup_size(LANES, ROWS)
fn soften(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let row = flat_id(group, groups, lane.y, ROWS);
  let end = select(0u, params.columns, row < params.rows);
  let base = row * params.columns;
  var most = vec4f(-3.0e38);
  for (var c = lane.x; c < end; c += LANES) {
    most = max(most, select(vec4f(-3.0e38), params.scale * s[base + c], seen(row, c)));
  }
  let top = max_row(max(max(most.x, most.y), max(most.z, most.w)), lane);
  var sum = vec4f(0.0);
  for (var c = lane.x; c < end; c += LANES) {
    let p = select(vec4f(0.0), exp_or_nan(params.scale * s[base + c] - top), seen(row, c));
    sum += p;
    s[base + c] = p;
  }
  let all = sum_row(sum.x + sum.y + sum.z + sum.w, lane);
  for (var c = lane.x; c < end; c += LANES) { s[base + c] /= all; }
  if (lane.x == 0u && row < params.rows) { lse[place_of(row)] = top + log_of_sum(all); }
}

@compute @workgroup_size(64)
fn soften_grad(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.rows * params.columns) { return; }
  let row = i / params.columns;
  let place = place_of(row);
  let visible = seen(row, i % params.columns);
  let p = select(vec4f(0.0), exp_or_nan(params.scale * s[i] - lse[place]), visible);
  s[i] = p;
  t[i] = select(vec4f(0.0), params.scale * p * (t[i] - delta[place]), visible);
}
