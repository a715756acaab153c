// Takes rows of x [outer, rows, inner] by index, y [outer, count, inner]: y[o, k, c] = x[o, index[k], c], and the bits `fill`
// for an index out of range. inner is in units of W, of u32 or vec4u, which src/ops/move/index_select.ts puts in front.
//
//   0  params  uniform  { items, rows, inner, count, fill }
//   1  index   read     [count]; negative numbers of i32 are beyond all rows
//   2  x       read     [outer, rows, inner]
//   3  y       write    [outer, count, inner]
//
// items: elements of y in units of W. Dispatch: Device.groups(items, 64).
struct Params { items: u32, rows: u32, inner: u32, count: u32, fill: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> index: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<W>;
@group(0) @binding(3) var<storage, read_write> y: array<W>;

@compute @workgroup_size(64)
fn take_rows(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.items) { return; }
  let row = index[(i / params.inner) % params.count];
  let outer = i / (params.inner * params.count);
  var value = W(params.fill);
  if (row < params.rows) { value = x[(outer * params.rows + row) * params.inner + i % params.inner]; }
  y[i] = value;
}
