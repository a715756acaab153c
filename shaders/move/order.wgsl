// Order of the rows of x [outer, rows, columns] along the middle axis, by keys that compare as the values do: NaN is the
// largest, -0 equals 0, equal ones keep their order. `rank_block` orders runs of params.run rows; `merge_runs` merges
// neighbouring runs of params.run rows of `rows_of`. Every element finds its own place: in its run by counting, in the other
// by halving. Nothing is shared between invocations.
//
//   0  params  uniform  { items, rows, columns, run, kind, descending }    kind: 0 f32, 1 i32, 2 u32
//   1  x       read     [outer, rows, columns], the bits
//   2  to      write    [outer, rows, columns]: row numbers in their order
//   3  rows_of  read    [outer, rows, columns]    (merge_runs alone)
//
// items = outer * rows * columns. Dispatch: Device.groups(items, 64). rank_block loops params.run times.
struct Params { items: u32, rows: u32, columns: u32, run: u32, kind: u32, descending: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> to: array<u32>;
@group(0) @binding(3) var<storage, read> rows_of: array<u32>;

struct OrderPlace { column: u32, row: u32, base: u32 }

fn order_place(i: u32) -> OrderPlace {
  let row = (i / params.columns) % params.rows;
  let outer = i / (params.columns * params.rows);
  let column = i % params.columns;
  return OrderPlace(column, row, outer * params.rows * params.columns + column);
}

// Unsigned integers in the order of the values.
fn key_at(place: OrderPlace, row: u32) -> u32 {
  let bits = x[place.base + row * params.columns];
  var key = bits;
  if (params.kind == 1u) { key = bits ^ 0x80000000u; }
  if (params.kind == 0u) {
    let size = bits & 0x7fffffffu;
    let negative = bits >= 0x80000000u && size != 0u;
    key = select(size | 0x80000000u, ~bits, negative);
    if (size > 0x7f800000u) { key = 0xffffffffu; }
  }
  return select(key, ~key, params.descending == 1u);
}

fn precedes(key: u32, row: u32, other: u32, other_row: u32) -> bool {
  return key < other || (key == other && row < other_row);
}

@compute @workgroup_size(64)
fn rank_block(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.items) { return; }
  let place = order_place(i);
  let key = key_at(place, place.row);
  let first = place.row - place.row % params.run;
  let end = min(first + params.run, params.rows);
  var rank = first;
  for (var row = first; row < end; row++) {
    rank += select(0u, 1u, precedes(key_at(place, row), row, key, place.row));
  }
  to[place.base + rank * params.columns] = place.row;
}

@compute @workgroup_size(64)
fn merge_runs(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.items) { return; }
  let place = order_place(i);
  let row = rows_of[i];
  let key = key_at(place, row);
  let own = place.row / params.run;
  let pair = (own / 2u) * 2u * params.run;
  let start = min((own ^ 1u) * params.run, params.rows);
  // How many of the other run come before: low of them do, high and later do not.
  var low = 0u;
  var high = min(start + params.run, params.rows) - start;
  while (low < high) {
    let middle = (low + high) / 2u;
    let other = rows_of[place.base + (start + middle) * params.columns];
    if (precedes(key_at(place, other), other, key, row)) { low = middle + 1u; } else { high = middle; }
  }
  to[place.base + (pair + place.row % params.run + low) * params.columns] = row;
}
