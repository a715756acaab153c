// A number for each pair of rows, summed over their vectors of four: products a bᵀ, distances. The op gives
//   left_start(i), right_start(j) -> u32     where a row starts; rows past the end must start somewhere
//   left(at), right(at) -> vec4f             the vector there
//   plus(sum, a, b0, b1, b2, b3) -> vec4f    sum and what vector a adds for four right rows; b0 holds their elements 0
//   row_vectors() -> u32                     vectors in a row
//   skipped(i, j, rows, cols) -> bool        whether the tile of `rows` x `cols` at (i, j) is not wanted
//   ADJACENT: bool                           whether the 4 columns of an invocation are neighbours, to be stored as one vector
//   write_pairs(i, columns, value)           takes the sums of row i with four columns, guards the tail
//
// lanes: no workgroup memory, for CPU adapters. An invocation owns 8 rows, whose addresses are uniform, and 4 columns.
//   Dispatch: ceil(cols / 32) x ceil(rows / 8).
// tiles: workgroup memory, for GPUs. A workgroup of EDGE x EDGE owns 4 EDGE x 4 EDGE pairs, an invocation 4 x 4.
//   Dispatch: ceil(cols / (4 EDGE)) x ceil(rows / (4 EDGE)). Constant: EDGE, 8 or 16.
//
// A workgroup has read all it needs before it writes its first pair.
override EDGE: u32 = 8u;

// The block of rows that a row of workgroups takes: from the top and from the bottom in turn. CPU adapters give each thread one
// run of workgroups; so each gets its share of a triangle.
fn row_block(group: vec3u, groups: vec3u) -> u32 {
  return select(group.y / 2u, groups.y - 1u - group.y / 2u, group.y % 2u == 1u);
}

// Column c, of four, of one of `lanes` invocations side by side; spread where that is not asked for, so that neighbours store
// neighbours.
fn column_of(lane: u32, c: u32, lanes: u32) -> u32 { return select(lane + c * lanes, 4u * lane + c, ADJACENT); }

fn columns_of(first: u32, lane: u32, lanes: u32) -> vec4u {
  return first + vec4u(
    column_of(lane, 0u, lanes),
    column_of(lane, 1u, lanes),
    column_of(lane, 2u, lanes),
    column_of(lane, 3u, lanes),
  );
}

@compute @workgroup_size(8)
fn lanes(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = row_block(group, groups) * 8u;
  if (skipped(i, group.x * 32u, 8u, 32u)) { return; }
  let j = columns_of(group.x * 32u, local, 8u);
  let vectors = row_vectors();
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  var sum4 = vec4f();
  var sum5 = vec4f();
  var sum6 = vec4f();
  var sum7 = vec4f();
  for (var f = 0u; f < vectors; f++) {
    let b = transpose(mat4x4f(
      right(right_start(j.x) + f),
      right(right_start(j.y) + f),
      right(right_start(j.z) + f),
      right(right_start(j.w) + f),
    ));
    sum0 = plus(sum0, left(left_start(i) + f), b[0], b[1], b[2], b[3]);
    sum1 = plus(sum1, left(left_start(i + 1u) + f), b[0], b[1], b[2], b[3]);
    sum2 = plus(sum2, left(left_start(i + 2u) + f), b[0], b[1], b[2], b[3]);
    sum3 = plus(sum3, left(left_start(i + 3u) + f), b[0], b[1], b[2], b[3]);
    sum4 = plus(sum4, left(left_start(i + 4u) + f), b[0], b[1], b[2], b[3]);
    sum5 = plus(sum5, left(left_start(i + 5u) + f), b[0], b[1], b[2], b[3]);
    sum6 = plus(sum6, left(left_start(i + 6u) + f), b[0], b[1], b[2], b[3]);
    sum7 = plus(sum7, left(left_start(i + 7u) + f), b[0], b[1], b[2], b[3]);
  }
  storageBarrier();
  write_pairs(i, j, sum0);
  write_pairs(i + 1u, j, sum1);
  write_pairs(i + 2u, j, sum2);
  write_pairs(i + 3u, j, sum3);
  write_pairs(i + 4u, j, sum4);
  write_pairs(i + 5u, j, sum5);
  write_pairs(i + 6u, j, sum6);
  write_pairs(i + 7u, j, sum7);
}

// 4 EDGE rows of 4 vectors each, at a pitch of 5 so that neighbours lie in different banks.
var<workgroup> left_tile: array<array<vec4f, 5>, 4u * EDGE>;
var<workgroup> right_tile: array<array<vec4f, 5>, 4u * EDGE>;

// Sums of four rows with four columns each.
struct Sums { row0: vec4f, row1: vec4f, row2: vec4f, row3: vec4f }

fn add_vector(sums: ptr<function, Sums>, local: vec3u, f: u32) {
  let b = transpose(mat4x4f(
    right_tile[local.x][f],
    right_tile[local.x + EDGE][f],
    right_tile[local.x + 2u * EDGE][f],
    right_tile[local.x + 3u * EDGE][f],
  ));
  (*sums).row0 = plus((*sums).row0, left_tile[local.y][f], b[0], b[1], b[2], b[3]);
  (*sums).row1 = plus((*sums).row1, left_tile[local.y + EDGE][f], b[0], b[1], b[2], b[3]);
  (*sums).row2 = plus((*sums).row2, left_tile[local.y + 2u * EDGE][f], b[0], b[1], b[2], b[3]);
  (*sums).row3 = plus((*sums).row3, left_tile[local.y + 3u * EDGE][f], b[0], b[1], b[2], b[3]);
}

@compute @workgroup_size(EDGE, EDGE)
fn tiles(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let size = 4u * EDGE;
  let i0 = row_block(group, groups) * size;
  let j0 = group.x * size;
  if (skipped(i0, j0, size, size)) { return; }
  let thread = local.y * EDGE + local.x;
  let vectors = row_vectors();
  var sums: Sums;
  for (var start = 0u; start < vectors; start += 4u) {
    workgroupBarrier();
    for (var k = thread; k < 16u * EDGE; k += EDGE * EDGE) {
      let row = k >> 2u;
      let f = start + (k & 3u);
      var a = vec4f();
      var b = vec4f();
      if (f < vectors) {
        a = left(left_start(i0 + row) + f);
        b = right(right_start(j0 + column_of(row % EDGE, row / EDGE, EDGE)) + f);
      }
      left_tile[row][k & 3u] = a;
      right_tile[row][k & 3u] = b;
    }
    workgroupBarrier();
    add_vector(&sums, local, 0u);
    add_vector(&sums, local, 1u);
    add_vector(&sums, local, 2u);
    add_vector(&sums, local, 3u);
  }
  storageBarrier();
  let j = columns_of(j0, local.x, EDGE);
  write_pairs(i0 + local.y, j, sums.row0);
  write_pairs(i0 + local.y + EDGE, j, sums.row1);
  write_pairs(i0 + local.y + 2u * EDGE, j, sums.row2);
  write_pairs(i0 + local.y + 3u * EDGE, j, sums.row3);
}
