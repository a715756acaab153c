// Rows of another length: y[r, i] = x[r, i] where i < from, else 0. It pads rows to a multiple of 4, and crops them back.
// The alias E of an element, f32 or f16, is joined in front (src/tensor/half.ts).
//
//   0  params  uniform  { size, from, to }   size (of y) in vectors of four
//   1  x       read     [rows, from]
//   2  y       write    [rows, to]
//
// Dispatch: Device.groups(size, 64).
struct Params { size: u32, from_cols: u32, to_cols: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<E>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<E>>;

fn element(i: u32) -> E {
  let col = i % params.to_cols;
  if (col >= params.from_cols) { return E(0.0); }
  return x[i / params.to_cols * params.from_cols + col];
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.size) { return; }
  y[i] = vec4<E>(element(4u * i), element(4u * i + 1u), element(4u * i + 2u), element(4u * i + 3u));
}
