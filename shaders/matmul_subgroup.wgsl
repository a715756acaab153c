// Body of a product for CPU adapters whose subgroups have 8 lanes: one subgroup sums 16 rows by 32 columns.
//
// There a load costs as much as dozens of FMAs. So each lane loads one eighth of two blocks of a (8 rows by 4 k) and hands
// them round by shuffles; its own vec4 of columns of b meets all 16 rows, which live in named accumulators: an array
// indexed by a variable would live in memory.
// Joined after the operands (matmul.wgsl or one of conv2d_*.wgsl).
//
// Workgroup: 8 invocations, one subgroup. Blocks: ceil(rows / 16) * ceil(cols4 / 8).

// a[i, k + u] of the block, i < 8 and u < 4 constant, from the lane that loaded it.
fn share(mine: vec4f, i: u32, u: u32) -> f32 {
  if (A_T) { return subgroupShuffle(mine[i & 3u], 2u * u + (i >> 2u)); }
  return subgroupShuffle(mine[u], i);
}

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let whole = place_of(group.z);
  let block = group.y * groups.x + group.x;
  // Down the rows of a band of 8 blocks first: its columns of b stay in the cache.
  let col_blocks = (params.cols4 + 7u) / 8u;
  let band = 8u * (block / (8u * col_blocks));
  let high = max(1u, min(8u, (rows_of_c(whole) + 15u) / 16u - band));
  let in_band = block - band * col_blocks;
  let row = 16u * (band + in_band % high);
  let first_col = 8u * (in_band / high);
  let place = narrowed(whole, vec2u(row, row + 16u), vec2u(first_col, first_col + 8u));
  let col = first_col + lane;
  let b_col = min(col, params.cols4 - 1u);
  let mine0 = row_of(place, row + 0u + select(lane, 4u * (lane & 1u), A_T));
  let mine1 = row_of(place, row + 8u + select(lane, 4u * (lane & 1u), A_T));
  let k_of_lane = select(0u, lane >> 1u, A_T);

  var s0 = vec4f();
  var s1 = vec4f();
  var s2 = vec4f();
  var s3 = vec4f();
  var s4 = vec4f();
  var s5 = vec4f();
  var s6 = vec4f();
  var s7 = vec4f();
  var s8 = vec4f();
  var s9 = vec4f();
  var s10 = vec4f();
  var s11 = vec4f();
  var s12 = vec4f();
  var s13 = vec4f();
  var s14 = vec4f();
  var s15 = vec4f();
  for (var s = place.first; s < place.end; s++) {
    let segment0 = segment_of(place, mine0, s);
    let segment1 = segment_of(place, mine1, s);
    let base = b_base(place, s);
    let end = segment_length(s);
    for (var k = 0u; k < end; k += 4u) {
      let m0 = load_a(segment0, k + k_of_lane);
      let m1 = load_a(segment1, k + k_of_lane);
      var b0: vec4f;
      var b1: vec4f;
      var b2: vec4f;
      var b3: vec4f;
      if (B_T) {
        let t0 = load_b_t(base, k, 4u * b_col);
        let t1 = load_b_t(base, k, 4u * b_col + 1u);
        let t2 = load_b_t(base, k, 4u * b_col + 2u);
        let t3 = load_b_t(base, k, 4u * b_col + 3u);
        b0 = vec4f(t0.x, t1.x, t2.x, t3.x);
        b1 = vec4f(t0.y, t1.y, t2.y, t3.y);
        b2 = vec4f(t0.z, t1.z, t2.z, t3.z);
        b3 = vec4f(t0.w, t1.w, t2.w, t3.w);
      } else {
        b0 = load_b(base, s, k, b_col);
        b1 = load_b(base, s, k + 1u, b_col);
        b2 = load_b(base, s, k + 2u, b_col);
        b3 = load_b(base, s, k + 3u, b_col);
      }
      s0 += share(m0, 0u, 0u) * b0 + share(m0, 0u, 1u) * b1 + share(m0, 0u, 2u) * b2 + share(m0, 0u, 3u) * b3;
      s1 += share(m0, 1u, 0u) * b0 + share(m0, 1u, 1u) * b1 + share(m0, 1u, 2u) * b2 + share(m0, 1u, 3u) * b3;
      s2 += share(m0, 2u, 0u) * b0 + share(m0, 2u, 1u) * b1 + share(m0, 2u, 2u) * b2 + share(m0, 2u, 3u) * b3;
      s3 += share(m0, 3u, 0u) * b0 + share(m0, 3u, 1u) * b1 + share(m0, 3u, 2u) * b2 + share(m0, 3u, 3u) * b3;
      s4 += share(m0, 4u, 0u) * b0 + share(m0, 4u, 1u) * b1 + share(m0, 4u, 2u) * b2 + share(m0, 4u, 3u) * b3;
      s5 += share(m0, 5u, 0u) * b0 + share(m0, 5u, 1u) * b1 + share(m0, 5u, 2u) * b2 + share(m0, 5u, 3u) * b3;
      s6 += share(m0, 6u, 0u) * b0 + share(m0, 6u, 1u) * b1 + share(m0, 6u, 2u) * b2 + share(m0, 6u, 3u) * b3;
      s7 += share(m0, 7u, 0u) * b0 + share(m0, 7u, 1u) * b1 + share(m0, 7u, 2u) * b2 + share(m0, 7u, 3u) * b3;
      s8 += share(m1, 0u, 0u) * b0 + share(m1, 0u, 1u) * b1 + share(m1, 0u, 2u) * b2 + share(m1, 0u, 3u) * b3;
      s9 += share(m1, 1u, 0u) * b0 + share(m1, 1u, 1u) * b1 + share(m1, 1u, 2u) * b2 + share(m1, 1u, 3u) * b3;
      s10 += share(m1, 2u, 0u) * b0 + share(m1, 2u, 1u) * b1 + share(m1, 2u, 2u) * b2 + share(m1, 2u, 3u) * b3;
      s11 += share(m1, 3u, 0u) * b0 + share(m1, 3u, 1u) * b1 + share(m1, 3u, 2u) * b2 + share(m1, 3u, 3u) * b3;
      s12 += share(m1, 4u, 0u) * b0 + share(m1, 4u, 1u) * b1 + share(m1, 4u, 2u) * b2 + share(m1, 4u, 3u) * b3;
      s13 += share(m1, 5u, 0u) * b0 + share(m1, 5u, 1u) * b1 + share(m1, 5u, 2u) * b2 + share(m1, 5u, 3u) * b3;
      s14 += share(m1, 6u, 0u) * b0 + share(m1, 6u, 1u) * b1 + share(m1, 6u, 2u) * b2 + share(m1, 6u, 3u) * b3;
      s15 += share(m1, 7u, 0u) * b0 + share(m1, 7u, 1u) * b1 + share(m1, 7u, 2u) * b2 + share(m1, 7u, 3u) * b3;
    }
  }
  store(place, row + 0u, col, s0);
  store(place, row + 1u, col, s1);
  store(place, row + 2u, col, s2);
  store(place, row + 3u, col, s3);
  store(place, row + 4u, col, s4);
  store(place, row + 5u, col, s5);
  store(place, row + 6u, col, s6);
  store(place, row + 7u, col, s7);
  store(place, row + 8u, col, s8);
  store(place, row + 9u, col, s9);
  store(place, row + 10u, col, s10);
  store(place, row + 11u, col, s11);
  store(place, row + 12u, col, s12);
  store(place, row + 13u, col, s13);
  store(place, row + 14u, col, s14);
  store(place, row + 15u, col, s15);
  if (MOMENTS) {
    let rows = rows_of_c(place);
    let m0 = moments_of(rows_left(rows, row), s0, s1, s2, s3);
    let m1 = moments_of(rows_left(rows, row + 4u), s4, s5, s6, s7);
    let m2 = moments_of(rows_left(rows, row + 8u), s8, s9, s10, s11);
    let m3 = moments_of(rows_left(rows, row + 12u), s12, s13, s14, s15);
    put_moments(place, row / 16u, col, joined(joined(m0, m1), joined(m2, m3)));
  }
}
