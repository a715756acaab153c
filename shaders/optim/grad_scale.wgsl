// Whether a gradient of several tensors is infinite or NaN: found = 1 if so, else as it was.
// The bindings of the tensors and `grad_at` are joined in front by src/optim/_many.ts.
//
//   0  params  uniform     { flags of the tensors }
//   1  state   read/write  [4]   bits of the scale, found, steps since the scale changed, steps skipped
//
// Dispatch: the workgroups of all tensors, folded into y; 64 invocations, 4 vectors of 4 each.
@compute @workgroup_size(64)
fn check(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let flat = group.y * groups.x + group.x;
  let t = tensor_of(flat);
  let base = (flat - start_of(t)) * VECTORS_A_GROUP + local;
  var bad = vec4<bool>();
  for (var k = 0u; k < 4u; k++) {
    let i = base + 64u * k;
    if (4u * i < size_of(t)) {
      let inside = vec4u(4u * i) + vec4u(0u, 1u, 2u, 3u) < vec4u(size_of(t));
      // Told by the bits: drivers may assume that floats are finite.
      bad |= inside & ((bitcast<vec4u>(grad_at(t, i)) & vec4u(0x7f800000u)) == vec4u(0x7f800000u));
    }
  }
  if (any(bad)) { atomicStore(&state[1], 1u); }
}
