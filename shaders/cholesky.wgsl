// Blocked Cholesky factor, a + ridge I = l lᵀ, in place in l: for each block of 32 columns `factor` (here), then the rows
// below it (cholesky_panel.wgsl), then the columns past it (cholesky_update.wgsl): at once those of its group of blocks,
// and the rest of the matrix after the group, with all of its columns.
//
//   0  params   uniform     { n, size, first, ridge, nan_bits }   size = n rounded up to a multiple of 32
//   1  a        read        [n, n], lower triangle                 (copy_lower; the product in mirror, transpose)
//   2  l        read/write  [size, size]                           ([n, n] in mirror, transpose)
//   3  inverse  write       [32, 32], inverse of the diagonal block (factor)
//
// copy_lower:  l = lower triangle of a + ridge I, 0 above the diagonal, continued by the identity; 4 elements a turn.
//              Dispatch: Device.groups(size * size / 4, 64).
// factor:      factors the block at (first, first), and inverts it. A pivot that is not > 0 makes NaN, which spreads to
//              every later element. Constant: LANES, invocations that share a row. Dispatch: 1.
// mirror:      l = lower triangle of a, mirrored, times ridge. Dispatch: Device.groups(n * n, 64).
// transpose:   l = aᵀ. Dispatch: Device.groups(n * n, 64).
struct Params { n: u32, size: u32, first: u32, ridge: f32, nan_bits: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read_write> l: array<f32>;
@group(0) @binding(3) var<storage, read_write> inverse: array<f32>;

override LANES: u32 = 1u;

@compute @workgroup_size(64)
fn copy_lower(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let k = 4u * flat_id(group, groups, local, 64u);
  if (k >= params.size * params.size) { return; }
  let i = k / params.size;
  let first = k % params.size;
  for (var u = 0u; u < 4u; u++) {
    let j = first + u;
    var value = select(0.0, 1.0, i == j);
    if (i < params.n && j <= i) { value = a[i * params.n + j] + select(0.0, params.ridge, i == j); }
    l[k + u] = value;
  }
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
