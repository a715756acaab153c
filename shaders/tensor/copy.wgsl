// Copy: y[offset + i] = x[i], in 4-byte words.
//
//   0  params  uniform     { size, offset }
//   1  x       read        [size]
//   2  y       read/write  [>= offset + size]
//
// Dispatch: Device.groups(size, 64).
struct Params { size: u32, offset: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(64)
fn copy(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.size) { return; }
  y[params.offset + i] = x[i];
}
