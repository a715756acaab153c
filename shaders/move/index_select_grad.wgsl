// Gradient of taking rows by index: grad_x[o, r, c] = sum of grad_y[o, k, c] over the k with index[k] = r, in order of k, so
// that it is the same every time, and 0 for r = skip. `order` lists the k by their index (order.wgsl): `row_starts` finds where
// each row begins in it by halving, `add_rows` sums up to `last - first` of the k of a row, from its first-th on, and adds to
// what is there where first > 0. inner is in units of W, of f32 or vec4f, which src/ops/move/index_select.ts puts in front.
//
//   0  params  uniform  { items, rows, inner, count, first, last, skip }
//   1  index   read     [count]                   (row_starts alone)
//   2  order   read     [count]
//   3  starts  write    [rows + 1]                (read in add_rows)
//   4  grad_y  read     [outer, count, inner]     (add_rows alone)
//   5  grad_x  write    [outer, rows, inner]      (add_rows alone)
//
// items: rows + 1 in row_starts, elements of grad_x in units of W in add_rows. Dispatch: Device.groups(items, 64).
struct Params { items: u32, rows: u32, inner: u32, count: u32, first: u32, last: u32, skip: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> index: array<u32>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read_write> starts: array<u32>;
@group(0) @binding(4) var<storage, read> grad_y: array<W>;
@group(0) @binding(5) var<storage, read_write> grad_x: array<W>;

@compute @workgroup_size(64)
fn row_starts(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = flat_id(group, groups, local, 64u);
  if (row >= params.items) { return; }
  var low = 0u;
  var high = params.count;
  while (low < high) {
    let middle = (low + high) / 2u;
    if (index[order[middle]] < row) { low = middle + 1u; } else { high = middle; }
  }
  starts[row] = low;
}

@compute @workgroup_size(64)
fn add_rows(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.items) { return; }
  let row = (i / params.inner) % params.rows;
  let base = (i / (params.inner * params.rows)) * params.count * params.inner + i % params.inner;
  let start = starts[row];
  let end = select(starts[row + 1u], start, row == params.skip);
  var sum = W(0);
  for (var at = start + params.first; at < min(end, start + params.last); at++) {
    sum += grad_y[base + order[at] * params.inner];
  }
  if (params.first > 0u) { sum += grad_x[i]; }
  grad_x[i] = sum;
}
