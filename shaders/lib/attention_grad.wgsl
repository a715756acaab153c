// What the gradients of attention share: the weights p[i, j] = exp(scale q[i] . k[j] - lse[i]) are made again, tile by tile, and
// the gradient of the scores is p (grad_out[i] . v[j] - delta[i]), delta[i] = grad_out[i] . out[i].
//
//   4  grad_out  read  rows of D4 vectors
//   5  lse       read  [batch * heads, queries]
//   6  delta     read  [batch * heads, queries]
@group(0) @binding(4) var<storage, read> grad_out: array<X>;
@group(0) @binding(5) var<storage, read> lse: array<f32>;
@group(0) @binding(6) var<storage, read> delta: array<f32>;

// Products of the gradients of four queries from i on with the values of four keys from j on; a component for each key.
fn value_products(head: Head, i: u32, j: u32) -> mat4x4f {
  let g0 = head.o + query_row(i) * params.o_row;
  let g1 = head.o + query_row(i + 1u) * params.o_row;
  let g2 = head.o + query_row(i + 2u) * params.o_row;
  let g3 = head.o + query_row(i + 3u) * params.o_row;
  let v0 = head.v + key_row(j) * params.k_row;
  let v1 = head.v + key_row(j + 1u) * params.k_row;
  let v2 = head.v + key_row(j + 2u) * params.k_row;
  let v3 = head.v + key_row(j + 3u) * params.k_row;
  var s0 = vec4f(0.0);
  var s1 = vec4f(0.0);
  var s2 = vec4f(0.0);
  var s3 = vec4f(0.0);
  for (var c = 0u; c < params.d4; c++) {
    let values = transpose(mat4x4f(vec4f(v[v0 + c]), vec4f(v[v1 + c]), vec4f(v[v2 + c]), vec4f(v[v3 + c])));
    s0 += values * vec4f(grad_out[g0 + c]);
    s1 += values * vec4f(grad_out[g1 + c]);
    s2 += values * vec4f(grad_out[g2 + c]);
    s3 += values * vec4f(grad_out[g3 + c]);
  }
  return mat4x4f(s0, s1, s2, s3);
}

// Of query i and four keys from j on: the weights, and the gradients of the scores.
struct Weights { p: vec4f, slope: vec4f }

fn weights_of(head: Head, i: u32, j: u32, score: vec4f, product: vec4f) -> Weights {
  let at = head.flat * params.queries + query_row(i);
  let seen = vec4<bool>(sees(i, j), sees(i, j + 1u), sees(i, j + 2u), sees(i, j + 3u));
  let p = select(vec4f(0.0), exp_or_nan(score - lse[at]), seen);
  return Weights(p, select(vec4f(0.0), p * (product - delta[at]), seen));
}
