// Attention: out[i] = sum_j softmax_j(scale q[i] . k[j]) v[j], a tile of keys at a time, with the running maximum and sum of each
// query, so that no matrix of queries by keys is stored; lse = log sum_j exp(scale q[i] . k[j]) is kept for the gradient.
//
//   0-3  params, q, k, v   lib/attention.wgsl
//   4    out  write  rows of D4 vectors; lib/attention_rows.wgsl
//   5    lse  write  [batch * heads, queries]
//
// Dispatch: tiles of queries; lib/attention.wgsl.
@group(0) @binding(4) var<storage, read_write> out: array<X>;
@group(0) @binding(5) var<storage, read_write> lse: array<f32>;

var<workgroup> top: array<f32, TILE>;
var<workgroup> sums: array<f32, TILE>;
var<workgroup> fade: array<f32, TILE>; // by which what was summed before shrinks

fn set_row(block: u32, r: u32, i: u32, j: u32, score: vec4f) {
  let seen = vec4<bool>(sees(i, j), sees(i, j + 1u), sees(i, j + 2u), sees(i, j + 3u));
  tile[(4u * (block / 8u) + r) * 8u + block % 8u] = select(vec4f(MASKED), score, seen);
}

fn set_scores(head: Head, key: u32, lane: u32) {
  for (var block = lane; block < 64u; block += 4u * D4) {
    let i = head.first + 4u * (block / 8u);
    let j = key + 4u * (block % 8u);
    let all = scores(head, i, j);
    set_row(block, 0u, i, j, all[0]);
    set_row(block, 1u, i + 1u, j, all[1]);
    set_row(block, 2u, i + 2u, j, all[2]);
    set_row(block, 3u, i + 3u, j, all[3]);
  }
}

fn raise_top(lane: u32) {
  for (var r = lane; r < TILE; r += 4u * D4) {
    var most = tile[8u * r];
    for (var t = 1u; t < params.eighth; t++) { most = max(most, tile[8u * r + t]); }
    let next = max(top[r], max(max(most.x, most.y), max(most.z, most.w)));
    fade[r] = exp(top[r] - next);
    top[r] = next;
  }
}

fn add_sums(lane: u32) {
  for (var r = lane; r < TILE; r += 4u * D4) {
    var sum = tile[8u * r];
    for (var t = 1u; t < params.eighth; t++) { sum += tile[8u * r + t]; }
    sums[r] = sums[r] * fade[r] + sum.x + sum.y + sum.z + sum.w;
  }
}

fn store(head: Head, row: u32, c: u32, value: vec4f) {
  let i = head.first + row;
  if (head.busy && i < params.queries) { out[head.o + i * params.o_row + c] = X(value / sums[row]); }
}

@compute @workgroup_size(D4, 4)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) id: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let head = head_of(group, groups);
  for (var r = lane; r < TILE; r += 4u * D4) {
    top[r] = MASKED;
    sums[r] = 0.0;
  }
  let row = 8u * id.y;
  var rows: EightRows;
  let end = keys_seen(head.first);
  for (var key = 0u; key < end; key += TILE) {
    set_scores(head, key, lane);
    workgroupBarrier();
    raise_top(lane);
    workgroupBarrier();
    for (var t = lane; t < 256u; t += 4u * D4) { tile[t] = exp_or_nan(tile[t] - top[t / 8u]); }
    workgroupBarrier();
    add_sums(lane);
    rows.a0 *= fade[row];
    rows.a1 *= fade[row + 1u];
    rows.a2 *= fade[row + 2u];
    rows.a3 *= fade[row + 3u];
    rows.a4 *= fade[row + 4u];
    rows.a5 *= fade[row + 5u];
    rows.a6 *= fade[row + 6u];
    rows.a7 *= fade[row + 7u];
    for (var t = 0u; t < params.eighth; t++) {
      let j = key + 4u * t;
      let values = mat4x4f(
        vec4f(v[head.v + key_row(j) * params.k_row + id.x]),
        vec4f(v[head.v + key_row(j + 1u) * params.k_row + id.x]),
        vec4f(v[head.v + key_row(j + 2u) * params.k_row + id.x]),
        vec4f(v[head.v + key_row(j + 3u) * params.k_row + id.x]),
      );
      add_keys(&rows, values, row, t);
    }
    workgroupBarrier();
  }
  store_rows(head, row, id.x, rows);
  for (var r = lane; r < TILE; r += 4u * D4) {
    let i = head.first + r;
    if (head.busy && i < params.queries) { lse[head.flat * params.queries + i] = top[r] + log_of_sum(sums[r]); }
  }
}
