// Sums of two arrays, four elements an invocation. The alias X of what they hold is joined in front (src/tensor/half.ts).
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
@group(0) @binding(1) var<storage, read_write> total: array<X>;
@group(0) @binding(2) var<storage, read> x: array<X>;
@group(0) @binding(3) var<storage, read> y: array<X>;

@compute @workgroup_size(64)
fn accumulate(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.size) { return; }
  total[i] = X(vec4f(total[i]) + vec4f(x[i]));
}

@compute @workgroup_size(64)
fn sum_of(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.size) { return; }
  total[i] = X(vec4f(x[i]) + vec4f(y[i]));
}
