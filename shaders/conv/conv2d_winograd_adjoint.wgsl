// The gradient of Winograd's windows, joined after conv2d_winograd: an invocation has one input channel and one vector of output
// channels; x the gradient of the transform, y that of the weight.

fn put_tap(i: u32, t: u32, value: V) { y[t * params.size + i] = Y(value); }

// Gt u G into the gradient of every window.
@compute @workgroup_size(64)
fn windows_adjoint(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.size) { return; }
  put_window_adjoint(i, transform_at(i));
}
