// Gradient of attention's queries: grad_q[i] = scale sum_j slope[i, j] k[j]; lib/attention_grad.wgsl. The tile of
// lib/attention_rows.wgsl holds the slopes.
//
//   7  grads  write  the gradients of q, k and v
//
// Dispatch: tiles of queries; lib/attention.wgsl.
@group(0) @binding(7) var<storage, read_write> grads: array<X>;

fn store(head: Head, row: u32, c: u32, value: vec4f) {
  let i = head.first + row;
  if (head.busy && i < params.queries) { grads[head.q + i * params.q_row + c] = X(value * params.scale); }
}

@compute @workgroup_size(D4, 4)
fn backward_q(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) id: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let head = head_of(group, groups);
  let row = 8u * id.y;
  var rows: EightRows;
  let end = keys_seen(head.first);
  for (var key = 0u; key < end; key += TILE) {
    for (var block = lane; block < 64u; block += 4u * D4) {
      let i = head.first + 4u * (block / 8u);
      let j = key + 4u * (block % 8u);
      let all = scores(head, i, j);
      let products = value_products(head, i, j);
      let at = 32u * (block / 8u) + block % 8u;
      tile[at] = weights_of(head, i, j, all[0], products[0]).slope;
      tile[at + 8u] = weights_of(head, i + 1u, j, all[1], products[1]).slope;
      tile[at + 16u] = weights_of(head, i + 2u, j, all[2], products[2]).slope;
      tile[at + 24u] = weights_of(head, i + 3u, j, all[3], products[3]).slope;
    }
    workgroupBarrier();
    for (var t = 0u; t < params.eighth; t++) {
      let j = key + 4u * t;
      let keys = mat4x4f(
        vec4f(k[head.k + key_row(j) * params.k_row + id.x]),
        vec4f(k[head.k + key_row(j + 1u) * params.k_row + id.x]),
        vec4f(k[head.k + key_row(j + 2u) * params.k_row + id.x]),
        vec4f(k[head.k + key_row(j + 3u) * params.k_row + id.x]),
      );
      add_keys(&rows, keys, row, t);
    }
    workgroupBarrier();
  }
  store_rows(head, row, id.x, rows);
}
