// Diagonal of h = (a + ridge I)^-1 a of a symmetric a, from the factor l l^T = a + ridge I and m = -l^-1: relative to itself it
// is right where ridge is large, and 1 - ridge p[i, i] with p = m^T m would cancel. The 1 and the first term of p are taken together:
//
//   h[i, i] = (a[i, i] - sum_(k < i) l[i, k]^2) / l[i, i]^2 - ridge sum_(k > i) m[k, i]^2,   m[i, i]^2 = 1 / l[i, i]^2.
//
//   0  params    uniform  { n, columns, size, ridge }   elements from row to row: columns of l, size of m
//   1  a         read     [n, n]
//   2  l         read     [n, columns]
//   3  m         read     [size, size]
//   4  diagonal  write    [n]
//   5  p_on      write    [n]   diagonal of p
//   6  a_on      write    [n]   diagonal of a
//
// lib/rows.wgsl, a row an i. Dispatch: Device.groups(n, ROWS).
struct Params { n: u32, columns: u32, size: u32, ridge: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> l: array<f32>;
@group(0) @binding(3) var<storage, read> m: array<f32>;
@group(0) @binding(4) var<storage, read_write> diagonal: array<f32>;
@group(0) @binding(5) var<storage, read_write> p_on: array<f32>;
@group(0) @binding(6) var<storage, read_write> a_on: array<f32>;

@compute @workgroup_size(LANES, ROWS)
fn diagonal_of(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let i = ROWS * (group.y * groups.x + group.x) + lane.y;
  let row = min(i, params.n - 1u);
  var before = 0.0;
  for (var k = lane.x; k < row; k += LANES) {
    let value = l[row * params.columns + k];
    before += value * value;
  }
  var after = 0.0;
  for (var k = row + 1u + lane.x; k < params.n; k += LANES) {
    let value = m[k * params.size + row];
    after += value * value;
  }
  before = sum_row(before, lane);
  after = sum_row(after, lane);
  if (lane.x > 0u || i >= params.n) { return; }
  let pivot = l[i * params.columns + i];
  p_on[i] = 1.0 / pivot / pivot + after;
  a_on[i] = a[i * params.n + i];
  diagonal[i] = (a[i * params.n + i] - before) / pivot / pivot - params.ridge * after;
}
