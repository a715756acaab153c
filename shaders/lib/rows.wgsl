// Rows shared by the LANES invocations of one line of a workgroup of LANES x ROWS: each lane takes every LANES-th column.
override LANES: u32 = 1u;
override ROWS: u32 = 8u;

var<workgroup> lane_values: array<f32, LANES * ROWS>;

// The sum over the lanes of a row; every lane gets it. Call in uniform control flow.
fn sum_row(value: f32, lane: vec3u) -> f32 {
  if (LANES == 1u) { return value; }
  let at = lane.y * LANES + lane.x;
  workgroupBarrier(); // what the last call left is read
  lane_values[at] = value;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane.x < half) { lane_values[at] += lane_values[at + half]; }
  }
  workgroupBarrier();
  return lane_values[lane.y * LANES];
}

// The largest over the lanes of a row; every lane gets it. Call in uniform control flow.
fn max_row(value: f32, lane: vec3u) -> f32 {
  if (LANES == 1u) { return value; }
  let at = lane.y * LANES + lane.x;
  workgroupBarrier();
  lane_values[at] = value;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane.x < half) { lane_values[at] = max(lane_values[at], lane_values[at + half]); }
  }
  workgroupBarrier();
  return lane_values[lane.y * LANES];
}
