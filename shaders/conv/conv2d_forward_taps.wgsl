// Convolution of images with few channels, such as a network's first: as conv2d_forward with 4 channels a group, but k runs
// through taps and channels. So segments are long, and a slice of 8 k is full where a tap has half of it.
//
//   a  x  [n, h, w, groups * 4]              a row is a pixel of y, k a tap and a channel of it
//   b  w  [kernel_h, kernel_w, 4, out]
//   c  y  [n, out_h, out_w, out]
//
// Joined after conv2d_pixels.

struct TapsSegment { row: Row, base: u32, k: u32, per_tap: f32 }
alias Segment = TapsSegment;

fn segment_of(place: Place, row: Row, s: u32) -> Segment {
  return Segment(row, place.a, s * params.depth, 1.0 / f32(params.kernel_w));
}

// i / divisor rounded down, by 1 / divisor. Exact for i < 2^20, and much cheaper than a division of integers.
fn quotient(i: u32, reciprocal: f32) -> u32 { return u32((f32(i) + 0.5) * reciprocal); }

fn load_a(segment: Segment, k: u32) -> vec4f {
  let tap = (segment.k + k) / 4u;
  let ky = quotient(tap, segment.per_tap);
  let kx = tap - ky * u32(params.kernel_w);
  let y = segment.row.y + i32(ky) * params.dilation_h;
  let x = segment.row.x + i32(kx) * params.dilation_w;
  let inside = u32(y) < u32(params.h) && u32(x) < u32(params.w); // what is negative is large without its sign
  let pixel = u32((segment.row.image * params.h + y) * params.w + x);
  let i = segment.base + pixel * params.a4;
  return select(vec4f(), vec4f(a[select(0u, i, inside)]), inside);
}

fn b_base(place: Place, s: u32) -> u32 { return place.b + s * params.depth * params.ldb4; }
