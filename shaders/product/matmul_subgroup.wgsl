// Body of a product for CPU adapters whose subgroups have 8 lanes: one subgroup sums ROWS rows, 16 or 32, by 32 columns.
//
// There a load costs as much as dozens of FMAs. So each lane loads one eighth of every 8 rows by 4 k of a and hands it round by
// shuffles; its own vec4 of columns of b meets all rows, whose sums live in named accumulators: an array indexed by a variable
// would live in memory. 32 rows load less and take twice as long to compile.
// Joined after the operands (matmul.wgsl or one of conv2d_*.wgsl), matmul_columns and a line with ROWS.
//
// Workgroup: 8 invocations, one subgroup. Blocks: ceil(rows / ROWS) * ceil(cols4 / 8).

// a[i, k + u] of the block, i < 8 and u < 4 constant, from the lane that loaded it.
fn share(mine: vec4f, i: u32, u: u32) -> f32 {
  if (A_T) { return subgroupShuffle(mine[i & 3u], 2u * u + (i >> 2u)); }
  return subgroupShuffle(mine[u], i);
}

// Eight rows of the block.
struct Rows { s0: vec4f, s1: vec4f, s2: vec4f, s3: vec4f, s4: vec4f, s5: vec4f, s6: vec4f, s7: vec4f }

// Adds 4 k to eight rows; mine: what this lane loaded of their a; b: its columns.
fn add_rows(sums: ptr<function, Rows>, mine: vec4f, b: mat4x4f) {
  (*sums).s0 += share(mine, 0u, 0u) * b[0] + share(mine, 0u, 1u) * b[1] + share(mine, 0u, 2u) * b[2] + share(mine, 0u, 3u) * b[3];
  (*sums).s1 += share(mine, 1u, 0u) * b[0] + share(mine, 1u, 1u) * b[1] + share(mine, 1u, 2u) * b[2] + share(mine, 1u, 3u) * b[3];
  (*sums).s2 += share(mine, 2u, 0u) * b[0] + share(mine, 2u, 1u) * b[1] + share(mine, 2u, 2u) * b[2] + share(mine, 2u, 3u) * b[3];
  (*sums).s3 += share(mine, 3u, 0u) * b[0] + share(mine, 3u, 1u) * b[1] + share(mine, 3u, 2u) * b[2] + share(mine, 3u, 3u) * b[3];
  (*sums).s4 += share(mine, 4u, 0u) * b[0] + share(mine, 4u, 1u) * b[1] + share(mine, 4u, 2u) * b[2] + share(mine, 4u, 3u) * b[3];
  (*sums).s5 += share(mine, 5u, 0u) * b[0] + share(mine, 5u, 1u) * b[1] + share(mine, 5u, 2u) * b[2] + share(mine, 5u, 3u) * b[3];
  (*sums).s6 += share(mine, 6u, 0u) * b[0] + share(mine, 6u, 1u) * b[1] + share(mine, 6u, 2u) * b[2] + share(mine, 6u, 3u) * b[3];
  (*sums).s7 += share(mine, 7u, 0u) * b[0] + share(mine, 7u, 1u) * b[1] + share(mine, 7u, 2u) * b[2] + share(mine, 7u, 3u) * b[3];
}

fn store_rows(place: Place, row: u32, col: u32, sums: Rows) {
  store(place, row, col, sums.s0);
  store(place, row + 1u, col, sums.s1);
  store(place, row + 2u, col, sums.s2);
  store(place, row + 3u, col, sums.s3);
  store(place, row + 4u, col, sums.s4);
  store(place, row + 5u, col, sums.s5);
  store(place, row + 6u, col, sums.s6);
  store(place, row + 7u, col, sums.s7);
}

fn moments_of_rows(place: Place, row: u32, sums: Rows) -> Moments {
  let rows = rows_of_c(place);
  return joined(
    moments_of(rows_left(rows, row), sums.s0, sums.s1, sums.s2, sums.s3),
    moments_of(rows_left(rows, row + 4u), sums.s4, sums.s5, sums.s6, sums.s7),
  );
}

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  if (is_left_out()) { return; }
  let whole = place_of(group.z);
  let block = group.y * groups.x + group.x;
  // Down the rows of a band of 8 blocks first: its columns of b stay in the cache.
  let col_blocks = (params.cols4 + 7u) / 8u;
  let band = 8u * (block / (8u * col_blocks));
  let high = max(1u, min(8u, (rows_of_c(whole) + ROWS - 1u) / ROWS - band));
  let in_band = block - band * col_blocks;
  let row = ROWS * (band + in_band % high);
  let first_col = 8u * (in_band / high);
  let place = narrowed(whole, vec2u(row, row + ROWS), vec2u(first_col, first_col + 8u));
  let col = first_col + lane;
  let b_col = min(col, params.cols4 - 1u);
  let mine = row + select(lane, 4u * (lane & 1u), A_T);
  let mine0 = row_of(place, mine);
  let mine1 = row_of(place, mine + 8u);
  let mine2 = row_of(place, mine + 16u);
  let mine3 = row_of(place, mine + 24u);
  let k_of_lane = select(0u, lane >> 1u, A_T);

  var rows0: Rows;
  var rows1: Rows;
  var rows2: Rows;
  var rows3: Rows;
  for (var s = place.first; s < place.end; s++) {
    let segment0 = segment_of(place, mine0, s);
    let segment1 = segment_of(place, mine1, s);
    let segment2 = segment_of(place, mine2, s);
    let segment3 = segment_of(place, mine3, s);
    let base = b_base(place, s);
    let end = segment_length(s);
    for (var k = 0u; k < end; k += 4u) {
      let m0 = load_a(mine0, segment0, k + k_of_lane);
      let m1 = load_a(mine1, segment1, k + k_of_lane);
      var m2: vec4f;
      var m3: vec4f;
      if (ROWS > 16u) {
        m2 = load_a(mine2, segment2, k + k_of_lane);
        m3 = load_a(mine3, segment3, k + k_of_lane);
      }
      let b = load_columns(base, s, k, b_col);
      add_rows(&rows0, m0, b);
      add_rows(&rows1, m1, b);
      if (ROWS > 16u) {
        add_rows(&rows2, m2, b);
        add_rows(&rows3, m3, b);
      }
    }
  }
  store_rows(place, row, col, rows0);
  store_rows(place, row + 8u, col, rows1);
  if (ROWS > 16u) {
    store_rows(place, row + 16u, col, rows2);
    store_rows(place, row + 24u, col, rows3);
  }
  if (MOMENTS) {
    var all = joined(moments_of_rows(place, row, rows0), moments_of_rows(place, row + 8u, rows1));
    if (ROWS > 16u) {
      all = joined(all, joined(moments_of_rows(place, row + 16u, rows2), moments_of_rows(place, row + 24u, rows3)));
    }
    put_moments(place, row / ROWS, col, all);
  }
}
