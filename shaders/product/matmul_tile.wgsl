// Body of a product for GPUs: a workgroup of HIGH by WIDE invocations sums a tile, an invocation 8 rows by 8 columns of it;
// 4 rows where the tile is not TALL, 4 columns where it is not BROAD, for GPUs that have few registers.
//
// 8 k at a time, a slice, go through workgroup memory, which is double-buffered: while one half is summed, the next slices of
// a and b are on their way in registers; one barrier a slice. Both halves hold [k][row] and [k][column] as vectors. What is
// the same for all slices is found before them, and what is the same for those of a segment before these.
// Joined with one of matmul_tile_f32.wgsl, matmul_tile_f16.wgsl, which say in which precision a slice is summed: with its Number.
// Joined after the operands (matmul.wgsl or one of conv2d_*.wgsl) and a line with HIGH and WIDE, 8 or 16, and the vectors of
// four of a tile's rows and columns: ROWS4, HIGH or where it is TALL twice as many; COLS4, WIDE or where it is BROAD 2 WIDE.
//
// UNROLLED, the 8 k of a slice are written out. WebGPU bounds every loop and clamps every index that is no constant, which
// would cost a GPU a good part of what the sums do; a CPU adapter takes seconds to compile it.
// Workgroup: HIGH * WIDE invocations. Blocks: ceil(rows / (4 ROWS4)) * ceil(cols4 / COLS4).

// WHOLE, every segment is a number of slices: nothing is fetched past an end but where it is not used, and then from inside.
override UNROLLED: bool = true;
override WHOLE: bool = false;

const DEPTH = 8u; // k in a slice
const INVOCATIONS = HIGH * WIDE;
const ROW_PARTS = ROWS4 / HIGH; // 2 where the tile is TALL
const COL_PARTS = COLS4 / WIDE; // 2 where it is BROAD
const TALL = ROW_PARTS == 2u;
const BROAD = COL_PARTS == 2u;
const A_TWICE = 8u * ROWS4 > INVOCATIONS; // an invocation loads two vectors of a for a slice
const B_TWICE = 8u * COLS4 > INVOCATIONS;

// Four numbers that invocations may store one by one: a store to one element of a vector may write the others too.
alias Four = array<Number, 4>;
alias Vector = vec4<Number>;

fn to_vector(x: Four) -> Vector { return Vector(x[0], x[1], x[2], x[3]); }

fn to_four(x: vec4f) -> Four { return Four(Number(x.x), Number(x.y), Number(x.z), Number(x.w)); }

// One k of both halves of workgroup memory: vectors of rows or columns, by the parts of which an invocation has one each.
// With the odd one, scattered writes spread over banks.
struct RowsOfK { at: array<array<array<Four, HIGH>, 2>, ROW_PARTS>, odd: Four }
struct ColsOfK { at: array<array<array<Four, WIDE>, 2>, COL_PARTS>, odd: Four }

// The k of a slice as two times four, so that four k from one on lie at constant distances.
var<workgroup> tile_a: array<array<RowsOfK, 4>, 2>;
var<workgroup> tile_b: array<array<ColsOfK, 4>, 2>;

// The first k, and row or column, of the vector that an invocation brings for a slice; it lies along k where memory runs along k,
// else along rows or columns. A second vector is one part on, or 4 k.
struct Slot { k: u32, line: u32 }

fn slot_of(q: u32, lines: u32, along_k: bool) -> Slot {
  if (along_k) { return Slot(4u * (q & 1u), q >> 1u); }
  return Slot(q / lines, 4u * (q % lines));
}

// Where that is put. Indices are bounded here: compilers see that those of every turn are.
struct Target { k4: u32, k: u32, part: u32, vector: u32, number: u32 }

fn target_of(slot: Slot, length: u32) -> Target {
  let vector = slot.line / 4u;
  return Target(
    min(slot.k / 4u, 1u),
    min(slot.k % 4u, 3u),
    min(vector / length, 1u),
    min(vector % length, length - 1u),
    min(slot.line % 4u, 3u),
  );
}

// a of a row that starts from the slot's k.
fn fetch_a(row: Row, segment: Segment, slot: Slot, k: u32, end: u32) -> vec4f {
  if (WHOLE) { return load_a(row, segment, k); }
  let inside = k + slot.k < end;
  return select(vec4f(), load_a(row, segment, select(0u, k, inside)), inside);
}

