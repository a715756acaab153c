// h = (a + ridge I)^-1 a = I - ridge p from the factor l of a symmetric n x n matrix, and m = -l^-1, neither of which is exact:
//
//   e = a + ridge I - l l^T       what the factor lacks of the matrix
//   f = -(m l) - I                what the inverse lacks of that of the factor
//   s = f + tril(m e m^T + f f^T) (half of its diagonal) both, as seen from the inverse: m (a + ridge I) m^T - I, of which s is half
//   p = (m - s m)^T (m - s m)     to the first order of s
//
// e, f and p come of numbers that nearly cancel, so l and m are cut: x = x1 + x2, where x1 has so few bits, 12 of the norm of a
// row or a column, that products of two such and all their sums are exact whatever their order and whether or not they are
// contracted (Cauchy and Schwarz: no sum of absolute values exceeds the product of the norms). What is rounded then is 2^12 smaller.
// The norms of the rows of l are the roots of the diagonal of a + ridge I; those of the rows of m and of its columns are at most
// 1 / sqrt(ridge), as p is at most I / ridge. For e the rest of l is cut once more, l = l1 + l2 + l3, and
//
//   l l^T = l1 l1^T + (l1 l2^T + l2 l1^T) + (k l3^T + l3 k^T) + l2 l2^T,   k = l1 + l2 + l3 / 2.
//
// That matters where ridge p a, at their largest on the diagonal, times p is more than 1 / 16: what the rounding of a moves h by is about
// its epsilon times that. Elsewhere x1 is m, p1 is p, and the rest is left out (gate[0] != 0).
//
// What the first order leaves is about (s m)^T (s m), times ridge in h. Where that is more than ENOUGH the pass is made again of the
// corrected m, cut anew (gate[0] == 0 again): each squares what is left (Newton's method). e is that of l, and stays.
//
//   0  params  uniform     { n, size, norm, ridge, ridge_high, most, nan_bits, none }   none: 0, see exactly()
//   1  x       read        the diagonal of p in decide; l [n, size] in split_factor, measure, split_columns; a in error; m1 l1 in
//                          lack; f in combine; s m in measure and correct; what that missed in judge; p1 in finish
//   2  y       read        the diagonal of a in decide and split_factor; squares of columns in split_columns; l1 l1^T in error; m2 l1 in lack;
//                          f f^T in combine; p1 in judge; m1^T m2 in finish
//   3  w       read        l1 l2^T in error; m1^T m2 in judge; m2^T m in finish
//   4  z       read        k l3^T in error; m2^T m in judge; the diagonal of h in finish
//   5  r       read        l2 l2^T in error; a in judge
//   6  u       read/write  the first gate in decide; l1 in split_factor and split_columns; m, then m1 in split_inverse and correct;
//                          e in error; m l2, then f in lack; m e m^T, then s in combine; the diagonal of h in judge, where it
//                          holds that of hat_matrix.wgsl; h [n, n] in finish
//   7  v       read/write  the second gate in decide; l2 in split_factor and split_columns; m2 in split_inverse and correct;
//                          in measure [n] ridge times the squares of columns: how much of h[i, i] the first order misses
//   8  t       read/write  the third gate in decide; l3 in split_factor; m in split_inverse and correct
//   9  gate    read        [4], what decide and measure left: whether a pass is left out, whether h is unknown
//  10  flags   read/write  a gate that is open in decide; that of the next pass in measure; the first in judge
//  11  k       write       k in split_factor
//
// Matrices are [size, size], size >= n, but a, l and h. A lower triangular one is 0 above its diagonal as far as tiles of
// products reach, undefined elsewhere. p = p1 + p2, p1 = m1^T m1.
// decide: one workgroup. measure: lib/rows.wgsl, a column an i. Dispatch: Device.groups(n, ROWS). judge: ceil(n / 64).
// finish: ceil(n / 32) x ceil(n / 32). The others: ceil(size / 256) x size / 4.
struct Params {
  n: u32, size: u32, norm: f32, ridge: f32, ridge_high: f32, most: f32, nan_bits: u32, none: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> y: array<f32>;
@group(0) @binding(3) var<storage, read> w: array<f32>;
@group(0) @binding(4) var<storage, read> z: array<f32>;
@group(0) @binding(5) var<storage, read> r: array<f32>;
@group(0) @binding(6) var<storage, read_write> u: array<f32>;
@group(0) @binding(7) var<storage, read_write> v: array<f32>;
@group(0) @binding(8) var<storage, read_write> t: array<f32>;
@group(0) @binding(9) var<storage, read> gate: array<f32>;
@group(0) @binding(10) var<storage, read_write> flags: array<atomic<u32>>;
@group(0) @binding(11) var<storage, read_write> k: array<f32>;

const BITS = 12u;
const REACH = 127u; // as no tile of a product exceeds 128
const EDGE = 32u; // of a tile of h
// Elements of h are at most 1; below this a change of all of an element is rounding.
const SMALL = 4e-6;
// What may be missed of an element of h without a second pass: 2^-28.
const ENOUGH = 3.7252903e-9;
const ONE = 0x3f800000u; // 1.0

fn is_left_out() -> bool { return gate[0] != 0.0; }

// An element of a [size, size] matrix, and its place in memory. A workgroup has 4 rows and 256 columns, an invocation 16 elements.
struct At { i: u32, j: u32, k: u32 }

struct Here { @builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32 }

fn at_of(here: Here, q: u32) -> At {
  let i = 4u * here.group.y + q / 4u;
  let j = 256u * here.group.x + 64u * (q % 4u) + here.local;
  return At(i, j, i * params.size + j);
}

// Whether a product reads an element of a lower triangle.
fn is_reached(at: At) -> bool { return at.j < params.size && at.j <= (at.i | REACH); }

fn is_lower(i: u32, j: u32) -> bool { return i < params.n && j <= i; }

// x as it was rounded: keeps a compiler from adding in another order, as it cannot know that `none` is 0.
fn exactly(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) ^ params.none); }

