// The loop of lib/row_sums.wgsl for CPU adapters whose subgroups have 8 lanes: one subgroup owns 16 rows and 8 vectors.
//
// There a load costs as much as dozens of FMAs. So each lane loads the weights of two rows for 4 k and hands them round by
// shuffles; the vector that it loads meets all 16 rows, whose sums live in named accumulators.
//
// Dispatch: ceil(vectors / 8) x ceil(rows / 16).
fn four_weights(i: u32, k: u32, count: u32) -> vec4f {
  let last = count - 1u;
  let w = vec4f(weight(i, k), weight(i, min(k + 1u, last)), weight(i, min(k + 2u, last)), weight(i, min(k + 3u, last)));
  return select(vec4f(), w, vec4u(k) + vec4u(0u, 1u, 2u, 3u) < vec4u(count));
}

fn four(w: vec4f, b0: vec4f, b1: vec4f, b2: vec4f, b3: vec4f) -> vec4f {
  return w.x * b0 + w.y * b1 + w.z * b2 + w.w * b3;
}

@compute @workgroup_size(8)
fn subgroup(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = group.y * 16u;
  let f = group.x * 8u + lane;
  start(i, f);
  let count = terms();
  var low_total = vec4f();
  var high_total = vec4f();
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  var sum4 = vec4f();
  var sum5 = vec4f();
  var sum6 = vec4f();
  var sum7 = vec4f();
  var sum8 = vec4f();
  var sum9 = vec4f();
  var sum10 = vec4f();
  var sum11 = vec4f();
  var sum12 = vec4f();
  var sum13 = vec4f();
  var sum14 = vec4f();
  var sum15 = vec4f();
  for (var k = 0u; k < count; k += 4u) {
    let low = four_weights(i + lane, k, count);
    let high = four_weights(i + 8u + lane, k, count);
    let b0 = vector(k, f);
    let b1 = vector(min(k + 1u, count - 1u), f);
    let b2 = vector(min(k + 2u, count - 1u), f);
    let b3 = vector(min(k + 3u, count - 1u), f);
    low_total += low;
    high_total += high;
    sum0 += four(subgroupShuffle(low, 0u), b0, b1, b2, b3);
    sum1 += four(subgroupShuffle(low, 1u), b0, b1, b2, b3);
    sum2 += four(subgroupShuffle(low, 2u), b0, b1, b2, b3);
    sum3 += four(subgroupShuffle(low, 3u), b0, b1, b2, b3);
    sum4 += four(subgroupShuffle(low, 4u), b0, b1, b2, b3);
    sum5 += four(subgroupShuffle(low, 5u), b0, b1, b2, b3);
    sum6 += four(subgroupShuffle(low, 6u), b0, b1, b2, b3);
    sum7 += four(subgroupShuffle(low, 7u), b0, b1, b2, b3);
    sum8 += four(subgroupShuffle(high, 0u), b0, b1, b2, b3);
    sum9 += four(subgroupShuffle(high, 1u), b0, b1, b2, b3);
    sum10 += four(subgroupShuffle(high, 2u), b0, b1, b2, b3);
    sum11 += four(subgroupShuffle(high, 3u), b0, b1, b2, b3);
    sum12 += four(subgroupShuffle(high, 4u), b0, b1, b2, b3);
    sum13 += four(subgroupShuffle(high, 5u), b0, b1, b2, b3);
    sum14 += four(subgroupShuffle(high, 6u), b0, b1, b2, b3);
    sum15 += four(subgroupShuffle(high, 7u), b0, b1, b2, b3);
  }
  let low_sum = dot(low_total, vec4f(1.0));
  let high_sum = dot(high_total, vec4f(1.0));
  write_vector(i, f, subgroupShuffle(low_sum, 0u), sum0);
  write_vector(i + 1u, f, subgroupShuffle(low_sum, 1u), sum1);
  write_vector(i + 2u, f, subgroupShuffle(low_sum, 2u), sum2);
  write_vector(i + 3u, f, subgroupShuffle(low_sum, 3u), sum3);
  write_vector(i + 4u, f, subgroupShuffle(low_sum, 4u), sum4);
  write_vector(i + 5u, f, subgroupShuffle(low_sum, 5u), sum5);
  write_vector(i + 6u, f, subgroupShuffle(low_sum, 6u), sum6);
  write_vector(i + 7u, f, subgroupShuffle(low_sum, 7u), sum7);
  write_vector(i + 8u, f, subgroupShuffle(high_sum, 0u), sum8);
  write_vector(i + 9u, f, subgroupShuffle(high_sum, 1u), sum9);
  write_vector(i + 10u, f, subgroupShuffle(high_sum, 2u), sum10);
  write_vector(i + 11u, f, subgroupShuffle(high_sum, 3u), sum11);
  write_vector(i + 12u, f, subgroupShuffle(high_sum, 4u), sum12);
  write_vector(i + 13u, f, subgroupShuffle(high_sum, 5u), sum13);
  write_vector(i + 14u, f, subgroupShuffle(high_sum, 6u), sum14);
  write_vector(i + 15u, f, subgroupShuffle(high_sum, 7u), sum15);
}
