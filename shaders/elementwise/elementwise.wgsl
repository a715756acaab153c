// Elementwise op of up to three arrays that broadcast: y[i] = value(in1(i), in2(i), in3(i)).
// src/ops/_elementwise.ts puts in front: F, I, U, B (what an invocation computes: one element or four), O (an element or
// four of y), E1 … E3 (what the arrays hold), N1 … N3 (the types of the numbers), value(), and in1() … in3(), which say how an operand is read:
//
//   full     x[i]                        row     x[i % inner]            strided  x[offset of i along RANK axes]
//   one      x[0]                        column  x[i / inner]            number   params.a, b or c
//
//   0  params  uniform  { size, inner, a, b, c, axes (strided only) }    size and inner in units of O
//   1  x1      read
//   2  x2      read
//   3  x3      read
//   4  y       write    [size]
//
// Constants: RANK, number of axes of the strided operands, 1 to 8. Dispatch: Device.groups(size, 64).
override RANK: u32 = 1u;

struct Params {
  size: u32,
  inner: u32,
  a: N1,
  b: N2,
  c: N3,
  unused0: u32,
  unused1: u32,
  unused2: u32,
  sizes: array<vec4u, 2>,
  strides: array<vec4u, 6>, // two an operand
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x1: array<E1>;
@group(0) @binding(2) var<storage, read> x2: array<E2>;
@group(0) @binding(3) var<storage, read> x3: array<E3>;
@group(0) @binding(4) var<storage, read_write> y: array<O>;

fn offset_of(i: u32, operand: u32) -> u32 {
  var rest = i;
  var offset = 0u;
  for (var d = RANK - 1u; d > 0u; d--) {
    let size = params.sizes[d / 4u][d % 4u];
    offset += (rest % size) * params.strides[2u * operand + d / 4u][d % 4u];
    rest /= size;
  }
  offset += rest * params.strides[2u * operand][0];
  return offset;
}

@compute @workgroup_size(64)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.size) { return; }
  y[i] = result(i);
}
