// As rows.wgsl, for devices with subgroups of SUBGROUP invocations, neighbours by their index in the workgroup: values go
// through shuffles within a subgroup, and through workgroup memory once. The order of the sums is fixed.
override LANES: u32 = 1u;
override ROWS: u32 = 8u;

var<workgroup> lane_values: array<f32, LANES * ROWS>;

// Hands every lane's value, which its subgroup shares, to the lanes of the row: they then are at the index returned.
fn hand_round(value: f32, lane: vec3u) -> u32 {
  let first = lane.y * LANES;
  workgroupBarrier(); // what the last call left is read
  if (lane.x % SUBGROUP == 0u) { lane_values[(first + lane.x) / SUBGROUP] = value; }
  workgroupBarrier();
  return first / SUBGROUP;
}

// The sum over the lanes of a row; every lane gets it. Call in uniform control flow.
fn sum_row(value: f32, lane: vec3u) -> f32 {
  var sum = value;
  for (var step = 1u; step < min(LANES, SUBGROUP); step *= 2u) { sum += subgroupShuffleXor(sum, step); }
  if (LANES <= SUBGROUP) { return sum; }
  let first = hand_round(sum, lane);
  sum = 0.0;
  for (var i = 0u; i < LANES / SUBGROUP; i++) { sum += lane_values[first + i]; }
  return sum;
}

// The largest over the lanes of a row; every lane gets it. Call in uniform control flow.
fn max_row(value: f32, lane: vec3u) -> f32 {
  var top = value;
  for (var step = 1u; step < min(LANES, SUBGROUP); step *= 2u) { top = max(top, subgroupShuffleXor(top, step)); }
  if (LANES <= SUBGROUP) { return top; }
  let first = hand_round(top, lane);
  for (var i = 0u; i < LANES / SUBGROUP; i++) { top = max(top, lane_values[first + i]); }
  return top;
}
