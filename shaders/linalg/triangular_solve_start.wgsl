// The work of triangular_solve.wgsl: w[i, j] = -b[i, j], 0 past the rows and columns of b.
//
//   0  params  uniform  { rows, cols, vectors, size }   vectors: of four, in a row of w; size: vectors in w
//   1  b       read     [rows, cols]
//   2  w       write    [size / vectors, 4 * vectors]
//
// Dispatch: Device.groups(size, 64).
struct Params { rows: u32, cols: u32, vectors: u32, size: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> w: array<vec4f>;

@compute @workgroup_size(64)
fn negate(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let k = flat_id(group, groups, local, 64u);
  if (k >= params.size) { return; }
  let i = k / params.vectors;
  let j = 4u * (k % params.vectors);
  var value = vec4f();
  if (i < params.rows) {
    let start = i * params.cols;
    for (var u = 0u; u < min(4u, params.cols - j); u++) { value[u] = -b[start + j + u]; }
  }
  w[k] = value;
}
