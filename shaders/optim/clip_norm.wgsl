// Sums of squares of several tensors: partials[offset + workgroup] = sum of x^2 over the elements of a workgroup.
// With `norm` (clip_norm_total.wgsl) known, `step` of lib/many.wgsl multiplies the tensors by its factor.
// The bindings of the tensors and `weight_at` are joined in front by src/optim/_many.ts.
//
//   0  params    uniform     { offset, flags of the tensors }
//   1  partials  read/write  [workgroups of all dispatches]
//   2  norm      read/write  [2]   the norm, the factor
//
// Dispatch: the workgroups of all tensors, folded into y; 64 invocations, 4 vectors of 4 each.
var<workgroup> sums: array<f32, 64>;

@compute @workgroup_size(64)
fn partial_norms(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let flat = group.y * groups.x + group.x;
  let t = tensor_of(flat);
  let base = (flat - start_of(t)) * VECTORS_A_GROUP + local;
  var mine = 0.0;
  for (var k = 0u; k < 4u; k++) {
    let i = base + 64u * k;
    if (4u * i < size_of(t)) {
      let inside = vec4u(4u * i) + vec4u(0u, 1u, 2u, 3u) < vec4u(size_of(t));
      let x = select(vec4f(0.0), weight_at(t, i), inside);
      mine += dot(x, x);
    }
  }
  sums[local] = mine;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) { sums[local] += sums[local + half]; }
  }
  if (local == 0u && flat < start_of(MANY)) { partials[params.offset + flat] = sums[0]; }
}
