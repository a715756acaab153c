// One triangle of a square matrix, scaled, and 0 elsewhere: y[i, j] = scale x[i, j] in the triangle.
//
//   0  params  uniform  { n, upper, scale }    upper: 1 for the upper triangle, 0 for the lower
//   1  x       read     [n, n]
//   2  y       write    [n, n]
//
// Dispatch: Device.groups(n * n, 64).
struct Params { n: u32, upper: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn mask(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let k = flat_id(group, groups, local, 64u);
  if (k >= params.n * params.n) { return; }
  let i = k / params.n;
  let j = k % params.n;
  let inside = select(j <= i, j >= i, params.upper == 1u);
  y[k] = select(0.0, params.scale * x[k], inside);
}
