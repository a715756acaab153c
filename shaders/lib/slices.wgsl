// Rows of [rows, columns] in blocks of params.block rows: a workgroup of 64 has a block and params.span columns. Where these are
// fewer than 64, params.step invocations share one, each taking every step-th row, so that they read one stretch of memory.
// Dispatch: blocks * ceil(columns / span) workgroups, folded by Device.groups.
struct SlicePlace { column: u32, block: u32, lane: u32, row: u32, end: u32 }

// Its rows are row, row + params.step, … before end; none where it has no work.
fn place_of(group: vec3u, groups: vec3u, local: u32) -> SlicePlace {
  let flat = group.y * groups.x + group.x;
  let spans = (params.columns + params.span - 1u) / params.span;
  let column = (flat % spans) * params.span + local % params.span;
  let lane = local / params.span;
  let block = flat / spans;
  let start = block * params.block;
  let busy = lane < params.step && column < params.columns;
  let end = select(0u, min(start + params.block, params.rows), busy);
  return SlicePlace(min(column, params.columns - 1u), block, lane, start + lane, end);
}

// The first of those that share a block of a column.
fn leads(place: SlicePlace) -> bool {
  return place.lane == 0u && place.row < place.end;
}

// The first of all that have a column.
fn leads_column(place: SlicePlace) -> bool {
  return leads(place) && place.block == 0u;
}

var<workgroup> step_a: array<V, 64>;
var<workgroup> step_b: array<V, 64>;

// Sums two values over those that share a block of a column; every one gets both. Call in uniform control flow.
fn sum_steps(a: V, b: V, local: u32) -> array<V, 2> {
  if (params.step == 1u) { return array<V, 2>(a, b); }
  step_a[local] = a;
  step_b[local] = b;
  workgroupBarrier();
  if (local < params.span) {
    for (var other = local + params.span; other < params.span * params.step; other += params.span) {
      step_a[local] += step_a[other];
      step_b[local] += step_b[other];
    }
  }
  workgroupBarrier();
  let first = local % params.span;
  return array<V, 2>(step_a[first], step_b[first]);
}
