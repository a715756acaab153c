// What the passes of attention share: tiles of 32 queries by 32 keys, of which no more than one is held at a time.
//
// q, k, v, out and their gradients are rows of D4 vectors of four; row i of head h of sample b starts at
// from + b * batch + h * head + i * row, in vectors: q by `q_...`, k and v by `k_...` (v from v_from), out and its gradient by
// `o_...`. The gradients of q, k and v are in one array, laid as theirs, those of k and v from grad_k_from and grad_v_from more.
// X is vec4f or vec4<f16>; sums are f32.
//
// With causal = 1 a query sees no key past its own number. eighth is 8: the compiler would unroll a loop whose end it knew, and
// take seconds for that.
//
// A workgroup has D4 x 4 invocations: (c, y) adds up column c of rows 8y to 8y + 7 of the result.
// Dispatch: params.tiles * batch * heads groups, folded into y past 65,535.
struct Params {
  total: u32, tiles: u32, heads: u32, queries: u32, keys: u32, scale: f32,
  q_from: u32, q_batch: u32, q_head: u32, q_row: u32,
  k_from: u32, v_from: u32, k_batch: u32, k_head: u32, k_row: u32,
  o_batch: u32, o_head: u32, o_row: u32,
  grad_k_from: u32, grad_v_from: u32, d4: u32, eighth: u32, causal: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<X>;
@group(0) @binding(2) var<storage, read> k: array<X>;
@group(0) @binding(3) var<storage, read> v: array<X>;

override D4: u32 = 16u;
const TILE = 32u;
const MASKED = -3.0e38;

// Where the workgroup is: the first row of its tile, sample and head; busy is false past the last tile.
struct Head { first: u32, q: u32, k: u32, v: u32, o: u32, flat: u32, busy: bool }

fn head_of(group: vec3u, groups: vec3u) -> Head {
  let at = group.y * groups.x + group.x;
  let flat = min(at, params.total - 1u) / params.tiles;
  let b = flat / params.heads;
  let h = flat % params.heads;
  let kv = b * params.k_batch + h * params.k_head;
  return Head(
    TILE * (min(at, params.total - 1u) % params.tiles),
    params.q_from + b * params.q_batch + h * params.q_head,
    params.k_from + kv,
    params.v_from + kv,
    b * params.o_batch + h * params.o_head,
    flat,
    at < params.total,
  );
}

fn query_row(i: u32) -> u32 { return min(i, params.queries - 1u); }
fn key_row(j: u32) -> u32 { return min(j, params.keys - 1u); }

// Whether query i sees key j.
fn sees(i: u32, j: u32) -> bool {
  return i < params.queries && j < params.keys && (params.causal == 0u || j <= i);
}

// Products of four queries from i on with four keys from j on; a component for each key.
fn scores(head: Head, i: u32, j: u32) -> mat4x4f {
  let q0 = head.q + query_row(i) * params.q_row;
  let q1 = head.q + query_row(i + 1u) * params.q_row;
  let q2 = head.q + query_row(i + 2u) * params.q_row;
  let q3 = head.q + query_row(i + 3u) * params.q_row;
  let k0 = head.k + key_row(j) * params.k_row;
  let k1 = head.k + key_row(j + 1u) * params.k_row;
  let k2 = head.k + key_row(j + 2u) * params.k_row;
  let k3 = head.k + key_row(j + 3u) * params.k_row;
  var s0 = vec4f(0.0);
  var s1 = vec4f(0.0);
  var s2 = vec4f(0.0);
  var s3 = vec4f(0.0);
  for (var c = 0u; c < params.d4; c++) {
    let keys = transpose(mat4x4f(vec4f(k[k0 + c]), vec4f(k[k1 + c]), vec4f(k[k2 + c]), vec4f(k[k3 + c])));
    s0 += keys * vec4f(q[q0 + c]);
    s1 += keys * vec4f(q[q1 + c]);
    s2 += keys * vec4f(q[q2 + c]);
    s3 += keys * vec4f(q[q3 + c]);
  }
  return mat4x4f(s0 * params.scale, s1 * params.scale, s2 * params.scale, s3 * params.scale);
}