// Vectors from b_base to a slot of b; its line is a column of the matrix.
fn b_offset(slot: Slot) -> u32 {
  if (B_T) { return slot.line * params.ldb4 + slot.k / 4u; }
  return slot.k * params.ldb4 + slot.line / 4u;
}

// b of the slot, `offset` vectors from its base.
fn fetch_b(base: u32, s: u32, slot: Slot, offset: u32, k: u32, end: u32) -> vec4f {
  if (WHOLE) { return b_at(base + select(k * params.ldb4, k / 4u, B_T) + offset); }
  let inside = k + slot.k < end;
  let first = select(0u, k + slot.k, inside);
  if (B_T) { return select(vec4f(), load_b_t(base, first, slot.line), inside); }
  return select(vec4f(), load_b(base, s, first, slot.line / 4u), inside);
}

fn put_a(half: u32, to: Target, second: bool, value: vec4f) {
  let part = select(to.part, u32(second), A_TWICE && !A_T);
  let k4 = select(to.k4, u32(second), A_TWICE && A_T);
  if (A_T) {
    tile_a[k4][to.k].at[part][half][to.vector] = to_four(value);
  } else {
    tile_a[k4][0].at[part][half][to.vector][to.number] = Number(value.x);
    tile_a[k4][1].at[part][half][to.vector][to.number] = Number(value.y);
    tile_a[k4][2].at[part][half][to.vector][to.number] = Number(value.z);
    tile_a[k4][3].at[part][half][to.vector][to.number] = Number(value.w);
  }
}

fn put_b(half: u32, to: Target, second: bool, value: vec4f) {
  let part = select(to.part, u32(second), B_TWICE && B_T);
  let k4 = select(to.k4, u32(second), B_TWICE && !B_T);
  if (B_T) {
    tile_b[k4][0].at[part][half][to.vector][to.number] = Number(value.x);
    tile_b[k4][1].at[part][half][to.vector][to.number] = Number(value.y);
    tile_b[k4][2].at[part][half][to.vector][to.number] = Number(value.z);
    tile_b[k4][3].at[part][half][to.vector][to.number] = Number(value.w);
  } else {
    tile_b[k4][to.k].at[part][half][to.vector] = to_four(value);
  }
}

// Rows 0..3 and 4 HIGH .. 4 HIGH + 3 from an invocation's first one, and of each the vectors of columns 0 and WIDE.
struct TileSums {
  s00: vec4f, s01: vec4f,
  s10: vec4f, s11: vec4f,
  s20: vec4f, s21: vec4f,
  s30: vec4f, s31: vec4f,
  s40: vec4f, s41: vec4f,
  s50: vec4f, s51: vec4f,
  s60: vec4f, s61: vec4f,
  s70: vec4f, s71: vec4f,
}

// Adds one k of a slice to sums of as many Numbers; rows, cols: the invocation's place in the tile, in vectors.
fn add_k(sums: ptr<function, SliceSums>, half: u32, k: u32, rows: u32, cols: u32) {
  let a_low = to_vector(tile_a[k / 4u][k % 4u].at[0][half][rows]);
  let b_low = to_vector(tile_b[k / 4u][k % 4u].at[0][half][cols]);
  (*sums).s00 = fma(Vector(a_low.x), b_low, (*sums).s00);
  (*sums).s10 = fma(Vector(a_low.y), b_low, (*sums).s10);
  (*sums).s20 = fma(Vector(a_low.z), b_low, (*sums).s20);
  (*sums).s30 = fma(Vector(a_low.w), b_low, (*sums).s30);
  var b_high: Vector;
  if (BROAD) {
    b_high = to_vector(tile_b[k / 4u][k % 4u].at[COL_PARTS - 1u][half][cols]);
    (*sums).s01 = fma(Vector(a_low.x), b_high, (*sums).s01);
    (*sums).s11 = fma(Vector(a_low.y), b_high, (*sums).s11);
    (*sums).s21 = fma(Vector(a_low.z), b_high, (*sums).s21);
    (*sums).s31 = fma(Vector(a_low.w), b_high, (*sums).s31);
  }
  if (TALL) {
    let a_high = to_vector(tile_a[k / 4u][k % 4u].at[ROW_PARTS - 1u][half][rows]);
    (*sums).s40 = fma(Vector(a_high.x), b_low, (*sums).s40);
    (*sums).s50 = fma(Vector(a_high.y), b_low, (*sums).s50);
    (*sums).s60 = fma(Vector(a_high.z), b_low, (*sums).s60);
    (*sums).s70 = fma(Vector(a_high.w), b_low, (*sums).s70);
    if (BROAD) {
      (*sums).s41 = fma(Vector(a_high.x), b_high, (*sums).s41);
      (*sums).s51 = fma(Vector(a_high.y), b_high, (*sums).s51);
      (*sums).s61 = fma(Vector(a_high.z), b_high, (*sums).s61);
      (*sums).s71 = fma(Vector(a_high.w), b_high, (*sums).s71);
    }
  }
}

