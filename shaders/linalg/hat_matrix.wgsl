// z, which is h = (a + ridge I)^-1 a of a symmetric a, less the identity in the columns where h[j, j] > 1/2: from the factor
// l l^T = a + ridge I and m = -l^-1.
//
// Off the diagonal h = -ridge (a + ridge I)^-1 = -ridge p with p = m^T m. On it 1 - ridge p[i, i] would cancel where ridge is
// large, so the first term of p[i, i] and the 1 are taken together:
//   h[i, i] = (a[i, i] - sum_(k < i) l[i, k]^2) / l[i, i]^2 - ridge sum_(k > i) m[k, i]^2,
// in which m[i, i]^2 = 1 / l[i, i]^2. Where it is near 1, z[i, i] = -ridge p[i, i] says more.
//
//   0  params    uniform  { n, columns, size, columns4, ridge }   elements from row to row: columns of l, size of m;
//                                          vectors from row to row: columns4 of p and h, ceil(n / 4)
//   1  a         read     [n, n]
//   2  l         read     [n, columns]
//   3  m         read     [size, size]
//   4  p         read     [n, 4 columns4]      the lower triangle
//   5  diagonal  write    [4 columns4]
//   6  on_it     read     [4 columns4]        diagonal, in finish
//   7  h         write    [4 columns4, 4 columns4], z
//
// diagonal_of: lib/rows.wgsl, a row an i. Dispatch: Device.groups(n, ROWS). finish: Device.groups(n * n, 64).
struct Params { n: u32, columns: u32, size: u32, columns4: u32, ridge: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> l: array<f32>;
@group(0) @binding(3) var<storage, read> m: array<f32>;
@group(0) @binding(4) var<storage, read> p: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> diagonal: array<f32>;
@group(0) @binding(6) var<storage, read> on_it: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> h: array<vec4f>;

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
  diagonal[i] = (a[i * params.n + i] - before) / pivot / pivot - params.ridge * after;
}

fn off_diagonal(row: u32, j: u32) -> vec4f {
  return -params.ridge * p[min(row, params.n - 1u) * params.columns4 + j];
}

// Rows 4 i..4 i + 3, columns 4 j..4 j + 3 of the lower triangle, and the same mirrored.
@compute @workgroup_size(64)
fn finish(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = flat_id(group, groups, local, 64u);
  let i = at / params.columns4;
  let j = at % params.columns4;
  if (i >= params.columns4 || j > i) { return; }
  let below = mat4x4f(
    off_diagonal(4u * i, j),
    off_diagonal(4u * i + 1u, j),
    off_diagonal(4u * i + 2u, j),
    off_diagonal(4u * i + 3u, j),
  );
  let above = transpose(below);
  if (i > j) {
    put_rows(i, j, below);
    put_rows(j, i, above);
    return;
  }
  let exact = on_it[i];
  let on = select(exact, vec4f(below[0].x, below[1].y, below[2].z, below[3].w), exact > vec4f(0.5));
  put_rows(i, i, mat4x4f(
    vec4f(on.x, above[0].yzw),
    vec4f(below[1].x, on.y, above[1].zw),
    vec4f(below[2].xy, on.z, above[2].w),
    vec4f(below[3].xyz, on.w),
  ));
}

fn put_rows(i: u32, j: u32, rows: mat4x4f) {
  let at = 4u * i * params.columns4 + j;
  h[at] = rows[0];
  h[at + params.columns4] = rows[1];
  h[at + 2u * params.columns4] = rows[2];
  h[at + 3u * params.columns4] = rows[3];
}
