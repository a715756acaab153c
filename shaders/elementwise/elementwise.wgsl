// Elementwise op of up to three arrays that broadcast: y[i] = value(in1(i), in2(i), in3(i)).
// src/ops/elementwise/elementwise.ts puts in front: F, I, U, B (what an invocation computes: one element or four), O (an
// element or four of y), E1 … E3 (what the arrays hold), value(), and in1() … in3(), which say how an operand is read; and
// it joins elementwise_flat.wgsl or elementwise_strided.wgsl, which declare Params:
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
// Dispatch: Device.groups(size, 64).
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x1: array<E1>;
@group(0) @binding(2) var<storage, read> x2: array<E2>;
@group(0) @binding(3) var<storage, read> x3: array<E3>;
@group(0) @binding(4) var<storage, read_write> y: array<O>;

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
