// Body of a product with few columns for CPU adapters whose subgroups have 8 lanes: one subgroup sums 32 rows by 16 columns.
//
// As matmul_subgroup, whose lanes would idle beyond the columns: here the first four lanes have 16 rows, the others the 16
// rows that follow, each lane a vec4 of columns. A lane loads one quarter of every 4 rows by 4 k of its half.
// Joined after the operands (matmul.wgsl or one of conv2d_*.wgsl).
//
// Workgroup: 8 invocations, one subgroup. Blocks: ceil(rows / 32) * ceil(cols4 / 4).

// a[i, k + u] of four rows, i and u < 4 constant, from the lane of this half that loaded it; offset: first lane of the half.
fn share(mine: vec4f, offset: u32, i: u32, u: u32) -> f32 {
  if (A_T) { return subgroupShuffle(mine[i], offset + u); }
  return subgroupShuffle(mine[u], offset + i);
}

fn shuffled(x: vec4f, lane: u32) -> vec4f {
  return vec4f(
    subgroupShuffle(x.x, lane),
    subgroupShuffle(x.y, lane),
    subgroupShuffle(x.z, lane),
    subgroupShuffle(x.w, lane),
  );
}

// Four rows of the block.
struct Quad { s0: vec4f, s1: vec4f, s2: vec4f, s3: vec4f }

// Adds 4 k to four rows; mine: what this lane loaded of their a; b: its columns.
fn add_quad(sums: ptr<function, Quad>, mine: vec4f, offset: u32, b: mat4x4f) {
  (*sums).s0 += share(mine, offset, 0u, 0u) * b[0] + share(mine, offset, 0u, 1u) * b[1] + share(mine, offset, 0u, 2u) * b[2] + share(mine, offset, 0u, 3u) * b[3];
  (*sums).s1 += share(mine, offset, 1u, 0u) * b[0] + share(mine, offset, 1u, 1u) * b[1] + share(mine, offset, 1u, 2u) * b[2] + share(mine, offset, 1u, 3u) * b[3];
  (*sums).s2 += share(mine, offset, 2u, 0u) * b[0] + share(mine, offset, 2u, 1u) * b[1] + share(mine, offset, 2u, 2u) * b[2] + share(mine, offset, 2u, 3u) * b[3];
  (*sums).s3 += share(mine, offset, 3u, 0u) * b[0] + share(mine, offset, 3u, 1u) * b[1] + share(mine, offset, 3u, 2u) * b[2] + share(mine, offset, 3u, 3u) * b[3];
}

fn store_quad(place: Place, row: u32, col: u32, sums: Quad) {
  store(place, row, col, sums.s0);
  store(place, row + 1u, col, sums.s1);
  store(place, row + 2u, col, sums.s2);
  store(place, row + 3u, col, sums.s3);
}

fn moments_of_quad(place: Place, row: u32, sums: Quad) -> Moments {
  return moments_of(rows_left(rows_of_c(place), row), sums.s0, sums.s1, sums.s2, sums.s3);
}

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  if (is_left_out()) { return; }
  let whole = place_of(group.z);
  let block = group.y * groups.x + group.x;
  let col_blocks = (params.cols4 + 3u) / 4u;
  let first_row = 32u * (block / col_blocks);
  let first_col = 4u * (block % col_blocks);
  let place = narrowed(whole, vec2u(first_row, first_row + 32u), vec2u(first_col, first_col + 4u));
  let offset = lane & 4u;
  let row = first_row + 4u * offset;
  let col = first_col + (lane & 3u);
  let b_col = min(col, params.cols4 - 1u);
  let mine = row + select(lane & 3u, 0u, A_T);
  let mine0 = row_of(place, mine);
  let mine1 = row_of(place, mine + 4u);
  let mine2 = row_of(place, mine + 8u);
  let mine3 = row_of(place, mine + 12u);
  let upper = offset >> 2u;
  let first = lane & 3u;
  let second = first + 4u;
  let k_of_lane = select(0u, lane & 3u, A_T);

  var quad0: Quad;
  var quad1: Quad;
  var quad2: Quad;
  var quad3: Quad;
  for (var s = place.first; s < place.end; s++) {
    let segment0 = segment_of(place, mine0, s);
    let segment1 = segment_of(place, mine1, s);
    let segment2 = segment_of(place, mine2, s);
    let segment3 = segment_of(place, mine3, s);
    let base = b_base(place, s);
    let end = segment_length(s);
    for (var k = 0u; k < end; k += 4u) {
      // Each half loads every second one of four vectors.
      var even: vec4f;
      var odd: vec4f;
      if (B_T) {
        even = load_b_t(base, k, 4u * b_col + upper);
        odd = load_b_t(base, k, 4u * b_col + 2u + upper);
      } else {
        even = load_b(base, s, k + upper, b_col);
        odd = load_b(base, s, k + 2u + upper, b_col);
      }
      let loaded = mat4x4f(shuffled(even, first), shuffled(even, second), shuffled(odd, first), shuffled(odd, second));
      var b = loaded;
      if (B_T) { b = transpose(loaded); }
      add_quad(&quad0, load_a(mine0, segment0, k + k_of_lane), offset, b);
      add_quad(&quad1, load_a(mine1, segment1, k + k_of_lane), offset, b);
      add_quad(&quad2, load_a(mine2, segment2, k + k_of_lane), offset, b);
      add_quad(&quad3, load_a(mine3, segment3, k + k_of_lane), offset, b);
    }
  }
  store_quad(place, row, col, quad0);
  store_quad(place, row + 4u, col, quad1);
  store_quad(place, row + 8u, col, quad2);
  store_quad(place, row + 12u, col, quad3);
  if (MOMENTS) {
    let mine = joined(
      joined(moments_of_quad(place, row, quad0), moments_of_quad(place, row + 4u, quad1)),
      joined(moments_of_quad(place, row + 8u, quad2), moments_of_quad(place, row + 12u, quad3)),
    );
    let other = lane ^ 4u;
    let later = Moments(
      subgroupShuffle(mine.count, other),
      shuffled(mine.mean, other),
      shuffled(mine.squares, other),
    );
    if (offset == 0u) { put_moments(place, first_row / 32u, col, joined(mine, later)); }
  }
}
