// Gradients of attention's keys and values: grad_k[j] = scale sum_i slope[i, j] q[i], grad_v[j] = sum_i p[i, j] grad_out[i];
// lib/attention_grad.wgsl.
//
//   7  grads  write  the gradients of q, k and v
//
// Dispatch: tiles of keys; lib/attention.wgsl.
@group(0) @binding(7) var<storage, read_write> grads: array<X>;

var<workgroup> weights: array<vec4f, 256>; // [32 queries, 8 vectors of keys]
var<workgroup> slopes: array<vec4f, 256>;

fn set_row(at: u32, row: Weights) {
  weights[at] = row.p;
  slopes[at] = row.slope;
}

fn store(head: Head, row: u32, c: u32, key: vec4f, value: vec4f) {
  let j = head.first + row;
  if (!head.busy || j >= params.keys) { return; }
  grads[params.grad_k_from + head.k + j * params.k_row + c] = X(key * params.scale);
  grads[params.grad_v_from + head.v + j * params.k_row + c] = X(value);
}

@compute @workgroup_size(D4, 4)
fn backward_kv(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) id: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let head = head_of(group, groups);
  var a0 = vec4f(0.0);
  var a1 = vec4f(0.0);
  var a2 = vec4f(0.0);
  var a3 = vec4f(0.0);
  var a4 = vec4f(0.0);
  var a5 = vec4f(0.0);
  var a6 = vec4f(0.0);
  var a7 = vec4f(0.0);
  var b0 = vec4f(0.0);
  var b1 = vec4f(0.0);
  var b2 = vec4f(0.0);
  var b3 = vec4f(0.0);
  var b4 = vec4f(0.0);
  var b5 = vec4f(0.0);
  var b6 = vec4f(0.0);
  var b7 = vec4f(0.0);
  for (var first = select(0u, head.first, params.causal == 1u); first < params.queries; first += TILE) {
    for (var block = lane; block < 64u; block += 4u * D4) {
      let i = first + 4u * (block / 8u);
      let j = head.first + 4u * (block % 8u);
      let all = scores(head, i, j);
      let products = value_products(head, i, j);
      let at = 32u * (block / 8u) + block % 8u;
      set_row(at, weights_of(head, i, j, all[0], products[0]));
      set_row(at + 8u, weights_of(head, i + 1u, j, all[1], products[1]));
      set_row(at + 16u, weights_of(head, i + 2u, j, all[2], products[2]));
      set_row(at + 24u, weights_of(head, i + 3u, j, all[3], products[3]));
    }
    workgroupBarrier();
    for (var r = 0u; r < 4u * params.eighth; r++) {
      let i = query_row(first + r);
      let query = vec4f(q[head.q + i * params.q_row + id.x]);
      let grad = vec4f(grad_out[head.o + i * params.o_row + id.x]);
      let at = 8u * r + 2u * id.y;
      a0 += slopes[at].x * query;
      a1 += slopes[at].y * query;
      a2 += slopes[at].z * query;
      a3 += slopes[at].w * query;
      a4 += slopes[at + 1u].x * query;
      a5 += slopes[at + 1u].y * query;
      a6 += slopes[at + 1u].z * query;
      a7 += slopes[at + 1u].w * query;
      b0 += weights[at].x * grad;
      b1 += weights[at].y * grad;
      b2 += weights[at].z * grad;
      b3 += weights[at].w * grad;
      b4 += weights[at + 1u].x * grad;
      b5 += weights[at + 1u].y * grad;
      b6 += weights[at + 1u].z * grad;
      b7 += weights[at + 1u].w * grad;
    }
    workgroupBarrier();
  }
  let row = 8u * id.y;
  store(head, row, id.x, a0, b0);
  store(head, row + 1u, id.x, a1, b1);
  store(head, row + 2u, id.x, a2, b2);
  store(head, row + 3u, id.x, a3, b3);
  store(head, row + 4u, id.x, a4, b4);
  store(head, row + 5u, id.x, a5, b5);
  store(head, row + 6u, id.x, a6, b6);
  store(head, row + 7u, id.x, a7, b7);
}
