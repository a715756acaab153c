var<workgroup> shared_a: array<V, LANES>;
var<workgroup> shared_b: array<V, LANES>;

// Sums two values over the LANES invocations of a workgroup; every one gets both. Call in uniform control flow.
fn sum_lanes(a: V, b: V, lane: u32) -> array<V, 2> {
  shared_a[lane] = a;
  shared_b[lane] = b;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      shared_a[lane] += shared_a[lane + half];
      shared_b[lane] += shared_b[lane + half];
    }
  }
  workgroupBarrier();
  return array<V, 2>(shared_a[0], shared_b[0]);
}
