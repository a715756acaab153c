// Running sums along the middle axis of x [outer, rows, columns], in blocks of params.block rows. `block_sums` leaves the sum
// of each block, [outer, blocks, columns]; `running_sums` adds up within the blocks, from what stands before each of them in
// `before` (running sums of those block sums) where params.blocks > 1. With params.reverse 1 both walk from the last row.
//
//   0  params  uniform  { items, rows, columns, blocks, block, reverse }
//   1  x       read     [outer, rows, columns]
//   2  y       write    [outer, rows, columns]     ([outer, blocks, columns] in block_sums)
//   3  before  read     [outer, blocks, columns]   (not in block_sums; not read where blocks is 1)
//
// items = outer * blocks * columns; loops params.block times. Dispatch: Device.groups(items, 64).
struct Params { items: u32, rows: u32, columns: u32, blocks: u32, block: u32, reverse: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> before: array<f32>;

struct ScanPlace { column: u32, block: u32, outer: u32, first: u32, end: u32 }

fn scan_place(i: u32) -> ScanPlace {
  let block = (i / params.columns) % params.blocks;
  let first = block * params.block;
  let outer = i / (params.columns * params.blocks);
  return ScanPlace(i % params.columns, block, outer, first, min(first + params.block, params.rows));
}

// Where the k-th element of the walk is.
fn scan_at(place: ScanPlace, k: u32) -> u32 {
  let row = select(k, params.rows - 1u - k, params.reverse == 1u);
  return (place.outer * params.rows + row) * params.columns + place.column;
}

@compute @workgroup_size(64)
fn block_sums(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.items) { return; }
  let place = scan_place(i);
  var sum = 0.0;
  for (var k = place.first; k < place.end; k++) { sum += x[scan_at(place, k)]; }
  y[i] = sum;
}

@compute @workgroup_size(64)
fn running_sums(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.items) { return; }
  let place = scan_place(i);
  var sum = 0.0;
  if (place.block > 0u) { sum = before[i - params.columns]; }
  for (var k = place.first; k < place.end; k++) {
    let at = scan_at(place, k);
    sum += x[at];
    y[at] = sum;
  }
}
