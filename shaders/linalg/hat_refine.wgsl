// h = (a + ridge I)^-1 a = I - ridge p from the factor l of a symmetric n x n matrix, and m = -l^-1, neither of which is exact:
//
//   e = a + ridge I - l l^T       what the factor lacks of the matrix
//   f = -(m l) - I                what the inverse lacks of that of the factor
//   s = f + tril(m e m^T + f f^T) (half of its diagonal) both, as seen from the inverse: m (a + ridge I) m^T - I, of which s is half
//   p = (m - s m)^T (m - s m)     to the first order of s
//
// e, f and p come of numbers that nearly cancel, so l and m are cut in two: x = x1 + x2, where x1 has so few bits, 12 of the norm of a
// row or a column, that products of two such and all their sums are exact whatever their order and whether or not they are
// contracted (Cauchy and Schwarz: no sum of absolute values exceeds the product of the norms). What is rounded then is 2^12 smaller.
// The norms of the rows of m and of its columns are at most 1 / sqrt(ridge), as p is at most I / ridge.
// What must be added in order is added in dispatches of their own, lest a compiler should add what is small before.
//
// That matters where ridge p a, at their largest on the diagonal, times p is more than 1 / 16: what the rounding of a moves h by is about
// its epsilon times that. Elsewhere x1 is m, p1 is p, and the rest is left out (gate[0] != 0).
//
// What the first order leaves is about (s m)^T (s m), times ridge in h. Where that is more than ENOUGH the pass is made again of the
// corrected m, cut anew (gate[0] == 0 again): each squares what is left (Newton's method). e is that of l, and stays.
//
//   0  params  uniform  { n, columns, size, by, bound, ridge, ridge_high, most, nan_bits }
//   1  x       read     [n, columns] l or m, its lower triangle, in split; a in negate; -e in mirror; -f in combine; s m in correct and
//                       measure; what that missed in judge; a in near; m1 + q in recut; q in join; the largest of measure in again
//   2  y       read     squares of norms in split; m2 in correct; p1 in near, judge and finish
//   3  w       read     m1 in correct and recut; p2 in judge and finish
//   4  on      read     [n] what near left, in judge; the diagonal in finish
//   5  u       write    x1 in split; x as far as it is lower in clear; `ridge` on the diagonal in start; -a in negate; added to in shift; e in mirror; m e m^T, then s in combine; q = m2 - s m in correct;
//                       in near 1 - ridge p1[i, i] as far as it is exact; in judge the diagonal, where it holds that of hat_matrix.wgsl;
//                       h [n, n] in finish; the new m1 in recut, m2 in join
//   6  v       write    x2 in split; m1 + q in correct; the old m1 less the new in recut; in measure [n] how much of
//                       h[i, i] the first order misses; that relative to it in judge
//   7  z       read     a in judge; [1] the worst row in finish; [1] the largest diagonal element of a in decide, x that of p
//   8  gate    read     [4], what decide or again left in u; all but decide. gate[1] != 0 where the first pass was left out
//
// Matrices are [size, size], size >= n, with zeros above the diagonal and past n, but a and h. In split the norms are: of rows
// (by = 0), of columns (1), `bound` for all (2). p = p1 + p2, p1 = m1^T m1; both only in the lower triangle.
// measure: lib/rows.wgsl, a column an i. Dispatch: Device.groups(n, ROWS); decide, again: 1; shift, near, judge Device.groups(n, 64),
// finish Device.groups(n * n, CHUNK), the others Device.groups(size * size, CHUNK).
struct Params {
  n: u32, columns: u32, size: u32, by: u32, bound: f32, ridge: f32, ridge_high: f32, most: f32, nan_bits: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> y: array<f32>;
@group(0) @binding(3) var<storage, read> w: array<f32>;
@group(0) @binding(4) var<storage, read> on: array<f32>;
@group(0) @binding(5) var<storage, read_write> u: array<f32>;
@group(0) @binding(6) var<storage, read_write> v: array<f32>;
@group(0) @binding(7) var<storage, read> z: array<f32>;
@group(0) @binding(8) var<storage, read> gate: array<f32>;

const BITS = 12u;
const CHUNK = 1024u; // elements of a workgroup of 64
// Elements of h are at most 1; below this a change of all of an element is rounding.
const SMALL = 4e-6;
// What may be missed of an element of h without a second pass: 2^-28.
const ENOUGH = 3.7252903e-9;

// Element of a [size, size] matrix, its row and column, and whether it is in the lower triangle of [n, n].
struct At { k: u32, i: u32, j: u32, lower: bool }

fn at_of(k: u32) -> At {
  let i = k / params.size;
  let j = k % params.size;
  return At(k, i, j, i < params.n && j <= i);
}

fn is_left_out() -> bool { return gate[0] != 0.0; }

fn is_plain() -> bool { return gate[1] != 0.0; }

// The elements of an invocation: from `first` to before `end`, every 64th.
struct Span { first: u32, end: u32 }

fn span_of(group: vec3u, groups: vec3u, local: u32, total: u32) -> Span {
  let first = CHUNK * (group.y * groups.x + group.x);
  return Span(first + local, min(first + CHUNK, total));
}

fn span_of_matrix(group: vec3u, groups: vec3u, local: u32) -> Span {
  return span_of(group, groups, local, params.size * params.size);
}

@compute @workgroup_size(1)
fn decide() {
  let p = x[0];
  u[0] = select(0.0, 1.0, params.ridge * p * z[0] * p <= 0.0625);
  u[1] = u[0];
}

@compute @workgroup_size(1)
fn again() {
  u[0] = select(0.0, 1.0, is_plain() || x[0] <= ENOUGH);
  u[1] = gate[1];
}

// x1 of a value, a multiple of a power of two above the norm times 2^-BITS.
fn cut(value: f32, norm2: f32) -> f32 {
  let above = (bitcast<u32>(1.25 * sqrt(norm2)) >> 23u) + 1u;
  let exponent = clamp(above, BITS + 1u, 253u) - BITS;
  return round(value * bitcast<f32>((254u - exponent) << 23u)) * bitcast<f32>(exponent << 23u);
}

@compute @workgroup_size(64)
fn split(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  if (params.by < 2u && is_left_out()) { return; }
  let span = span_of_matrix(group, groups, local);
  for (var k = span.first; k < span.end; k += 64u) {
    let at = at_of(k);
    var norm2 = params.bound;
    if (params.by < 2u) { norm2 = y[min(select(at.i, at.j, params.by == 1u), params.n - 1u)]; }
    let value = select(0.0, x[select(0u, at.i * params.columns + at.j, at.lower)], at.lower);
    let high = select(cut(value, norm2), value, is_left_out());
    u[k] = high;
    v[k] = value - high;
  }
}

@compute @workgroup_size(64)
fn start(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  if (is_left_out()) { return; }
  let span = span_of_matrix(group, groups, local);
  for (var k = span.first; k < span.end; k += 64u) {
    let at = at_of(k);
    u[k] = select(0.0, params.ridge, at.i == at.j && at.lower);
  }
}

@compute @workgroup_size(64)
fn clear(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  if (is_left_out()) { return; }
  let span = span_of_matrix(group, groups, local);
  for (var k = span.first; k < span.end; k += 64u) { u[k] = select(0.0, x[k], at_of(k).lower); }
}

@compute @workgroup_size(64)
fn negate(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  if (is_left_out()) { return; }
  let span = span_of_matrix(group, groups, local);
  for (var k = span.first; k < span.end; k += 64u) {
    let at = at_of(k);
    u[k] = select(0.0, -x[select(0u, at.i * params.n + at.j, at.lower)], at.lower);
  }
}

@compute @workgroup_size(64)
fn shift(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i < params.n && !is_left_out()) { u[i * (params.size + 1u)] -= params.ridge; }
}

