// Rows of a slice as (first, end, every params.step-th): blocks of params.block rows, each shared by params.step slices,
// so that the invocations of a workgroup read one stretch of memory.
fn rows_of(slice: u32) -> vec2u {
  let start = (slice / params.step) * params.block;
  return vec2u(start + slice % params.step, min(start + params.block, params.rows));
}

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
