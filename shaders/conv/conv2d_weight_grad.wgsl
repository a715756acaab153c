// Gradient of a convolution's weight:
// grad_w[ky, kx, i, j] = sum over n, oy, ox of x[n, oy s + ky d - p, ox s + kx d - p, i] grad_y[n, oy, ox, j].
//
//   a  x       [n, h, w, in]                 a row is a tap and a channel, a segment some pixels of grad_y, in order
//   b  grad_y  [n, out_h, out_w, out]
//   c  grad_w  [kernel_h, kernel_w, in / groups, out]
//
// Joined after conv2d_place and one of lib/read_plain, lib/read_normalized (of one group).
const A_T = true;
const B_T = false;

// Offset of the tap in the image, and the vector of channels; it stands for 4 rows.
struct WeightRow { y: f32, x: f32, channel: u32 }
alias Row = WeightRow;

fn row_of(place: Place, row: u32) -> Row {
  let vector = min(row, params.rows - 1u) / 4u;
  let tap = vector / params.in4;
  let ky = i32(tap) / params.kernel_w;
  let kx = i32(tap) - ky * params.kernel_w;
  return Row(
    f32(ky * params.dilation_h - params.padding_h),
    f32(kx * params.dilation_w - params.padding_w),
    vector - tap * params.in4,
  );
}

// The image, line and column of the first pixel of a segment, how many pixels it has, and what is fixed of x.
struct PixelsSegment { base: u32, line: f32, column: f32, end: u32, row: Row }
alias Segment = PixelsSegment;

fn segment_of(place: Place, row: Row, s: u32) -> Segment {
  let line = i32(s * params.depth) / params.out_w;
  let image = line / params.out_h;
  return Segment(
    u32(image * params.h * params.w) * params.a4 + place.a + row.channel,
    f32(line - image * params.out_h),
    f32(i32(s * params.depth) - line * params.out_w),
    segment_length(s),
    row,
  );
}

// i / divisor rounded down, by 1 / divisor and 1/2 / divisor. Exact for i < 2^20.
fn quotient(i: f32, reciprocal: f32, half: f32) -> f32 { return floor(fma(i, reciprocal, half)); }

// x of 4 channels at the pixel of the window's tap for pixel k of the segment. Lines and columns are whole numbers in f32,
// whose multiply-adds are exact below 2^24 and cost a GPU a quarter of those of integers.
fn load_a(segment: Segment, k: u32) -> vec4f {
  let column = segment.column + f32(k);
  let lines = quotient(column, params.per_column, params.half_column);
  let line = segment.line + lines;
  let image = quotient(line, params.per_line, params.half_line);
  let y = i32(fma(fma(-image, f32(params.out_h), line), f32(params.stride_h), segment.row.y));
  let x = i32(fma(fma(-lines, f32(params.out_w), column), f32(params.stride_w), segment.row.x));
  // What is negative is large without its sign.
  let inside = u32(y) < u32(params.h) && u32(x) < u32(params.w) && (!K_TAIL || k < segment.end);
  let pixel = u32((i32(image) * params.h + y) * params.w + x);
  let value = vec4f(a[segment.base + select(0u, pixel, inside) * params.a4]);
  return select(vec4f(), as_read(segment.row.channel, value), inside);
}

fn b_base(place: Place, s: u32) -> u32 { return place.b + s * params.depth * params.ldb4; }
