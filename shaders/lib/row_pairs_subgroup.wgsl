// The loop of lib/row_pairs.wgsl for CPU adapters whose subgroups have 8 lanes: one subgroup owns 16 rows and 32 columns.
//
// There a load costs as much as dozens of FMAs. So each lane loads two of the 16 left rows and hands them round by
// shuffles; its own 4 right rows meet all 16, whose sums live in named accumulators.
//
// Dispatch: ceil(cols / 32) x ceil(rows / 16).
@compute @workgroup_size(8)
fn subgroup(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = group.y * 16u;
  if (skipped(i, group.x * 32u, 16u, 32u)) { return; }
  let j = group.x * 32u + lane;
  let vectors = row_vectors();
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
  let low_start = left_start(i + lane);
  let high_start = left_start(i + 8u + lane);
  let start0 = right_start(j);
  let start1 = right_start(j + 8u);
  let start2 = right_start(j + 16u);
  let start3 = right_start(j + 24u);
  for (var f = 0u; f < vectors; f++) {
    let low = left(low_start + f);
    let high = left(high_start + f);
    let b = transpose(mat4x4f(right(start0 + f), right(start1 + f), right(start2 + f), right(start3 + f)));
    sum0 = plus(sum0, subgroupShuffle(low, 0u), b[0], b[1], b[2], b[3]);
    sum1 = plus(sum1, subgroupShuffle(low, 1u), b[0], b[1], b[2], b[3]);
    sum2 = plus(sum2, subgroupShuffle(low, 2u), b[0], b[1], b[2], b[3]);
    sum3 = plus(sum3, subgroupShuffle(low, 3u), b[0], b[1], b[2], b[3]);
    sum4 = plus(sum4, subgroupShuffle(low, 4u), b[0], b[1], b[2], b[3]);
    sum5 = plus(sum5, subgroupShuffle(low, 5u), b[0], b[1], b[2], b[3]);
    sum6 = plus(sum6, subgroupShuffle(low, 6u), b[0], b[1], b[2], b[3]);
    sum7 = plus(sum7, subgroupShuffle(low, 7u), b[0], b[1], b[2], b[3]);
    sum8 = plus(sum8, subgroupShuffle(high, 0u), b[0], b[1], b[2], b[3]);
    sum9 = plus(sum9, subgroupShuffle(high, 1u), b[0], b[1], b[2], b[3]);
    sum10 = plus(sum10, subgroupShuffle(high, 2u), b[0], b[1], b[2], b[3]);
    sum11 = plus(sum11, subgroupShuffle(high, 3u), b[0], b[1], b[2], b[3]);
    sum12 = plus(sum12, subgroupShuffle(high, 4u), b[0], b[1], b[2], b[3]);
    sum13 = plus(sum13, subgroupShuffle(high, 5u), b[0], b[1], b[2], b[3]);
    sum14 = plus(sum14, subgroupShuffle(high, 6u), b[0], b[1], b[2], b[3]);
    sum15 = plus(sum15, subgroupShuffle(high, 7u), b[0], b[1], b[2], b[3]);
  }
  storageBarrier();
  write_pairs(i, j, 8u, sum0);
  write_pairs(i + 1u, j, 8u, sum1);
  write_pairs(i + 2u, j, 8u, sum2);
  write_pairs(i + 3u, j, 8u, sum3);
  write_pairs(i + 4u, j, 8u, sum4);
  write_pairs(i + 5u, j, 8u, sum5);
  write_pairs(i + 6u, j, 8u, sum6);
  write_pairs(i + 7u, j, 8u, sum7);
  write_pairs(i + 8u, j, 8u, sum8);
  write_pairs(i + 9u, j, 8u, sum9);
  write_pairs(i + 10u, j, 8u, sum10);
  write_pairs(i + 11u, j, 8u, sum11);
  write_pairs(i + 12u, j, 8u, sum12);
  write_pairs(i + 13u, j, 8u, sum13);
  write_pairs(i + 14u, j, 8u, sum14);
  write_pairs(i + 15u, j, 8u, sum15);
}