// Whether a size is larger or NaN, by their bits: drivers may assume that comparisons never see NaN.
fn exceeds(size: f32, bound: f32) -> bool { return bitcast<u32>(abs(size)) > bitcast<u32>(bound); }

// Exponent of the unit of x1: a power of two above the norm, times 2^-BITS.
fn unit_of(norm: f32) -> u32 { return clamp((bitcast<u32>(1.25 * norm) >> 23u) + 1u, BITS + 1u, 253u) - BITS; }

fn power_of(exponent: u32) -> f32 { return bitcast<f32>(exponent << 23u); }

// x1 of a value.
fn cut(value: f32, unit: u32) -> f32 { return round(value * power_of(254u - unit)) * power_of(unit); }

var<workgroup> largest: array<vec2u, 64>;

// Sizes are compared by their bits, in which NaN is the largest.
@compute @workgroup_size(64)
fn decide(@builtin(local_invocation_index) local: u32) {
  var found = vec2u();
  for (var i = local; i < params.n; i += 64u) { found = max(found, bitcast<vec2u>(abs(vec2f(x[i], y[i])))); }
  largest[local] = found;
  workgroupBarrier();
  if (local > 0u) { return; }
  for (var i = 1u; i < 64u; i++) { found = max(found, largest[i]); }
  let most = bitcast<vec2f>(found);
  let plain = select(0.0, 1.0, params.ridge * most.x * most.y * most.x <= 0.0625);
  u[0] = plain;
  u[2] = 0.0;
  v[0] = 1.0;
  t[0] = 1.0;
  atomicStore(&flags[0], 0u);
}

@compute @workgroup_size(64)
fn split_factor(here: Here) {
  if (is_left_out()) { return; }
  for (var q = 0u; q < 16u; q++) {
    let at = at_of(here, q);
    if (!is_reached(at)) { continue; }
    let unit = unit_of(sqrt(y[min(at.i, params.n - 1u)] + params.ridge));
    let rest_unit = unit_of(0.5 * sqrt(f32(at.i + 1u)) * power_of(unit)); // no element of the rest is more than half a unit
    let lower = is_lower(at.i, at.j);
    let value = select(0.0, x[select(0u, at.k, lower)], lower);
    let high = cut(value, unit);
    let rest = exactly(value - high);
    let second = cut(rest, rest_unit);
    u[at.k] = high;
    v[at.k] = second;
    t[at.k] = rest - second;
    k[at.k] = value - 0.5 * (rest - second);
  }
}

@compute @workgroup_size(64)
fn error(here: Here) {
  if (is_left_out()) { return; }
  for (var q = 0u; q < 16u; q++) {
    let at = at_of(here, q);
    if (at.j >= params.size) { continue; }
    let high = max(at.i, at.j);
    let low = min(at.i, at.j);
    var value = 0.0;
    if (high < params.n) {
      let along = high * params.size + low;
      let across = low * params.size + high;
      value = exactly(x[high * params.n + low] - y[along]);
      value = exactly(value + select(0.0, params.ridge, high == low));
      value = exactly(exactly(value - w[along]) - w[across]);
      value -= z[along] + z[across] + r[along];
    }
    u[at.k] = value;
  }
}

@compute @workgroup_size(64)
fn split_columns(here: Here) {
  if (is_left_out()) { return; }
  for (var q = 0u; q < 16u; q++) {
    let at = at_of(here, q);
    if (!is_reached(at)) { continue; }
    let lower = is_lower(at.i, at.j);
    let value = select(0.0, x[select(0u, at.k, lower)], lower);
    let high = cut(value, unit_of(sqrt(y[min(at.j, params.n - 1u)])));
    u[at.k] = high;
    v[at.k] = value - high;
  }
}

