// Elementwise steps between the gradient of a matrix of pairs and weighted_differences.wgsl:
//   distance_weights:  w = scale grad      (squared distances, scale = 2)
//   rbf_weights:       w = scale grad gram (RBF Gram matrix, scale = -2 gamma)
//
//   0  params  uniform  { size, scale }     size in vectors of four
//   1  grad    read     [4 * size]
//   2  gram    read     [4 * size]          (rbf_weights)
//   3  w       write    [4 * size]
//
// Dispatch: Device.groups(size, 64).
struct Params { size: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> grad: array<vec4f>;
@group(0) @binding(2) var<storage, read> gram: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> w: array<vec4f>;

@compute @workgroup_size(64)
fn distance_weights(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let k = flat_id(group, groups, local, 64u);
  if (k >= params.size) { return; }
  w[k] = params.scale * grad[k];
}

@compute @workgroup_size(64)
fn rbf_weights(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let k = flat_id(group, groups, local, 64u);
  if (k >= params.size) { return; }
  w[k] = params.scale * grad[k] * gram[k];
}
