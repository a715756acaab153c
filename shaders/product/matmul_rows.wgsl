// Body of a product for CPU adapters: an invocation sums 8 rows by one vec4 of columns.
//
// There a load costs as much as dozens of FMAs and workgroup memory is no faster, so all reuse happens in registers: named
// accumulators, since an array indexed by a variable would live in memory. Neighbours read the same a.
//
// Every form of a product (this, matmul_subgroup, matmul_tile) is joined after operands (matmul.wgsl, or conv2d.wgsl with the
// files of one of its passes), which are an `a` of rows by k and a `b` of k by columns, k cut into segments. They give
//   Place, Row, Segment                                     what is fixed for a workgroup (Place has the segments `first` to
//                                                           before `end`), for a row of a, and for that row in a segment
//   is_left_out() -> bool                                   whether nothing is to be done
//   place_of(z: u32) -> Place                               of a workgroup's z
//   narrowed(place: Place, rows: vec2u, cols: vec2u) -> Place   with the segments that count for rows and vectors of columns
//   row_of(place: Place, row: u32) -> Row                   rows past the end must be somewhere
//   row_from(row: Row, k: u32) -> Row                       without the first k, of which there are fours where not A_T
//   segment_of(place: Place, row: Row, s: u32) -> Segment   with A_T the same for a row and what row_from makes of it
//   segment_length(s: u32) -> u32                           its k
//   load_a(row: Row, segment: Segment, k: u32) -> vec4f     a[row, k..k+3], or with A_T a[row..row+3, k]
//   b_base(place: Place, s: u32) -> u32                     what the next two are given
//   load_b(base: u32, s: u32, k: u32, col: u32) -> vec4f    b[k, 4 col..4 col+3], k counted in the segment; without B_T
//   load_b_t(base: u32, k: u32, j: u32) -> vec4f            b[k..k+3, j]; with B_T
//   b_at(i: u32) -> vec4f, params.ldb4                      b, i vectors from its start, and from one row of memory to the next
//   rows_of_c(place: Place) -> u32                          rows of the result there
//   columns_of_c() -> u32                                   vectors of four in a row of all of it
//   column_of_c(place: Place, col: u32) -> u32              where a vector of the product is among them
//   store(place: Place, row: u32, col: u32, sum: vec4f)     takes a result, guards the tail
// and the constants A_T, B_T, K_TAIL, BIAS. lib/moments_store.wgsl or lib/moments_none.wgsl gives MOMENTS and
//   put_moments(place: Place, block: u32, col: u32, all: Moments)
//
// It is joined with matmul_columns too.
// Workgroup: 8 invocations along the columns. Blocks: ceil(rows / 8) * ceil(cols4 / 8).

// Sum of 4 k for one row.
fn four(a4: vec4f, b: mat4x4f) -> vec4f {
  return a4.x * b[0] + a4.y * b[1] + a4.z * b[2] + a4.w * b[3];
}

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  if (is_left_out()) { return; }
  let block = group.y * groups.x + group.x;
  let col_blocks = (params.cols4 + 7u) / 8u;
  let row = 8u * (block / col_blocks);
  let first_col = 8u * (block % col_blocks);
  let place = narrowed(place_of(group.z), vec2u(row, row + 8u), vec2u(first_col, first_col + 8u));
  let col = first_col + lane;
  let b_col = min(col, params.cols4 - 1u);
  // With A_T the first and the fifth row stand for 4 rows each.
  let r0 = row_of(place, row);
  let r1 = row_of(place, row + 1u);
  let r2 = row_of(place, row + 2u);
  let r3 = row_of(place, row + 3u);
  let r4 = row_of(place, row + 4u);
  let r5 = row_of(place, row + 5u);
  let r6 = row_of(place, row + 6u);
  let r7 = row_of(place, row + 7u);

  var s0 = vec4f();
  var s1 = vec4f();
  var s2 = vec4f();
  var s3 = vec4f();
  var s4 = vec4f();
  var s5 = vec4f();
  var s6 = vec4f();
  var s7 = vec4f();
  for (var s = place.first; s < place.end; s++) {
    let g0 = segment_of(place, r0, s);
    let g1 = segment_of(place, r1, s);
    let g2 = segment_of(place, r2, s);
    let g3 = segment_of(place, r3, s);
    let g4 = segment_of(place, r4, s);
    let g5 = segment_of(place, r5, s);
    let g6 = segment_of(place, r6, s);
    let g7 = segment_of(place, r7, s);
    let base = b_base(place, s);
    let end = segment_length(s);
    for (var k = 0u; k < end; k += 4u) {
      let b = load_columns(base, s, k, b_col);
      if (A_T) {
        let l0 = load_a(r0, g0, k);
        let l1 = load_a(r0, g0, k + 1u);
        let l2 = load_a(r0, g0, k + 2u);
        let l3 = load_a(r0, g0, k + 3u);
        s0 += l0.x * b[0] + l1.x * b[1] + l2.x * b[2] + l3.x * b[3];
        s1 += l0.y * b[0] + l1.y * b[1] + l2.y * b[2] + l3.y * b[3];
        s2 += l0.z * b[0] + l1.z * b[1] + l2.z * b[2] + l3.z * b[3];
        s3 += l0.w * b[0] + l1.w * b[1] + l2.w * b[2] + l3.w * b[3];
        let h0 = load_a(r4, g4, k);
        let h1 = load_a(r4, g4, k + 1u);
        let h2 = load_a(r4, g4, k + 2u);
        let h3 = load_a(r4, g4, k + 3u);
        s4 += h0.x * b[0] + h1.x * b[1] + h2.x * b[2] + h3.x * b[3];
        s5 += h0.y * b[0] + h1.y * b[1] + h2.y * b[2] + h3.y * b[3];
        s6 += h0.z * b[0] + h1.z * b[1] + h2.z * b[2] + h3.z * b[3];
        s7 += h0.w * b[0] + h1.w * b[1] + h2.w * b[2] + h3.w * b[3];
      } else {
        s0 += four(load_a(r0, g0, k), b);
        s1 += four(load_a(r1, g1, k), b);
        s2 += four(load_a(r2, g2, k), b);
        s3 += four(load_a(r3, g3, k), b);
        s4 += four(load_a(r4, g4, k), b);
        s5 += four(load_a(r5, g5, k), b);
        s6 += four(load_a(r6, g6, k), b);
        s7 += four(load_a(r7, g7, k), b);
      }
    }
  }
  store(place, row, col, s0);
  store(place, row + 1u, col, s1);
  store(place, row + 2u, col, s2);
  store(place, row + 3u, col, s3);
  store(place, row + 4u, col, s4);
  store(place, row + 5u, col, s5);
  store(place, row + 6u, col, s6);
  store(place, row + 7u, col, s7);
  if (MOMENTS) {
    let first = moments_of(rows_left(rows_of_c(place), row), s0, s1, s2, s3);
    let second = moments_of(rows_left(rows_of_c(place), row + 4u), s4, s5, s6, s7);
    put_moments(place, row / 8u, col, joined(first, second));
  }
}
