// Operands of a matrix product, batched: c[z][i, j] = sum_k a[z][i, k] b[z][k, j] (+ bias[j]).
// Joined with a form that holds `main`: matmul_subgroup, matmul_rows (CPU adapters) or matmul_tile (GPUs), and with
// lib/moments and one of lib/moments_store, lib/moments_none, or with lib/gradient_sums; with one of lib/read_plain,
// lib/read_normalized, which reads a; and with lib/b_storage or lib/b_texture, which declares and reads b.
// matmul_rows.wgsl says what operands owe to a form.
//
// The aliases A4, B4 and C4 of what a, b and c hold, vec4f or vec4<f16>, are joined in front (src/tensor/half.ts); sums are f32.
//
// The last axis of every matrix is padded to a multiple of 4, so all is read as vectors; lda4, ldb4 and ldc4 count them from row to row.
// k is cut into segments of `depth`; a workgroup sums a range of segments, and with splits > 1 each split leaves a
// partial c for matmul_reduce.
//
//   0  params  uniform     { rows, cols4, inner, lda4, ldb4, ldc4, depth, segments, splits, split4 (vectors of one c with
//                            all its batches), batch1, batch2 (sizes of the two inner batch axes), a0..a2, b0..b2, c_step
//                            (batch strides in vectors, 0 where it broadcasts), first_z }
//   1  a       read        [batch, rows, inner], or [batch, inner, rows] with A_T
//   2  b       read        [batch, inner, cols], or [batch, cols, inner] with B_T
//   3  c       read/write  [splits, batch, rows, cols]
//   4  bias    read        [cols]; with GATE, 4 numbers; any other array without both
//
// Constants: A_T, B_T, as above; K_TAIL, inner is no multiple of 4; BIAS, add it; ACCUMULATE, add to what c holds. For
// triangular matrices FROM_ROW, only k >= i counts; FROM_COL, k >= j; TO_ROW, k <= i; TO_COL, k <= j; LOWER, only c[i, j]
// with j <= i is wanted. GATE, nothing is done where the first number of bias is not 0.
// Dispatch: blocks of the body folded into x and y (Device.groups), batch * splits in z.
struct Params {
  rows: u32, cols4: u32, inner: u32, lda4: u32, ldb4: u32, ldc4: u32, depth: u32, segments: u32, splits: u32, split4: u32,
  batch1: u32, batch2: u32, a0: u32, a1: u32, a2: u32, b0: u32, b1: u32, b2: u32, c_step: u32, first_z: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<A4>;
@group(0) @binding(3) var<storage, read_write> c: array<C4>;
@group(0) @binding(4) var<storage, read> bias: array<vec4f>;

override A_T: bool = false;
override B_T: bool = false;
override K_TAIL: bool = false;
override BIAS: bool = false;
override ACCUMULATE: bool = false;
override FROM_ROW: bool = false;
override FROM_COL: bool = false;
override TO_ROW: bool = false;
override TO_COL: bool = false;
override LOWER: bool = false;
override GATE: bool = false;

// What a workgroup works on: where its matrices start, and its segments.
struct MatrixPlace { a: u32, b: u32, c: u32, first: u32, end: u32 }
alias Place = MatrixPlace;

fn place_of(z: u32) -> Place {
  let whole_z = params.first_z + z;
  let split = whole_z % params.splits;
  let batch = whole_z / params.splits;
  let i2 = batch % params.batch2;
  let i1 = batch / params.batch2 % params.batch1;
  let i0 = batch / params.batch2 / params.batch1;
  return Place(
    i0 * params.a0 + i1 * params.a1 + i2 * params.a2,
    i0 * params.b0 + i1 * params.b1 + i2 * params.b2,
    split * params.split4 + batch * params.c_step,
    split * params.segments / params.splits,
    (split + 1u) * params.segments / params.splits,
  );
}

fn is_left_out() -> bool { return GATE && bias[0].x != 0.0; }

// The segments that count for a block of rows and vectors of columns, each from the first one to before the last.
fn narrowed(place: Place, rows: vec2u, cols: vec2u) -> Place {
  var part = place;
  if (FROM_ROW) { part.first = max(part.first, rows.x / params.depth); }
  if (FROM_COL) { part.first = max(part.first, 4u * cols.x / params.depth); }
  if (TO_ROW) { part.end = min(part.end, (rows.y + params.depth - 1u) / params.depth); }
  if (TO_COL) { part.end = min(part.end, (4u * cols.y + params.depth - 1u) / params.depth); }
  if (LOWER && 4u * cols.x >= rows.y) { part.end = part.first; }
  return part;
}

fn segment_length(s: u32) -> u32 { return min(params.depth, params.inner - s * params.depth); }

// What is fixed for a row of a, or with A_T for 4 rows from it: where it starts, before which k, and how 4 channels are read.
struct MatrixRow { base: u32, k: u32, reading: Reading }
alias Row = MatrixRow;

fn row_of(place: Place, row: u32) -> Row {
  let vector = min(row, params.rows - 1u) / 4u;
  if (A_T) { return Row(place.a + vector, 0u, reading_of(vector)); }
  return Row(place.a + min(row, params.rows - 1u) * params.lda4, 0u, Reading());
}

fn row_from(row: Row, k: u32) -> Row { return Row(row.base + a_step(k), k, row.reading); }

// Vectors from a of one k to a of k more.
fn a_step(k: u32) -> u32 { return select(k / 4u, k * params.lda4, A_T); }

// Its first k.
struct MatrixSegment { k: u32 }
alias Segment = MatrixSegment;

fn segment_of(place: Place, row: Row, s: u32) -> Segment { return Segment(s * params.depth); }

// a[row, k..k+3] of the segment, or with A_T a[row..row+3, k].
fn load_a(row: Row, segment: Segment, k: u32) -> vec4f {
  let at = segment.k + k;
  if (!A_T) { return read_by(reading_of((at + row.k) / 4u), vec4f(a[a_step(at) + row.base]), true); }
  if (!K_TAIL) { return read_by(row.reading, vec4f(a[a_step(at) + row.base]), true); }
  let inside = at + row.k < params.inner;
  return read_by(row.reading, vec4f(a[a_step(select(segment.k, at, inside)) + row.base]), inside);
}

// Vectors before b[k = 0 of the segment, j = 0].
fn b_base(place: Place, s: u32) -> u32 {
  let k = s * params.depth;
  return place.b + select(k * params.ldb4, k / 4u, B_T);
}

// b[k, 4 col..4 col+3], k counted in the segment; not for B_T.
fn load_b(base: u32, s: u32, k: u32, col: u32) -> vec4f {
  if (!K_TAIL) { return b_at(base + k * params.ldb4 + col); }
  let inside = s * params.depth + k < params.inner;
  return select(vec4f(), b_at(base + select(0u, k, inside) * params.ldb4 + col), inside);
}

// b[k..k+3, j], k counted in the segment; for B_T.
fn load_b_t(base: u32, k: u32, j: u32) -> vec4f { return b_at(base + j * params.ldb4 + k / 4u); }

fn rows_of_c(place: Place) -> u32 { return params.rows; }
fn columns_of_c() -> u32 { return params.cols4; }
fn column_of_c(place: Place, col: u32) -> u32 { return col; }

fn c_at(place: Place, row: u32, col: u32) -> u32 { return place.c + row * params.ldc4 + col; }

fn store(place: Place, row: u32, col: u32, sum: vec4f) {
  if (row >= params.rows || col >= params.cols4) { return; }
  let i = c_at(place, row, col);
  var value = sum;
  if (BIAS) { value += bias[col]; }
  if (ACCUMULATE) { value += vec4f(c[i]); }
  c[i] = C4(value);
}
