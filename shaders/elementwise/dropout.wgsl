// Zeroes a random part of x and scales the rest: y = x * scale where the draw of the element is at least p, else 0. Elements of
// one run of `inner` share a draw. Draws are those of lib/philox.wgsl, so that the gradient makes the same ones again.
//
//   0  params  uniform  { size, inner, key0, key1, p, scale }
//   1  x       read     [size]
//   2  y       write    [size]
//
// X: f32 or f16. Dispatch: Device.groups(size, 64).
struct Params { size: u32, inner: u32, key0: u32, key1: u32, p: f32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read_write> y: array<X>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.size) { return; }
  let draw = i / params.inner;
  let all = unit_float(philox(vec4u(draw / 4u, 0u, 0u, 0u), vec2u(params.key0, params.key1)));
  y[i] = select(X(0.0), X(f32(x[i]) * params.scale), all[draw % 4u] >= params.p);
}
