// Counts a step of Adam, unless it is skipped, and computes the bias corrections after it:
//   count += 1;  c1 = 1 - beta1^count;  c2 = sqrt(1 - beta2^count).
// `skipped` and the state of a scaled loss's scale are joined by src/optim/_many.ts.
//
//   0  params  uniform     { log1 = log beta1, log2 = log beta2 }
//   1  count   read/write  [4]   steps, bits of c1 and of c2
//
// Dispatch: 1.
struct Params { log1: f32, log2: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> count: array<u32>;

// 1 - exp(x) for x <= 0, right to the last digits near 0 too.
fn one_minus_exp(x: f32) -> f32 {
  if (x < -0.5) { return 1.0 - exp(x); }
  var sum = 1.0;
  for (var k = 9u; k > 1u; k--) { sum = 1.0 + sum * x / f32(k); }
  return -x * sum;
}

@compute @workgroup_size(1)
fn advance() {
  if (skipped()) { return; }
  let steps = count[0] + 1u;
  count[0] = steps;
  count[1] = bitcast<u32>(one_minus_exp(f32(steps) * params.log1));
  count[2] = bitcast<u32>(sqrt(one_minus_exp(f32(steps) * params.log2)));
}