// Where m is not cut, it only lacks zeros past n.
@compute @workgroup_size(64)
fn split_inverse(here: Here) {
  if (is_left_out() && 4u * here.group.y + 3u < params.n) { return; }
  for (var q = 0u; q < 16u; q++) {
    let at = at_of(here, q);
    if (!is_reached(at)) { continue; }
    let value = select(0.0, u[at.k], is_lower(at.i, at.j));
    let high = select(cut(value, unit_of(params.norm)), value, is_left_out());
    u[at.k] = high;
    v[at.k] = value - high;
    t[at.k] = value;
  }
}

@compute @workgroup_size(64)
fn lack(here: Here) {
  if (is_left_out()) { return; }
  for (var q = 0u; q < 16u; q++) {
    let at = at_of(here, q);
    if (!is_reached(at)) { continue; }
    let high = exactly(x[at.k] + select(0.0, 1.0, at.i == at.j)); // -(m1 l1) is nearly I
    u[at.k] = select(0.0, high + (u[at.k] + y[at.k]), is_lower(at.i, at.j));
  }
}

@compute @workgroup_size(64)
fn combine(here: Here) {
  if (is_left_out()) { return; }
  for (var q = 0u; q < 16u; q++) {
    let at = at_of(here, q);
    if (!is_reached(at)) { continue; }
    let both = u[at.k] + y[at.k];
    u[at.k] = select(0.0, select(both, 0.5 * both, at.i == at.j) - x[at.k], is_lower(at.i, at.j));
  }
}

@compute @workgroup_size(LANES, ROWS)
fn measure(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let i = ROWS * (group.y * groups.x + group.x) + lane.y;
  let column = min(i, params.n - 1u);
  let end = select(params.n, 0u, is_left_out());
  var missed = 0.0;
  for (var i = column + lane.x; i < end; i += LANES) {
    let moved = x[i * params.size + column];
    missed += moved * moved;
  }
  missed = params.ridge * sum_row(missed, lane);
  if (lane.x > 0u || i >= params.n) { return; }
  v[i] = missed;
  if (exceeds(missed, ENOUGH)) { atomicStore(&flags[0], 0u); }
}

@compute @workgroup_size(64)
fn correct(here: Here) {
  if (is_left_out()) { return; }
  for (var q = 0u; q < 16u; q++) {
    let at = at_of(here, q);
    if (!is_lower(at.i, at.j)) { continue; }
    let rest = exactly(v[at.k] - x[at.k]);
    let value = u[at.k] + rest;
    let high = cut(value, unit_of(params.norm));
    v[at.k] = exactly(u[at.k] - high) + rest;
    u[at.k] = high;
    t[at.k] = value;
  }
}

// The first 12 bits: products of two such are exact.
fn high_of(value: f32) -> f32 { return bitcast<f32>(bitcast<u32>(value) & 0xfffff000u); }

@compute @workgroup_size(64)
fn judge(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= params.n) { return; }
  let p1 = y[i * (params.size + 1u)];
  var p2 = 0.0;
  if (atomicLoad(&flags[0]) == 0u) { p2 = w[i * (params.size + 1u)] + z[i * (params.size + 1u)]; }
  let high = high_of(p1);
  let near = exactly(1.0 - params.ridge_high * high); // as far as it is exact
  let rest = params.ridge_high * (p1 - high) + (params.ridge - params.ridge_high) * p1 + params.ridge * p2;
  if (params.ridge < 4.0 * r[i * (params.n + 1u)]) { u[i] = near - rest; }
  // A rest that is NaN must not be lost in max().
  let missed = x[i] / max(u[i], SMALL) + 0.0 * rest;
  if (exceeds(missed, params.most)) { atomicStore(&flags[2], ONE); }
}

var<workgroup> tile: array<f32, 1056>; // EDGE rows at a pitch of 33

// A tile on or below the diagonal, and its mirror image.
@compute @workgroup_size(64)
fn finish(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = EDGE * group.y;
  let column = EDGE * group.x;
  if (column > row) { return; }
  let unknown = gate[2] != 0.0;
  for (var q = local; q < EDGE * EDGE; q += 64u) {
    let i = row + q / EDGE;
    let j = column + q % EDGE;
    if (is_lower(i, j)) {
      let at = i * params.size + j;
      var p = x[at];
      if (!is_left_out()) { p += y[at] + w[at]; }
      let value = select(select(-params.ridge * p, z[i], i == j), bitcast<f32>(params.nan_bits), unknown);
      tile[q / EDGE * 33u + q % EDGE] = value;
      u[i * params.n + j] = value;
    }
  }
  workgroupBarrier();
  for (var q = local; q < EDGE * EDGE; q += 64u) {
    let i = row + q % EDGE;
    let j = column + q / EDGE;
    if (is_lower(i, j)) { u[j * params.n + i] = tile[q % EDGE * 33u + q / EDGE]; }
  }
}
