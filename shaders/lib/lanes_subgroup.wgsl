// As lanes.wgsl, for devices with subgroups of SUBGROUP invocations, neighbours by their index in the workgroup: sums go
// through shuffles within a subgroup, and through workgroup memory once. The order of the sums is fixed.
var<workgroup> shared_a: array<V, LANES>;
var<workgroup> shared_b: array<V, LANES>;

// Sums two values over the LANES invocations of a workgroup; every one gets both. Call in uniform control flow.
fn sum_lanes(a: V, b: V, lane: u32) -> array<V, 2> {
  var sum_a = a;
  var sum_b = b;
  for (var step = 1u; step < min(LANES, SUBGROUP); step *= 2u) {
    sum_a += subgroupShuffleXor(sum_a, step);
    sum_b += subgroupShuffleXor(sum_b, step);
  }
  if (LANES <= SUBGROUP) { return array<V, 2>(sum_a, sum_b); }
  if (lane % SUBGROUP == 0u) {
    shared_a[lane / SUBGROUP] = sum_a;
    shared_b[lane / SUBGROUP] = sum_b;
  }
  workgroupBarrier();
  sum_a = V(0.0);
  sum_b = V(0.0);
  for (var i = 0u; i < LANES / SUBGROUP; i++) {
    sum_a += shared_a[i];
    sum_b += shared_b[i];
  }
  return array<V, 2>(sum_a, sum_b);
}
