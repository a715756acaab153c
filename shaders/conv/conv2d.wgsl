// What the three products of a convolution have in common: parameters, bindings, the loads of b and the store of c.
// Images are [n, h, w, channels], weights [kernel_h, kernel_w, in / groups, out]; channels are padded to multiples of 4,
// in each group, and counted in vectors where a name ends in 4.
// Joined with conv2d_forward, conv2d_input_grad or conv2d_weight_grad, which say what a, b and c are, and with a body:
// matmul_subgroup, matmul_rows or matmul_tile; with lib/moments and one of lib/moments_store, lib/moments_none; and with
// lib/b_storage or lib/b_texture, which declares and reads b.
//
// The aliases A4, B4 and C4 of what a, b and c hold, vec4f or vec4<f16>, are joined in front (src/tensor/half.ts); sums are f32.
//
// Like a matrix product, c[i, j] = sum_k a[i, k] b[k, j], with k cut into segments of `depth` (a tap of the window, or
// some pixels); a split of the segments leaves a partial c for matmul_reduce.
//
//   0  params  uniform     { rows, cols4, inner, depth, segments, splits, split4 (vectors of one whole c), groups,
//                            h, w (input), out_h, out_w, kernel_h, kernel_w, stride_h.., padding_h.., dilation_h..,
//                            a4, ldb4, c4 (vectors from one pixel or row to the next), group_a4, group_b4, group_c4
//                            (from one group to the next), in4 (input channels of a group),
//                            per_column, half_column (1 and 1/2 over out_w), per_line, half_line (over out_h) }
//   1  a       read
//   2  b       read
//   3  c       read/write  [splits, ...]
//   4  bias    read        [4 c4], any other array without BIAS
//
// Constants: K_TAIL, inner is no multiple of 4 (weight gradient); BIAS, add it.
// Dispatch: blocks of the body folded into x and y (Device.groups), groups * splits in z, times the phases of
// conv2d_input_grad.
struct Params {
  rows: u32, cols4: u32, inner: u32, depth: u32, segments: u32, splits: u32, split4: u32, groups: u32,
  h: i32, w: i32, out_h: i32, out_w: i32, kernel_h: i32, kernel_w: i32,
  stride_h: i32, stride_w: i32, padding_h: i32, padding_w: i32, dilation_h: i32, dilation_w: i32,
  a4: u32, ldb4: u32, c4: u32, group_a4: u32, group_b4: u32, group_c4: u32, in4: u32,
  per_column: f32, half_column: f32, per_line: f32, half_line: f32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<A4>;
@group(0) @binding(3) var<storage, read_write> c: array<C4>;
@group(0) @binding(4) var<storage, read> bias: array<vec4f>;

override K_TAIL: bool = false;
override BIAS: bool = false;

fn segment_length(s: u32) -> u32 { return min(params.depth, params.inner - s * params.depth); }

// b[k, 4 col..4 col+3], k counted in the segment.
fn load_b(base: u32, s: u32, k: u32, col: u32) -> vec4f {
  if (!K_TAIL) { return b_at(base + k * params.ldb4 + col); }
  let inside = k < segment_length(s);
  return select(vec4f(), b_at(base + select(0u, k, inside) * params.ldb4 + col), inside);
}

// b[k..k+3, j], k counted in the segment, where memory runs along k.
fn load_b_t(base: u32, k: u32, j: u32) -> vec4f { return b_at(base + j * params.ldb4 + k / 4u); }

fn rows_of_c(place: Place) -> u32 { return place.rows; }
fn columns_of_c() -> u32 { return params.c4; }
fn column_of_c(place: Place, col: u32) -> u32 { return place.c_col + col; }

fn store(place: Place, row: u32, col: u32, sum: vec4f) {
  if (row >= place.rows || col >= params.cols4) { return; }
  let column = place.c_col + col;
  var value = sum;
  if (BIAS) { value += bias[column]; }
  c[place.c + c_row(place, row) * params.c4 + column] = C4(value);
}
