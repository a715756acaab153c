// Joined with a product in tiles that makes the gradient of a normalised and then rectified output, in place of lib/moments and
// lib/moments_store: what it stores is g, the gradient where ReLU passes and else 0, and each block of rows leaves the sums of g
// and of g (x - mean) per channel, as norm/batch_norm_grad.wgsl takes them.
//
//   5  found  write  [blocks of rows, 2, channels]   the sums
//   6  y      read   like c                          the output, where a residual hides its sign
//   7  norm   read   [channels / 4, 2]               scales and shifts of x, as in lib/read_normalized.wgsl, where none does
//   8  x      read   like c                          what was normalised
//   9  means  read   [channels], and more            its mean
//
// Joined behind: masked(i, col, sum, input), g of the sum at i, where x is `input`.
const MOMENTS = true;
struct ChannelNorm { scale: vec4f, shift: vec4f }
@group(0) @binding(5) var<storage, read_write> found: array<vec4f>;
@group(0) @binding(6) var<storage, read> y: array<C4>;
@group(0) @binding(7) var<storage, read> norm: array<ChannelNorm>;
@group(0) @binding(8) var<storage, read> x: array<C4>;
@group(0) @binding(9) var<storage, read> means: array<vec4f>;

// Here the sum of g is in `mean`, that of g (x - mean) in `squares`.
struct Moments { count: f32, mean: V, squares: V }

fn joined(a: Moments, b: Moments) -> Moments {
  return Moments(a.count + b.count, a.mean + b.mean, a.squares + b.squares);
}

// How many of four rows from `row` there are.
fn rows_left(rows: u32, row: u32) -> u32 { return min(max(rows, row) - row, 4u); }

// NaN passes, as in norm/batch_norm_grad.wgsl.
fn mask(g: vec4f, value: vec4f) -> vec4f {
  let is_nan = (bitcast<vec4u>(value) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
  return select(vec4f(), g, (value > vec4f()) | is_nan);
}

fn put_rows(place: Place, row: u32, col: u32, s0: vec4f, s1: vec4f, s2: vec4f, s3: vec4f) -> Moments {
  var all = Moments();
  put_row(&all, place, row, col, s0);
  put_row(&all, place, row + 1u, col, s1);
  put_row(&all, place, row + 2u, col, s2);
  put_row(&all, place, row + 3u, col, s3);
  return all;
}

fn put_row(all: ptr<function, Moments>, place: Place, row: u32, col: u32, sum: vec4f) {
  if (row >= rows_of_c(place) || col >= columns_of_c()) { return; }
  let i = c_at(place, row, col);
  let input = vec4f(x[i]);
  let g = masked(i, col, sum, input);
  c[i] = C4(g);
  (*all).count += 1.0;
  (*all).mean += g;
  (*all).squares += g * (input - means[col]);
}

fn put_moments(place: Place, block: u32, col: u32, all: Moments) {
  if (all.count == 0.0 || col >= columns_of_c()) { return; }
  let i = 2u * block * columns_of_c() + col;
  found[i] = all.mean;
  found[i + columns_of_c()] = all.squares;
}
