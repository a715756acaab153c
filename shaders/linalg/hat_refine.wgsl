// One step of iterative refinement of h, an approximation of (a + ridge I)^-1 a of symmetric n x n matrices:
//
//   r = a - (a + ridge I) h,   h + p r,   p = m^T m the inverse that h was made of.
//
// Where h[j, j] > 1/2 the array is that of h - I in column j (s[j] = 1): there h - I is small, and 1 + (h[j, j] - 1) would
// round it. With z = h - diag(s):
//
//   r[i, j] = (1 - s[j]) a[i, j] - sum_k a[i, k] z[k, j] - ridge (z[i, j] + s[j] [i = j])
//
// to more bits than f32 adds up: a = a1 + a2 and z = z1 + z2, where a1 and z1 have so few bits, `bits` in each row, that the
// products of a1 z1 and all their sums are exact whatever their order. What is rounded then is 2^bits smaller.
//
//   0  params  uniform  { n, bits, ridge, most }
//   1  x       read     [n, n]     a (lower triangle) or z in split; a1, z in correct; d = p r in judge and finish
//   2  y       read     [n, n]     a2 in subtract; the product a1 z2 in correct; z in judge and finish
//   3  w       read     [n, n]     the product a2 z in correct; [1] the worst row in finish
//   4  on      read     [n]        diagonal of h                                  (all but split)
//   5  u       write    [n, n]     the high part in split; what a leaves without the product a1 z1, in its place, in subtract;
//                                  r in place of that in correct; h refined in finish; [n] how far a row moves in judge
//   6  v       write    [n, n]     the low part in split
//
// judge: how far h moves where it moves most, relative to the largest element of the row (or SMALL). finish: NaN everywhere
// where some row moved by more than `most`: what the step corrects is then no longer small, and what it leaves may not be.
// split and judge: lib/rows.wgsl, a row an i. Dispatch: Device.groups(n, ROWS); the others Device.groups(n * n, 64).
struct Params { n: u32, bits: u32, ridge: f32, most: f32, nan_bits: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> y: array<f32>;
@group(0) @binding(3) var<storage, read> w: array<f32>;
@group(0) @binding(4) var<storage, read> on: array<f32>;
@group(0) @binding(5) var<storage, read_write> u: array<f32>;
@group(0) @binding(6) var<storage, read_write> v: array<f32>;

// Elements of h are at most 1; below this a change of all of an element is rounding.
const SMALL = 4e-6;

// Reads a symmetric matrix from its lower triangle.
fn mirrored(i: u32, j: u32) -> f32 {
  return x[max(i, j) * params.n + min(i, j)];
}

fn is_shifted(j: u32) -> bool { return on[j] > 0.5; }

// What z lacks of h.
fn shift_of(i: u32, j: u32) -> f32 { return select(0.0, 1.0, i == j && is_shifted(j)); }

@compute @workgroup_size(LANES, ROWS)
fn split(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let i = ROWS * (group.y * groups.x + group.x) + lane.y;
  let end = select(0u, params.n, i < params.n);
  var top = 0.0;
  for (var j = lane.x; j < end; j += LANES) { top = max(top, abs(mirrored(i, j))); }
  top = max_row(top, lane);
  // A power of two above the row's largest, times 2^-bits, and its inverse.
  let exponent = clamp((bitcast<u32>(top) >> 23u) + 1u, params.bits + 1u, 253u);
  let unit = bitcast<f32>((exponent - params.bits) << 23u);
  let inverse = bitcast<f32>(min(254u + params.bits - exponent, 254u) << 23u);
  for (var j = lane.x; j < end; j += LANES) {
    let value = mirrored(i, j);
    let high = round(value * inverse) * unit;
    u[i * params.n + j] = high;
    v[i * params.n + j] = value - high;
  }
}

@compute @workgroup_size(64)
fn subtract(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let k = flat_id(group, groups, local, 64u);
  if (k >= params.n * params.n) { return; }
  u[k] = select(x[k] + y[k], 0.0, is_shifted(k % params.n)) - u[k];
}

// Apart from subtract, so that no compiler adds what is small before.
@compute @workgroup_size(64)
fn correct(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let k = flat_id(group, groups, local, 64u);
  if (k >= params.n * params.n) { return; }
  u[k] = u[k] - y[k] - w[k] - params.ridge * (x[k] + shift_of(k / params.n, k % params.n));
}

@compute @workgroup_size(LANES, ROWS)
fn judge(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let i = ROWS * (group.y * groups.x + group.x) + lane.y;
  let end = select(0u, params.n, i < params.n);
  var moved = 0.0;
  var largest = SMALL;
  var known = 0.0; // NaN where an element is: max() may drop it
  for (var j = lane.x; j < end; j += LANES) {
    let change = mirrored(i, j);
    let value = y[i * params.n + j] + shift_of(i, j);
    moved = max(moved, abs(change));
    largest = max(largest, abs(value));
    known += 0.0 * (change + value);
  }
  moved = max_row(moved, lane);
  largest = max_row(largest, lane);
  known = sum_row(known, lane);
  if (lane.x == 0u && i < params.n) { u[i] = moved / largest + known; }
}

@compute @workgroup_size(64)
fn finish(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let k = flat_id(group, groups, local, 64u);
  if (k >= params.n * params.n) { return; }
  let i = k / params.n;
  let j = k % params.n;
  let value = (y[k] + mirrored(i, j)) + shift_of(i, j);
  u[k] = select(bitcast<f32>(params.nan_bits), value, w[0] <= params.most);
}
