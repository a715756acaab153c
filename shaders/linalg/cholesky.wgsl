// Blocked Cholesky factor, a + ridge I = l lᵀ, group by group of columns: a matrix product of what is factored so far,
// `take` (here) subtracts it from a, and for each block of 32 columns `factor` (here, or cholesky_rows.wgsl), then the rows
// below it (cholesky_panel.wgsl), then the columns past it in the group (cholesky_update.wgsl).
//
//   0  params   uniform     { n, size, first, until, ridge, nan_bits }   size = n rounded up to a multiple of 32
//   1  a        read        [n, n], lower triangle                 (take; the product in mirror, transpose)
//   2  l        read/write  [size, size]                           ([n, n] in mirror, transpose)
//   3  inverse  write       [32, 32], inverse of the diagonal block (factor)
//   4  product  read        [size - first, until - first], any other array without PRODUCT    (take)
//
// take:        l = a + ridge I - product in the columns first <= j < until on and below the diagonal, 0 above it, all
//              continued by the identity; 4 elements a turn. Constant: PRODUCT, whether there is one.
//              Dispatch: Device.groups(size * (until - first) / 4, 64).
// factor:      factors the block at (first, first), and inverts it. A pivot that is not > 0 makes NaN, which spreads to
//              every later element. Constant: LANES, invocations that share a row. Dispatch: 1.
// mirror:      l = lower triangle of a, mirrored, times ridge. Dispatch: Device.groups(n * n, 64).
// transpose:   l = aᵀ. Dispatch: Device.groups(n * n, 64).
struct Params { n: u32, size: u32, first: u32, until: u32, ridge: f32, nan_bits: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read_write> l: array<f32>;
@group(0) @binding(2) var<storage, read_write> l4: array<vec4f>; // in take and factor_rows
@group(0) @binding(3) var<storage, read_write> inverse: array<f32>;
@group(0) @binding(4) var<storage, read> product: array<vec4f>;

override LANES: u32 = 1u;
override PRODUCT: bool = false;

@compute @workgroup_size(64)
fn take(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let cols = params.until - params.first;
  let k = 4u * flat_id(group, groups, local, 64u);
  let i = k / cols;
  if (i >= params.size) { return; }
  let j = params.first + k % cols;
  let columns = vec4u(j, j + 1u, j + 2u, j + 3u);
  var value = vec4f(ridged(i, columns.x), ridged(i, columns.y), ridged(i, columns.z), ridged(i, columns.w));
  if (PRODUCT && i < params.n && j <= i) {
    value -= select(vec4f(), product[(k - params.first * cols) / 4u], columns <= vec4u(i));
  }
  l4[(i * params.size + j) / 4u] = value;
}

// An element of a + ridge I and of the identity that continues it; 0 above the diagonal.
fn ridged(i: u32, j: u32) -> f32 {
  if (j > i || i >= params.n) { return select(0.0, 1.0, i == j); }
  return a[i * params.n + j] + select(0.0, params.ridge, i == j);
}

var<workgroup> roots: array<f32, 32>;

@compute @workgroup_size(32, LANES)
fn factor(@builtin(local_invocation_id) local: vec3u) {
  let i = local.x;
  let count = min(32u, params.size);
  let start = (params.first + i) * params.size + params.first;
  for (var j = local.y; j < count; j += LANES) { block[block_at(i, j)] = l[start + j]; }
  workgroupBarrier();
  for (var c = 0u; c < count; c++) {
    let pivot = block[block_at(c, c)];
    let root = select(bitcast<f32>(params.nan_bits), sqrt(pivot), pivot > 0.0);
    if (local.y == 0u && i == c) { roots[c] = root; }
    if (local.y == 0u && i > c) { block[block_at(i, c)] /= root; }
    workgroupBarrier();
    for (var j = c + 1u + local.y; j <= i; j += LANES) {
      block[block_at(i, j)] -= block[block_at(i, c)] * block[block_at(j, c)];
    }
    workgroupBarrier();
  }
  if (local.y == 0u) { block[block_at(i, i)] = roots[i]; }
  workgroupBarrier();
  if (local.y == 0u) { invert_column(i, count); }
  workgroupBarrier();
  for (var j = local.y; j < count; j += LANES) {
    if (j <= i) { l[start + j] = block[block_at(i, j)]; }
    inverse[i * 32u + j] = inverse_block[block_at(i, j)];
  }
}

@compute @workgroup_size(64)
fn mirror(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let k = flat_id(group, groups, local, 64u);
  if (k >= params.n * params.n) { return; }
  let i = k / params.n;
  let j = k % params.n;
  l[k] = params.ridge * a[max(i, j) * params.n + min(i, j)];
}

@compute @workgroup_size(64)
fn transpose(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let k = flat_id(group, groups, local, 64u);
  if (k >= params.n * params.n) { return; }
  l[k] = a[(k % params.n) * params.n + k / params.n];
}
