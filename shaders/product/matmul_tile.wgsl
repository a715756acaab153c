// Body of a product for GPUs: a workgroup of HIGH by WIDE invocations sums a tile, an invocation 8 rows by 8 columns of it;
// 4 rows where the tile is not TALL, 4 columns where it is not BROAD, for GPUs that have few registers.
//
// 8 k at a time, a slice, go through workgroup memory, which is double-buffered: while one half is summed, the next slices of
// a and b are on their way in registers; one barrier a slice. Both halves hold [k][row] and [k][column] as vectors.
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
const TALL = ROWS4 > HIGH;
const BROAD = COLS4 > WIDE;
const A_PITCH = ROWS4 + 1u; // vectors from one k to the next; the odd one spreads scattered writes over banks
const B_PITCH = COLS4 + 1u;
const A_TWICE = 8u * ROWS4 > HIGH * WIDE;
const B_TWICE = 8u * COLS4 > HIGH * WIDE;

// Four numbers that invocations may store one by one: a store to one element of a vector may write the others too.
alias Four = array<Number, 4>;
alias Vector = vec4<Number>;

fn to_vector(x: Four) -> Vector { return Vector(x[0], x[1], x[2], x[3]); }

fn to_four(x: vec4f) -> Four { return Four(Number(x.x), Number(x.y), Number(x.z), Number(x.w)); }

// The k of a slice as two times four, so that four k from one on lie at constant distances.
var<workgroup> tile_a: array<array<array<array<Four, A_PITCH>, 4>, 2>, 2>;
var<workgroup> tile_b: array<array<array<array<Four, B_PITCH>, 4>, 2>, 2>;

// Vector q of a slice with `lines` vectors of rows or columns: its k, and its row or column. Along k where memory runs along
// k, else along the row or column.
fn k_of(q: u32, lines: u32, along_k: bool) -> u32 { return select(q / lines, 4u * (q & 1u), along_k); }
fn line_of(q: u32, lines: u32, along_k: bool) -> u32 { return select(4u * (q % lines), q >> 1u, along_k); }

fn fetch_a(segment: Segment, q: u32, k: u32, end: u32) -> vec4f {
  let at = k + k_of(q, ROWS4, !A_T);
  let inside = WHOLE || at < end;
  return select(vec4f(), load_a(segment, select(0u, at, inside)), inside);
}

fn fetch_b(base: u32, s: u32, q: u32, col: u32, k: u32, end: u32) -> vec4f {
  let at = k + k_of(q, COLS4, B_T);
  let inside = WHOLE || at < end;
  let first = select(0u, at, inside);
  let j = 4u * col + line_of(q, COLS4, B_T);
  if (B_T) { return select(vec4f(), load_b_t(base, first, min(j, 4u * params.cols4 - 1u)), inside); }
  return select(vec4f(), load_b(base, s, first, min(j / 4u, params.cols4 - 1u)), inside);
}

fn put_a(half: u32, q: u32, value: vec4f) {
  let k = k_of(q, ROWS4, !A_T);
  let line = line_of(q, ROWS4, !A_T);
  if (A_T) {
    tile_a[half][k / 4u][k % 4u][line / 4u] = to_four(value);
  } else {
    tile_a[half][k / 4u][0][line / 4u][line & 3u] = Number(value.x);
    tile_a[half][k / 4u][1][line / 4u][line & 3u] = Number(value.y);
    tile_a[half][k / 4u][2][line / 4u][line & 3u] = Number(value.z);
    tile_a[half][k / 4u][3][line / 4u][line & 3u] = Number(value.w);
  }
}

fn put_b(half: u32, q: u32, value: vec4f) {
  let k = k_of(q, COLS4, B_T);
  let line = line_of(q, COLS4, B_T);
  if (B_T) {
    tile_b[half][k / 4u][0][line / 4u][line & 3u] = Number(value.x);
    tile_b[half][k / 4u][1][line / 4u][line & 3u] = Number(value.y);
    tile_b[half][k / 4u][2][line / 4u][line & 3u] = Number(value.z);
    tile_b[half][k / 4u][3][line / 4u][line & 3u] = Number(value.w);
  } else {
    tile_b[half][k / 4u][k % 4u][line / 4u] = to_four(value);
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
  let a_low = to_vector(tile_a[half][k / 4u][k % 4u][rows]);
  let b_low = to_vector(tile_b[half][k / 4u][k % 4u][cols]);
  (*sums).s00 = fma(Vector(a_low.x), b_low, (*sums).s00);
  (*sums).s10 = fma(Vector(a_low.y), b_low, (*sums).s10);
  (*sums).s20 = fma(Vector(a_low.z), b_low, (*sums).s20);
  (*sums).s30 = fma(Vector(a_low.w), b_low, (*sums).s30);
  var b_high: Vector;
  if (BROAD) {
    b_high = to_vector(tile_b[half][k / 4u][k % 4u][cols + WIDE]);
    (*sums).s01 = fma(Vector(a_low.x), b_high, (*sums).s01);
    (*sums).s11 = fma(Vector(a_low.y), b_high, (*sums).s11);
    (*sums).s21 = fma(Vector(a_low.z), b_high, (*sums).s21);
    (*sums).s31 = fma(Vector(a_low.w), b_high, (*sums).s31);
  }
  if (TALL) {
    let a_high = to_vector(tile_a[half][k / 4u][k % 4u][rows + HIGH]);
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

@compute @workgroup_size(HIGH * WIDE)
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
  let rows = 4u * (cell / (WIDE / 8u)) + q0 / 8u % 4u;
  let cols = 8u * (cell % (WIDE / 8u)) + q0 % 8u;
  // For a slice an invocation loads 8 ROWS4 / (HIGH WIDE) vectors of a, 1 or 2, and 8 COLS4 / (HIGH WIDE) of b.
  let q1 = q0 + HIGH * WIDE;
  let r0 = row_of(place, first_row + line_of(q0, ROWS4, !A_T));
  let r1 = row_of(place, first_row + line_of(q1, ROWS4, !A_T));

  var sums: TileSums;
  var s = place.first;
  var k = 0u;
  var half = 0u;
  var end = select(0u, segment_length(s), s < place.end);
  var base = b_base(place, s);
  var g0 = segment_of(place, r0, s);
  var g1 = segment_of(place, r1, s);
  // Turn i fetches slice i and sums slice i - 1; past the last segment, of which end is 0, it fetches zeros.
  for (var first = true; ; first = false) {
    let more = s < place.end;
    let a0 = fetch_a(g0, q0, k, end);
    var a1: vec4f;
    if (A_TWICE) { a1 = fetch_a(g1, q1, k, end); }
    let b0 = fetch_b(base, s, q0, first_col, k, end);
    var b1: vec4f;
    if (B_TWICE) { b1 = fetch_b(base, s, q1, first_col, k, end); }
    k += DEPTH;
    if (more && k >= end) {
      k = 0u;
      s++;
      end = 0u;
      if (s < place.end) {
        end = segment_length(s);
        base = b_base(place, s);
        g0 = segment_of(place, r0, s);
        if (A_TWICE) { g1 = segment_of(place, r1, s); }
      }
    }
    if (!first) { add_slice(&sums, half, rows, cols); }
    if (!more) { break; }
    half = 1u - half;
    put_a(half, q0, a0);
    if (A_TWICE) { put_a(half, q1, a1); }
    put_b(half, q0, b0);
    if (B_TWICE) { put_b(half, q1, b1); }
    workgroupBarrier();
  }
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
