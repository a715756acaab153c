// Row of the largest element along the middle axis of x [outer, rows, columns], in interleaved slices as in reduce.wgsl:
// y[o, s, c] is the best row of slice s. NaN counts as largest, the lowest row wins a tie. A further dispatch chooses among
// the candidates that the last one left: then the k-th row to look at is best[o, k, c]; at first it is k.
// src/ops/arg_max.ts puts in front: row_at(k, outer, column) and the aliases of lib/nan.wgsl.
//
//   0  params  uniform  { items, rows, columns, slices, count }
//   1  x       read     [outer, rows, columns]
//   2  y       write    [outer, slices, columns]
//   3  best    read     [outer, count, columns]    (not at first)
//
// items = outer * slices * columns; slices <= count. Dispatch: Device.groups(items, 64).
struct Params { items: u32, rows: u32, columns: u32, slices: u32, count: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
@group(0) @binding(3) var<storage, read> best: array<u32>;

fn beats(value: f32, row: u32, other: f32, other_row: u32) -> bool {
  if (is_nan(value) != is_nan(other)) { return is_nan(value); }
  if (is_nan(value) || value == other) { return row < other_row; }
  return value > other;
}

@compute @workgroup_size(64)
fn choose(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.items) { return; }
  let column = i % params.columns;
  let slice = (i / params.columns) % params.slices;
  let outer = i / (params.columns * params.slices);
  var chosen = row_at(slice, outer, column);
  var largest = x[(outer * params.rows + chosen) * params.columns + column];
  for (var k = slice + params.slices; k < params.count; k += params.slices) {
    let row = row_at(k, outer, column);
    let value = x[(outer * params.rows + row) * params.columns + column];
    if (beats(value, row, largest, chosen)) {
      largest = value;
      chosen = row;
    }
  }
  y[i] = chosen;
}