fn add_ks(sums: ptr<function, SliceSums>, half: u32, rows: u32, cols: u32) {
  if (!UNROLLED) {
    for (var k = 0u; k < DEPTH; k++) { add_k(sums, half, k, rows, cols); }
    return;
  }
  add_k(sums, half, 0u, rows, cols);
  add_k(sums, half, 1u, rows, cols);
  add_k(sums, half, 2u, rows, cols);
  add_k(sums, half, 3u, rows, cols);
  add_k(sums, half, 4u, rows, cols);
  add_k(sums, half, 5u, rows, cols);
  add_k(sums, half, 6u, rows, cols);
  add_k(sums, half, 7u, rows, cols);
}

// Row and column of a block. Blocks go in bands of 8 rows of blocks: those that run at the same time then read few parts of a
// and of b. `blocks` may be more than are needed.
fn block_of(block: u32, blocks: u32) -> vec2u {
  let col_blocks = (params.cols4 + COLS4 - 1u) / COLS4;
  let row_blocks = blocks / col_blocks;
  let band = block / (8u * col_blocks);
  let inside = block - band * 8u * col_blocks;
  let height = clamp(row_blocks - min(8u * band, row_blocks), 1u, 8u);
  return vec2u(8u * band + inside % height, inside / height);
}

// The segment of the second vector of a.
fn second_segment(g0: Segment, g1: Segment) -> Segment {
  if (A_T) { return g0; }
  return g1;
}

// Adds the slices of all segments, of which there is one. q: the invocation; row, col: the tile's first row and vector of
// columns; rows, cols: the invocation's place in it, in vectors.
fn add_segments(sums: ptr<function, TileSums>, place: Place, q: u32, row: u32, col: u32, rows: u32, cols: u32) {
  let a_slot = slot_of(q, ROWS4, !A_T);
  let a_second = Slot(a_slot.k + select(0u, 4u, A_T), a_slot.line + select(4u * HIGH, 0u, A_T));
  let a_to = target_of(a_slot, HIGH);
  let r0 = row_from(row_of(place, row + a_slot.line), a_slot.k);
  let r1 = row_from(row_of(place, row + a_second.line), a_second.k);
  let b_slot = slot_of(q, COLS4, B_T);
  let last = 4u * params.cols4 - 1u;
  let b_first = Slot(b_slot.k, min(4u * col + b_slot.line, last));
  let b_second = Slot(b_slot.k + select(4u, 0u, B_T), min(4u * col + b_slot.line + select(0u, 4u * WIDE, B_T), last));
  let b_to = target_of(b_slot, WIDE);
  let b_at0 = b_offset(b_first);
  let b_at1 = b_offset(b_second);

  var s = place.first;
  var k = 0u;
  var end = segment_length(s);
  var base = b_base(place, s);
  var g0 = segment_of(place, r0, s);
  var g1 = segment_of(place, r1, s);
  put_a(0u, a_to, false, fetch_a(r0, g0, a_slot, k, end));
  if (A_TWICE) { put_a(0u, a_to, true, fetch_a(r1, second_segment(g0, g1), a_second, k, end)); }
  put_b(0u, b_to, false, fetch_b(base, s, b_first, b_at0, k, end));
  if (B_TWICE) { put_b(0u, b_to, true, fetch_b(base, s, b_second, b_at1, k, end)); }
  workgroupBarrier();
  k = DEPTH;
  var half = 0u;
  var more = true;
  // A turn fetches a slice, sums the one before it and puts the new one into the other half. Past the last segment, of which
  // end is 0, it fetches one more, which is not summed: a branch around the stores lets compilers move the loads behind the sums.
  while (more) {
    if (k >= end) {
      k = 0u;
      s++;
      end = 0u;
      more = s < place.end;
      if (more) {
        end = segment_length(s);
        base = b_base(place, s);
        g0 = segment_of(place, r0, s);
        g1 = segment_of(place, r1, s);
      }
    }
    loop {
      let a0 = fetch_a(r0, g0, a_slot, k, end);
      var a1: vec4f;
      if (A_TWICE) { a1 = fetch_a(r1, second_segment(g0, g1), a_second, k, end); }
      let b0 = fetch_b(base, s, b_first, b_at0, k, end);
      var b1: vec4f;
      if (B_TWICE) { b1 = fetch_b(base, s, b_second, b_at1, k, end); }
      add_slice(sums, half, rows, cols);
      half = 1u - half;
      put_a(half, a_to, false, a0);
      if (A_TWICE) { put_a(half, a_to, true, a1); }
      put_b(half, b_to, false, b0);
      if (B_TWICE) { put_b(half, b_to, true, b1); }
      workgroupBarrier();
      k += DEPTH;
      if (k >= end) { break; }
    }
  }
}

