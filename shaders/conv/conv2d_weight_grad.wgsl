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

// Offset of the tap in the image, from the middle of a pixel, the vector of channels and how it is read, and before which k it
// starts; it stands for 4 rows.
struct WeightRow { y: f32, x: f32, channel: u32, k: u32, reading: Reading }
alias Row = WeightRow;

fn row_of(place: Place, row: u32) -> Row {
  let vector = min(row, params.rows - 1u) / 4u;
  let tap = vector / params.in4;
  let ky = i32(tap) / params.kernel_w;
  let kx = i32(tap) - ky * params.kernel_w;
  let channel = vector - tap * params.in4;
  return Row(
    f32(ky * params.dilation_h - params.padding_h) + 0.5,
    f32(kx * params.dilation_w - params.padding_w) + 0.5,
    channel,
    0u,
    reading_of(channel),
  );
}

fn row_from(row: Row, k: u32) -> Row { return Row(row.y, row.x, row.channel, k, row.reading); }

// Where x of the first pixel's image is; quotients of its column and its line; its place in the image; and how many pixels.
struct PixelsSegment { base: u32, columns: f32, lines: f32, y: f32, x: f32, end: u32 }
alias Segment = PixelsSegment;

fn segment_of(place: Place, row: Row, s: u32) -> Segment {
  let first_line = i32(s * params.depth) / params.out_w;
  let image = first_line / params.out_h;
  let line = f32(first_line - image * params.out_h);
  let column = f32(i32(s * params.depth) - first_line * params.out_w);
  return Segment(
    u32(image * params.h * params.w) * params.a4 + place.a + row.channel,
    fma(column, params.per_column, params.half_column),
    fma(line, params.per_line, params.half_line),
    fma(line, f32(params.stride_h), row.y),
    fma(column, f32(params.stride_w), row.x),
    segment_length(s),
  );
}

// x of 4 channels at the pixel of the window's tap for pixel k of the segment. Lines and columns are whole numbers in f32,
// whose multiply-adds are exact below 2^24 and cost a GPU a quarter of those of integers; quotients are exact below 2^20.
fn load_a(row: Row, segment: Segment, k: u32) -> vec4f {
  let column = f32(k + row.k);
  let lines = floor(fma(column, params.per_column, segment.columns));
  let images = floor(fma(lines, params.per_line, segment.lines));
  let y = fma(fma(-images, f32(params.out_h), lines), f32(params.stride_h), segment.y);
  let x = fma(fma(-lines, f32(params.out_w), column), f32(params.stride_w), segment.x);
  // The bits of what is negative are large. Half a pixel further, none is zero, which may have a sign.
  let inside = bitcast<u32>(y) < bitcast<u32>(f32(params.h)) && bitcast<u32>(x) < bitcast<u32>(f32(params.w)) &&
    (!K_TAIL || k + row.k < segment.end);
  let pixel = u32(fma(images, f32(params.h), y)) * u32(params.w) + u32(x);
  return read_by(row.reading, vec4f(a[segment.base + pixel * params.a4]), inside);
}

fn b_base(place: Place, s: u32) -> u32 { return place.b + s * params.depth * params.ldb4; }
