// The norm of gradients from partial sums of squares, and what to multiply them by so that it is at most `most`:
//   norm = sqrt(sum of partials) / scale;  factor = min(1, most / (norm + 1e-6)), or 1 where the norm is not finite.
// `unscaled` and the state of a scaled loss's scale are joined by src/optim/_many.ts.
//
//   0  params    uniform     { count, most }
//   1  partials  read        [count]
//   2  norm      read/write  [2]   the norm, the factor
//
// Dispatch: 1 workgroup of 256.
struct Params { count: u32, most: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> partials: array<f32>;
@group(0) @binding(2) var<storage, read_write> norm: array<f32>;

var<workgroup> sums: array<f32, 256>;

@compute @workgroup_size(256)
fn total(@builtin(local_invocation_index) local: u32) {
  var mine = 0.0;
  for (var i = local; i < params.count; i += 256u) { mine += partials[i]; }
  sums[local] = mine;
  for (var half = 128u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) { sums[local] += sums[local + half]; }
  }
  if (local != 0u) { return; }
  let length = unscaled(vec4f(sqrt(sums[0]))).x;
  norm[0] = length;
  // Told by the bits: drivers may assume that floats are finite.
  let finite = (bitcast<u32>(length) & 0x7f800000u) != 0x7f800000u;
  norm[1] = select(1.0, min(1.0, params.most / (length + 1e-6)), finite);
}
