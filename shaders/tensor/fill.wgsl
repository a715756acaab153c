// Fill: y[i] = value, value given by its bits so that one shader serves every dtype.
//
//   0  params  uniform  { size, bits }
//   1  y       write    [size] words
//
// Dispatch: Device.groups(size, 64).
struct Params { size: u32, bits: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(64)
fn fill(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.size) { return; }
  y[i] = params.bits;
}
