// The gradient of Winograd's windows, joined after conv2d_winograd: an invocation has one input channel and one vector of output
// channels; x the gradient of the transform, y that of the weight.

// Gt u G into the gradient of every window.
@compute @workgroup_size(64)
fn windows_adjoint(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.size) { return; }
  let at = transform_at(i);
  let r0 = window_adjoint(take_six(at, 0u));
  let r1 = window_adjoint(take_six(at, 1u));
  let r2 = window_adjoint(take_six(at, 2u));
  let r3 = window_adjoint(take_six(at, 3u));
  let r4 = window_adjoint(take_six(at, 4u));
  let r5 = window_adjoint(take_six(at, 5u));
  let c0 = window_adjoint(Six(r0.a, r1.a, r2.a, r3.a, r4.a, r5.a));
  let c1 = window_adjoint(Six(r0.b, r1.b, r2.b, r3.b, r4.b, r5.b));
  let c2 = window_adjoint(Six(r0.c, r1.c, r2.c, r3.c, r4.c, r5.c));
  y[i] = Y(c0.a);
  y[params.size + i] = Y(c1.a);
  y[2u * params.size + i] = Y(c2.a);
  y[3u * params.size + i] = Y(c0.b);
  y[4u * params.size + i] = Y(c1.b);
  y[5u * params.size + i] = Y(c2.b);
  y[6u * params.size + i] = Y(c0.c);
  y[7u * params.size + i] = Y(c1.c);
  y[8u * params.size + i] = Y(c2.c);
}
