// Several tensors in one dispatch: which tensor a workgroup belongs to, and which vectors of it an invocation has.
// `tensor_of`, `start_of`, `size_of`, `marked`, `update`, `skipped`, `Step` (a tensor's vector and its states' after the
// update) and the bindings come from src/optim/_many.ts.

const VECTORS_A_GROUP = 256u; // 64 invocations, 4 vectors each

fn groups_of(vectors: u32) -> u32 { return (vectors + VECTORS_A_GROUP - 1u) / VECTORS_A_GROUP; }

@compute @workgroup_size(64)
fn step(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  if (skipped()) { return; }
  let flat = group.y * groups.x + group.x;
  let t = tensor_of(flat);
  let base = (flat - start_of(t)) * VECTORS_A_GROUP + local;
  for (var k = 0u; k < 4u; k++) {
    let i = base + 64u * k;
    if (4u * i < size_of(t)) { update(t, i); }
  }
}
