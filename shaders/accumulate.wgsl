// Sums of two f32 arrays, four elements an invocation.
//
//   0  params  uniform     { size }          in vectors of four
//   1  total   read/write  [4 * size]
//   2  x       read        [4 * size]
//   3  y       read        [4 * size]        (sum_of)
//
// accumulate: total[i] += x[i]. sum_of: total[i] = x[i] + y[i].
// Dispatch: Device.groups(size, 64).
struct Params { size: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> total: array<vec4f>;
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
@group(0) @binding(3) var<storage, read> y: array<vec4f>;

@compute @workgroup_size(64)
fn accumulate(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.size) { return; }
  total[i] += x[i];
}

@compute @workgroup_size(64)
fn sum_of(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.size) { return; }
  total[i] = x[i] + y[i];
}
