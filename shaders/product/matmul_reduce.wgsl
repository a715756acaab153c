// Sum over the middle axis: y[o, i] = sum_r x[o, r, i] (+ bias[i]), four i an invocation; r in a fixed order.
// It adds the partial results of a split sum, and the gradients of an operand that was broadcast.
// The aliases X and Y of what x and y hold, vec4f or vec4<f16>, are joined in front (src/tensor/half.ts).
// Long axes are cut: x is read as [outer, chunks, depth, inner] with the last chunk shorter, and y is [outer, chunks, inner].
//
//   0  params  uniform     { size, inner, cols, length, depth, chunks }   size (of y), inner, cols in vectors
//   1  x       read        [outer, length, 4 inner]
//   2  y       read/write  [outer, chunks, 4 inner]
//   3  bias    read        [4 cols], any other array without BIAS
//
// Constants: BIAS, add bias[i mod 4 cols]; ACCUMULATE, add to what y holds.
// Dispatch: Device.groups(size, 64).
struct Params { size: u32, inner: u32, cols: u32, length: u32, depth: u32, chunks: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read_write> y: array<Y>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;

override BIAS: bool = false;
override ACCUMULATE: bool = false;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let o = flat_id(group, groups, local, 64u);
  if (o >= params.size) { return; }
  let i = o % params.inner;
  let chunk = o / params.inner % params.chunks;
  let first = chunk * params.depth;
  let rows = min(params.depth, params.length - first);
  let at = (o / params.inner / params.chunks * params.length + first) * params.inner + i;
  var sum = vec4f();
  for (var r = 0u; r < rows; r++) { sum += vec4f(x[at + r * params.inner]); }
  if (BIAS) { sum += bias[i % params.cols]; }
  if (ACCUMULATE) { sum += vec4f(y[o]); }
  y[o] = Y(sum);
}
