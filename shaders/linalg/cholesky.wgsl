// Blocked Cholesky factor, a + ridge I = l l^T, group by group of columns. The work w = -(a + ridge I) takes in what is factored:
// for each block of 32 columns, `factor` (here) does all its rows; or for CPU adapters a factor of the diagonal
// (cholesky_rows.wgsl), the rows below it (cholesky_panel.wgsl), then the columns past it in the group (cholesky_update.wgsl).
// After each group a matrix product adds l l^T of its columns to the rows and columns past it.
//
//   0  params   uniform     { n, size, group, first, ridge, nan_bits }   size = n rounded up to a multiple of 32
//   1  a        read        [n, n], lower triangle                 (start; the product in mirror)
//   2  l        read/write  [size, size]                           ([n, n] in mirror)
//   3  w        read/write  [size, size], its lower triangle       (start, factor)
//
// start:       w = -(a + ridge I) on and below the diagonal, continued by the identity; l = 0 above it; 4 elements a turn.
//              Dispatch: ceil(size / 256) x size.
// factor:      the columns of the block at (first, first), which each workgroup factors for itself, with 8 rows below it; the
//              columns of the group before them are taken off first. A pivot that is not > 0 makes NaN, which spreads to every
//              later element. Dispatch: max(1, (size - first - 32) / 8).
// mirror:      l = lower triangle of a, mirrored, times ridge. Dispatch: Device.groups(n * n, 64).
struct Params { n: u32, size: u32, group: u32, first: u32, ridge: f32, nan_bits: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read_write> l: array<f32>;
@group(0) @binding(2) var<storage, read_write> l4: array<vec4f>; // in start and the factors
@group(0) @binding(3) var<storage, read_write> w4: array<vec4f>;

const AT = vec4u(0u, 1u, 2u, 3u);

@compute @workgroup_size(64)
fn start(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = group.y;
  let j = 4u * (64u * group.x + local);
  if (j >= params.size) { return; }
  let at = (i * params.size + j) / 4u;
  if (j + 3u > i) { l4[at] = vec4f(); }
  if (j > i) { return; }
  w4[at] = -vec4f(ridged(i, j), ridged(i, j + 1u), ridged(i, j + 2u), ridged(i, j + 3u));
}

// An element of a + ridge I and of the identity that continues it; 0 above the diagonal.
fn ridged(i: u32, j: u32) -> f32 {
  if (j > i || i >= params.n) { return select(0.0, 1.0, i == j); }
  return a[i * params.n + j] + select(0.0, params.ridge, i == j);
}

// What the columns of the group before the block leave of its columns 4 q and on in a row.
fn left_of(row: u32, q: u32) -> vec4f {
  let pitch = params.size / 4u;
  let right = (params.first + 4u * q) * pitch;
  var left = -w4[row * pitch + params.first / 4u + q];
  for (var f = params.group / 4u; f < params.first / 4u; f++) {
    left -= l4[row * pitch + f] * mat4x4f(
      l4[right + f],
      l4[right + pitch + f],
      l4[right + 2u * pitch + f],
      l4[right + 3u * pitch + f],
    );
  }
  return left;
}

const BELOW = 8u; // rows below the block of a workgroup

var<workgroup> block: array<f32, 1056>; // [32][32] at a pitch of 33
var<workgroup> below: array<f32, 264>; // [8][32] likewise

fn block_at(i: u32, j: u32) -> u32 { return i * 33u + j; }

fn if_positive(pivot: f32, value: f32) -> f32 { return select(bitcast<f32>(params.nan_bits), value, pivot > 0.0); }

// Right-looking; columns are divided by the roots of their pivots last, so that a column takes one barrier. An invocation has a
// row of the block, every 8th column of it, and one element below.
@compute @workgroup_size(32, 8)
fn factor(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let i = local.x;
  let lane = local.y;
  let count = min(32u, params.size); // at run time: see lib/block.wgsl
  let row = params.first + i;
  let below_row = params.first + 32u + BELOW * group.x + i; // of the first 8 invocations
  let whole = left_of(row, lane);
  for (var u = 0u; u < 4u; u++) { block[block_at(i, 4u * lane + u)] = whole[u]; }
  if (i < BELOW) {
    let part = left_of(min(below_row, params.size - 1u), lane);
    for (var u = 0u; u < 4u; u++) { below[block_at(i, 4u * lane + u)] = part[u]; }
  }
  let mine = i % BELOW;
  let column = 8u * (i / BELOW) + lane;
  for (var c = 0u; c < count; c++) {
    workgroupBarrier();
    let pivot = block[block_at(c, c)];
    let scale = if_positive(pivot, 1.0 / pivot);
    let scaled = block[block_at(i, c)] * scale;
    for (var j = c + 1u + lane; j <= i; j += 8u) { block[block_at(i, j)] -= scaled * block[block_at(j, c)]; }
    if (column > c) { below[block_at(mine, column)] -= below[block_at(mine, c)] * scale * block[block_at(column, c)]; }
  }
  workgroupBarrier();
  var values = vec4f();
  var values_below = vec4f();
  for (var u = 0u; u < 4u; u++) {
    let j = 4u * lane + u;
    let pivot = block[block_at(j, j)];
    let root = if_positive(pivot, sqrt(pivot));
    values[u] = select(select(0.0, root, i == j), block[block_at(i, j)] / root, j < i);
    values_below[u] = below[block_at(mine, j)] / root;
  }
  let at = params.first / 4u + lane;
  if (group.x == 0u) { l4[row * params.size / 4u + at] = values; }
  if (i < BELOW && below_row < params.size) { l4[below_row * params.size / 4u + at] = values_below; }
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