@compute @workgroup_size(64)
fn mirror(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  if (is_left_out()) { return; }
  let span = span_of_matrix(group, groups, local);
  for (var k = span.first; k < span.end; k += 64u) {
    let at = at_of(k);
    let high = max(at.i, at.j);
    u[k] = select(0.0, -x[high * params.size + min(at.i, at.j)], high < params.n);
  }
}

@compute @workgroup_size(64)
fn combine(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  if (is_left_out()) { return; }
  let span = span_of_matrix(group, groups, local);
  for (var k = span.first; k < span.end; k += 64u) {
    let at = at_of(k);
    u[k] = select(0.0, select(u[k], 0.5 * u[k], at.i == at.j) - x[k], at.lower);
  }
}

@compute @workgroup_size(64)
fn correct(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  if (is_plain()) { return; }
  let span = span_of_matrix(group, groups, local);
  for (var k = span.first; k < span.end; k += 64u) {
    let at = at_of(k);
    let q = select(0.0, y[k] - select(x[k], 0.0, is_left_out()), at.lower);
    u[k] = q;
    v[k] = select(0.0, w[k] + q, at.lower);
  }
}

@compute @workgroup_size(64)
fn recut(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  if (is_plain()) { return; }
  let span = span_of_matrix(group, groups, local);
  for (var k = span.first; k < span.end; k += 64u) {
    let old = w[k];
    let high = select(cut(x[k], params.bound), old, is_left_out());
    u[k] = high;
    v[k] = old - high;
  }
}

