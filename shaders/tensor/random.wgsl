// Random numbers: element 4 i + j is word j of philox(counter = (i, 0, 0, 0), key).
//
//   0  params  uniform  { size, key0, key1, a, b, most }
//   1  y       write    [size]
//
// uniform: a + (b - a) u, u in [0, 1), but no more than `most`, which that may be rounded past. normal: a + b z, z by Box and Muller.
// Dispatch: Device.groups(ceil(size / 4), 64).
struct Params { size: u32, key0: u32, key1: u32, a: f32, b: f32, most: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

fn store(i: u32, values: vec4f) {
  for (var j = 0u; j < 4u; j++) {
    if (4u * i + j < params.size) { y[4u * i + j] = values[j]; }
  }
}

@compute @workgroup_size(64)
fn uniform_numbers(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (4u * i >= params.size) { return; }
  let u = unit_float(philox(vec4u(i, 0u, 0u, 0u), vec2u(params.key0, params.key1)));
  store(i, min(params.a + (params.b - params.a) * u, vec4f(params.most)));
}

@compute @workgroup_size(64)
fn normal_numbers(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (4u * i >= params.size) { return; }
  let u = unit_float(philox(vec4u(i, 0u, 0u, 0u), vec2u(params.key0, params.key1)));
  let radius = sqrt(-2.0 * log(1.0 - u.xz));
  let angle = 6.283185307179586 * u.yw;
  let z = vec4f(radius * cos(angle), radius * sin(angle));
  store(i, params.a + params.b * z);
}
