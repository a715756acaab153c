// Takes rows of x [outer, rows, inner] by index, y [outer, count, inner]: y[o, k, c] = x[o, index[k], c]; an index out of
// range takes the nearest row. `add_rows` is the gradient: grad_x[o, r, c] = sum of grad_y[o, k, c] over the k of row r, in
// order of k, so that it is the same every time, and 0 for r = skip; it adds to what is there where first > 0. inner is in
// units of W.
// src/ops/index_select.ts puts in front: W, what is moved (u32 or vec4u; f32 or vec4f in add_rows).
//
//   0  params  uniform     { items, rows, inner, count, first, last, skip, negative }
//   1  index   read        [count], u32, or i32 where negative is 1
//   2  x       read        [outer, rows, inner]     (grad_y [outer, count, inner] in add_rows)
//   3  y       write       [outer, count, inner]    (grad_x [outer, rows, inner] in add_rows)
//
// items: elements of y in units of W. Dispatch: Device.groups(items, 64). add_rows loops last - first times.
struct Params { items: u32, rows: u32, inner: u32, count: u32, first: u32, last: u32, skip: u32, negative: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> index: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<W>;
@group(0) @binding(3) var<storage, read_write> y: array<W>;

fn row_at(k: u32) -> u32 {
  let row = index[k];
  if (params.negative == 1u && row >= 0x80000000u) { return 0u; }
  return min(row, params.rows - 1u);
}

@compute @workgroup_size(64)
fn take_rows(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.items) { return; }
  let k = (i / params.inner) % params.count;
  let outer = i / (params.inner * params.count);
  y[i] = x[(outer * params.rows + row_at(k)) * params.inner + i % params.inner];
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
  var sum = W(0);
  let last = select(params.last, params.first, row == params.skip);
  for (var k = params.first; k < last; k++) {
    if (row_at(k) == row) { sum += x[base + k * params.inner]; }
  }
  if (params.first > 0u) { sum += y[i]; }
  y[i] = sum;
}
