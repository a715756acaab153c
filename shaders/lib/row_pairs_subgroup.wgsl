// The loop of lib/row_pairs.wgsl for CPU adapters whose subgroups have 8 lanes: one subgroup owns 32 rows and 32 columns.
//
// There a load costs as much as dozens of FMAs. So each lane loads four of the 32 left rows and hands them round by
// shuffles; its own 4 right rows meet all 32, whose sums live in named accumulators.
//
// Dispatch: ceil(cols / 32) x ceil(rows / 32).

// Sums of eight left rows.
struct Rows { s0: vec4f, s1: vec4f, s2: vec4f, s3: vec4f, s4: vec4f, s5: vec4f, s6: vec4f, s7: vec4f }

// Adds a vector of eight left rows, of which each lane has one, and of four right rows.
fn add_rows(sums: ptr<function, Rows>, mine: vec4f, b: mat4x4f) {
  (*sums).s0 = plus((*sums).s0, subgroupShuffle(mine, 0u), b[0], b[1], b[2], b[3]);
  (*sums).s1 = plus((*sums).s1, subgroupShuffle(mine, 1u), b[0], b[1], b[2], b[3]);
  (*sums).s2 = plus((*sums).s2, subgroupShuffle(mine, 2u), b[0], b[1], b[2], b[3]);
  (*sums).s3 = plus((*sums).s3, subgroupShuffle(mine, 3u), b[0], b[1], b[2], b[3]);
  (*sums).s4 = plus((*sums).s4, subgroupShuffle(mine, 4u), b[0], b[1], b[2], b[3]);
  (*sums).s5 = plus((*sums).s5, subgroupShuffle(mine, 5u), b[0], b[1], b[2], b[3]);
  (*sums).s6 = plus((*sums).s6, subgroupShuffle(mine, 6u), b[0], b[1], b[2], b[3]);
  (*sums).s7 = plus((*sums).s7, subgroupShuffle(mine, 7u), b[0], b[1], b[2], b[3]);
}

fn write_rows(i: u32, j: vec4u, sums: Rows) {
  write_pairs(i, j, sums.s0);
  write_pairs(i + 1u, j, sums.s1);
  write_pairs(i + 2u, j, sums.s2);
  write_pairs(i + 3u, j, sums.s3);
  write_pairs(i + 4u, j, sums.s4);
  write_pairs(i + 5u, j, sums.s5);
  write_pairs(i + 6u, j, sums.s6);
  write_pairs(i + 7u, j, sums.s7);
}

@compute @workgroup_size(8)
fn subgroup(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = row_block(group, groups) * 32u;
  if (skipped(i, group.x * 32u, 32u, 32u)) { return; }
  let j = columns_of(group.x * 32u, lane, 8u);
  let vectors = row_vectors();
  let left0 = left_start(i + lane);
  let left1 = left_start(i + 8u + lane);
  let left2 = left_start(i + 16u + lane);
  let left3 = left_start(i + 24u + lane);
  let right0 = right_start(j.x);
  let right1 = right_start(j.y);
  let right2 = right_start(j.z);
  let right3 = right_start(j.w);
  var rows0: Rows;
  var rows1: Rows;
  var rows2: Rows;
  var rows3: Rows;
  for (var f = 0u; f < vectors; f++) {
    let mine0 = left(left0 + f);
    let mine1 = left(left1 + f);
    let mine2 = left(left2 + f);
    let mine3 = left(left3 + f);
    let b = transpose(mat4x4f(right(right0 + f), right(right1 + f), right(right2 + f), right(right3 + f)));
    add_rows(&rows0, mine0, b);
    add_rows(&rows1, mine1, b);
    add_rows(&rows2, mine2, b);
    add_rows(&rows3, mine3, b);
  }
  storageBarrier();
  write_rows(i, j, rows0);
  write_rows(i + 8u, j, rows1);
  write_rows(i + 16u, j, rows2);
  write_rows(i + 24u, j, rows3);
}
