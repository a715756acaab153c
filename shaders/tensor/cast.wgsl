// Another precision: y[i] = x[i], rounded to nearest; values past the range of f16 become infinite. Four elements an invocation.
// The aliases X and Y, of what x and y hold, are joined in front (src/tensor/half.ts).
//
//   0  params  uniform  { size }      in vectors of four
//   1  x       read     [4 * size]
//   2  y       write    [4 * size]
//
// Dispatch: Device.groups(size, 64).
struct Params { size: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read_write> y: array<Y>;

@compute @workgroup_size(64)
fn cast_to(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.size) { return; }
  y[i] = Y(x[i]);
}