@compute @workgroup_size(64)
fn join(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  if (is_plain()) { return; }
  let span = span_of_matrix(group, groups, local);
  for (var k = span.first; k < span.end; k += 64u) { u[k] += x[k]; }
}

@compute @workgroup_size(LANES, ROWS)
fn measure(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let i = ROWS * (group.y * groups.x + group.x) + lane.y;
  let row = min(i, params.n - 1u);
  let end = select(params.n, 0u, is_left_out());
  var missed = 0.0;
  for (var k = row + lane.x; k < end; k += LANES) {
    let moved = x[k * params.size + row];
    missed += moved * moved;
  }
  missed = sum_row(missed, lane);
  if (lane.x == 0u && i < params.n) { v[i] = params.ridge * missed; }
}

// The first 12 bits: products of two such are exact.
fn high_of(value: f32) -> f32 { return bitcast<f32>(bitcast<u32>(value) & 0xfffff000u); }

@compute @workgroup_size(64)
fn near(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i < params.n) { u[i] = 1.0 - params.ridge_high * high_of(y[i * (params.size + 1u)]); }
}

@compute @workgroup_size(64)
fn judge(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.n) { return; }
  let p1 = y[i * (params.size + 1u)];
  let p2 = select(w[i * (params.size + 1u)], 0.0, is_left_out());
  let high = high_of(p1);
  let rest = params.ridge_high * (p1 - high) + (params.ridge - params.ridge_high) * p1 + params.ridge * p2;
  if (params.ridge < 4.0 * z[i * (params.n + 1u)]) { u[i] = on[i] - rest; }
  // A rest that is NaN must not be lost in max().
  v[i] = x[i] / max(u[i], SMALL) + 0.0 * rest;
}

@compute @workgroup_size(64)
fn finish(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let span = span_of(group, groups, local, params.n * params.n);
  for (var k = span.first; k < span.end; k += 64u) {
    let i = k / params.n;
    let j = k % params.n;
    let at = max(i, j) * params.size + min(i, j);
    let p = select(y[at] + w[at], y[at], is_left_out());
    let value = select(-params.ridge * p, on[i], i == j);
    u[k] = select(bitcast<f32>(params.nan_bits), value, z[0] <= params.most);
  }
}
