// Convolution of images with few channels, such as a network's first: as conv2d_forward with 4 channels a group, but k runs
// through taps and channels. So segments are long, and a slice of 8 k is full where a tap has half of it.
//
//   a  x  [n, h, w, groups * 4]              a row is a pixel of y, k a tap and a channel of it
//   b  w  [kernel_h, kernel_w, 4, out]
//   c  y  [n, out_h, out_w, out]
//
// Joined after conv2d_pixels.

// Where a of the first tap is, which may lie before the image, and how far it is to the next tap down and across.
struct TapsSegment { row: Row, base: i32, down: i32, across: i32, k: u32, per_tap: f32 }
alias Segment = TapsSegment;

fn segment_of(place: Place, row: Row, s: u32) -> Segment {
  let a4 = i32(params.a4);
  return Segment(
    row,
    i32(place.a) + ((row.image * params.h + row.y) * params.w + row.x) * a4,
    params.dilation_h * params.w * a4,
    params.dilation_w * a4,
    s * params.depth,
    1.0 / f32(params.kernel_w),
  );
}

// i / divisor rounded down, by 1 / divisor. Exact for i < 2^20, and much cheaper than a division of integers.
fn quotient(i: u32, reciprocal: f32) -> u32 { return u32((f32(i) + 0.5) * reciprocal); }

fn load_a(segment: Segment, k: u32) -> vec4f {
  let tap = (segment.k + k) / 4u;
  let line = quotient(tap, segment.per_tap);
  let ky = i32(line);
  let kx = i32(tap - line * u32(params.kernel_w));
  let y = segment.row.y + ky * params.dilation_h;
  let x = segment.row.x + kx * params.dilation_w;
  let inside = u32(y) < u32(params.h) && u32(x) < u32(params.w); // what is negative is large without its sign
  let i = u32(segment.base + ky * segment.down + kx * segment.across);
  return select(vec4f(), vec4f(a[select(0u, i, inside)]), inside);
}

fn b_base(place: Place, s: u32) -> u32 { return place.b + s * params.depth * params.ldb4; }