@compute @workgroup_size(INVOCATIONS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) q0: u32,
) {
  if (is_left_out()) { return; }
  let block = block_of(group.y * groups.x + group.x, groups.x * groups.y);
  let first_row = 4u * ROWS4 * block.x;
  let first_col = COLS4 * block.y;
  let place = narrowed(
    place_of(group.z),
    vec2u(first_row, first_row + 4u * ROWS4),
    vec2u(first_col, first_col + COLS4),
  );
  // 32 neighbours have 4 by 8 of the tile, so that a load of b is as wide as the memory, and one of a is shared.
  let cell = q0 / 32u;
  let rows = min(4u * (cell / (WIDE / 8u)) + q0 / 8u % 4u, HIGH - 1u);
  let cols = min(8u * (cell % (WIDE / 8u)) + q0 % 8u, WIDE - 1u);
  var sums: TileSums;
  if (place.first < place.end) { add_segments(&sums, place, q0, first_row, first_col, rows, cols); }
  let row = first_row + 4u * rows;
  let col = first_col + cols;
  var left = put_rows(place, row, col, sums.s00, sums.s10, sums.s20, sums.s30);
  var right = Moments();
  if (BROAD) { right = put_rows(place, row, col + WIDE, sums.s01, sums.s11, sums.s21, sums.s31); }
  if (TALL) {
    let high = row + 4u * HIGH;
    left = joined(left, put_rows(place, high, col, sums.s40, sums.s50, sums.s60, sums.s70));
    if (BROAD) { right = joined(right, put_rows(place, high, col + WIDE, sums.s41, sums.s51, sums.s61, sums.s71)); }
  }
  if (MOMENTS) {
    let all = tile_moments(place, first_row, q0, rows, cols, left, right);
    if (q0 < COLS4) { put_moments(place, first_row / (4u * ROWS4), first_col + q0, all); }
  }
}

// How many of the four rows that an invocation has past its first four there are.
fn high_rows(place: Place, row: u32) -> u32 {
  if (!TALL) { return 0u; }
  return rows_left(rows_of_c(place), row + 4u * HIGH);
}

// The moments of column q0 of the tile, joined from its HIGH invocations through memory that the slices left: means first,
// then squares.
fn tile_moments(place: Place, first_row: u32, q0: u32, rows: u32, cols: u32, left: Moments, right: Moments) -> Moments {
  workgroupBarrier();
  leave(rows, cols, left.mean);
  if (BROAD) { leave(rows, cols + WIDE, right.mean); }
  workgroupBarrier();
  var all = Moments();
  let column = min(q0, COLS4 - 1u);
  for (var y = 0u; y < HIGH; y++) {
    let row = first_row + 4u * y;
    let count = rows_left(rows_of_c(place), row) + high_rows(place, row);
    all = joined(all, Moments(f32(count), left_at(y, column), vec4f()));
  }
  workgroupBarrier();
  leave(rows, cols, left.squares);
  if (BROAD) { leave(rows, cols + WIDE, right.squares); }
  workgroupBarrier();
  for (var y = 0u; y < HIGH; y++) { all.squares += left_at(y, column); }
  return all;
}
