// Log of the mean over pairs of exp(exponent), where exponent[i, j] = -t ||c[i] - c[j]||^2 is symmetric:
// loss = log(sum_{i != j} exp(exponent[i, j]) / (n (n - 1))), as a log-sum-exp, so that no t underflows.
//
//   0  params     uniform  { n, chunk, chunks, scale }
//   1  exponent   read     [n, n]
//   2  partials   write    [chunks, n] of (largest exponent, sum of exp(exponent - largest))    (read in finish)
//   3  loss       write    []           (read in weights)
//   4  grad_loss  read     []           (weights)
//   5  w          write    [n, n]       (weights)
//
// partial: over `chunk` rows of column j, all but the diagonal. Dispatch: ceil(n / 64) x chunks.
// finish:  merges the partials. Dispatch: 1.
// weights: w[i, j] = scale grad_loss exp(exponent[i, j] - loss), 0 on the diagonal: with scale = -4 t / (n (n - 1)) the
//          weights of weighted_differences.wgsl that give grad_c. Dispatch: Device.groups(n * n, 64).
//
// Joined after lib/nan of f32: exp() of NaN is a number on some drivers, so that the largest exponent and the weights keep NaN.
struct Params { n: u32, chunk: u32, chunks: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> exponent: array<f32>;
@group(0) @binding(2) var<storage, read_write> partials: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> loss: array<f32>;
@group(0) @binding(4) var<storage, read> grad_loss: array<f32>;
@group(0) @binding(5) var<storage, read_write> w: array<f32>;

const LOWEST = -3.4028234e38;

// (largest, sum) of two sets of exponents.
fn merge(a: vec2f, b: vec2f) -> vec2f {
  let largest = larger(a.x, b.x);
  return vec2f(largest, a.y * exp(a.x - largest) + b.y * exp(b.x - largest));
}

@compute @workgroup_size(64)
fn partial(@builtin(global_invocation_id) id: vec3u) {
  let j = id.x;
  if (j >= params.n) { return; }
  let start = id.y * params.chunk;
  let end = min(start + params.chunk, params.n);
  var largest = LOWEST;
  for (var i = start; i < end; i++) {
    largest = larger(largest, select(exponent[i * params.n + j], LOWEST, i == j));
  }
  var sum = 0.0;
  for (var i = start; i < end; i++) {
    sum += select(exp(exponent[i * params.n + j] - largest), 0.0, i == j);
  }
  partials[id.y * params.n + j] = vec2f(largest, sum);
}

var<workgroup> totals: array<vec2f, 256>;

@compute @workgroup_size(256)
fn finish(@builtin(local_invocation_index) local: u32) {
  var total = vec2f(LOWEST, 0.0);
  for (var k = local; k < params.n * params.chunks; k += 256u) { total = merge(total, partials[k]); }
  totals[local] = total;
  for (var half = 128u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) { totals[local] = merge(totals[local], totals[local + half]); }
  }
  if (local > 0u) { return; }
  let n = f32(params.n);
  loss[0] = totals[0].x + log(totals[0].y / (n * (n - 1.0)));
}

@compute @workgroup_size(64)
fn weights(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let k = flat_id(group, groups, local, 64u);
  if (k >= params.n * params.n) { return; }
  let difference = exponent[k] - loss[0];
  let value = params.scale * grad_loss[0] * select(exp(difference), difference, is_nan(difference));
  w[k] = select(value, 0.0, k / params.n == k % params.n);
}
