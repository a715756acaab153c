// Elementwise op of one array: y[i] = value(x[i]), and its gradient grad_x[i] = grad_y[i] * slope(x[i]).
// `value(x: vec4f)` and `slope(x: vec4f)` come from the row of the op in src/ops/elementwise/_unary_rows.ts; a and b are its scalars.
// The arrays hold X: vec4f, or vec4<f16> (src/tensor/half.ts).
//
//   0  params  uniform  { size, a, b }      size in vectors of four
//   1  x       read     [4 * size]
//   2  y       write    [4 * size]          (grad_x in backward)
//   3  grad_y  read     [4 * size]          (backward)
//
// Dispatch: Device.groups(size, 64).
struct Params { size: u32, a: f32, b: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read_write> y: array<X>;
@group(0) @binding(3) var<storage, read> grad_y: array<X>;

@compute @workgroup_size(64)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.size) { return; }
  y[i] = X(value(vec4f(x[i])));
}

@compute @workgroup_size(64)
fn backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.size) { return; }
  y[i] = X(vec4f(grad_y[i]) * slope(vec4f(x[i])));
}
