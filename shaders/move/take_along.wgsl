// Takes an element per place along the middle axis: y[o, k, c] = x[o, index[o, k, c], c]. `put_along` is the gradient where
// the indices of a slice differ: it writes x[o, k, c] to y[o, index[o, k, c], c] and leaves the rest as it was.
//
//   0  params  uniform  { items, rows, columns, count }
//   1  index   read     [outer, count, columns], each < rows
//   2  x       read     [outer, rows, columns]     ([outer, count, columns] in put_along)
//   3  y       write    [outer, count, columns]    ([outer, rows, columns] in put_along)
//
// items = outer * count * columns. Dispatch: Device.groups(items, 64).
struct Params { items: u32, rows: u32, columns: u32, count: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> index: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<u32>;

// Where the element that place i names is.
fn along(i: u32) -> u32 {
  let outer = i / (params.columns * params.count);
  return (outer * params.rows + index[i]) * params.columns + i % params.columns;
}

@compute @workgroup_size(64)
fn take_along(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.items) { return; }
  y[i] = x[along(i)];
}

@compute @workgroup_size(64)
fn put_along(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.items) { return; }
  y[along(i)] = x[i];
}
