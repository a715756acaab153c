// Rows padded with zeros to whole vectors of four: out[i, f] = x[i, f] where f < width, else 0.
//
//   0  params  uniform  { rows, width, features }    features in vectors of four, width <= 4 * features
//   1  x       read     [rows, width]
//   2  out     write    [rows, 4 * features]
//
// Dispatch: Device.groups(rows * features, 64).
struct Params { rows: u32, width: u32, features: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;

fn element(i: u32, f: u32) -> f32 {
  if (f >= params.width) { return 0.0; }
  return x[i * params.width + f];
}

@compute @workgroup_size(64)
fn pad(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let k = flat_id(group, groups, local, 64u);
  if (k >= params.rows * params.features) { return; }
  let i = k / params.features;
  let f = 4u * (k % params.features);
  out[k] = vec4f(element(i, f), element(i, f + 1u), element(i, f + 2u), element(i, f + 3u));
}
