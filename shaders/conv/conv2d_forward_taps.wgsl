// Convolution of images with few channels, such as a network's first: as conv2d_forward with 4 channels a group, but k runs
// through taps and channels. So segments are long, and a slice of 8 k is full where a tap has half of it.
//
//   a  x  [n, h, w, groups * 4]              a row is a pixel of y, k a tap and a channel of it
//   b  w  [kernel_h, kernel_w, 4, out]
//   c  y  [n, out_h, out_w, out]
//
// Joined after conv2d_pixels.

// The pixel of the first tap, which may lie before the image, from the middle of a pixel, and where its a is; the first tap of
// the segment; and how far it is to the next tap down and across, in a.
struct TapsSegment { y: f32, x: f32, base: i32, tap: u32, down: i32, across: i32, per_tap: f32 }
alias Segment = TapsSegment;

fn segment_of(place: Place, row: Row, s: u32) -> Segment {
  let a4 = i32(params.a4);
  return Segment(
    f32(row.y) + 0.5,
    f32(row.x) + 0.5,
    i32(place.a) + ((row.image * params.h + row.y) * params.w + row.x) * a4,
    s * params.depth / 4u,
    params.dilation_h * params.w * a4,
    params.dilation_w * a4,
    1.0 / f32(params.kernel_w),
  );
}

// Taps, lines and pixels are whole numbers in f32, whose multiply-adds are exact below 2^24 and cost a GPU a quarter of those of
// integers; pixels lie half a pixel further, so that none is zero.
fn load_a(row: Row, segment: Segment, k: u32) -> vec4f {
  let tap = f32(segment.tap + k / 4u + row.k4);
  let ky = floor(fma(tap, segment.per_tap, 0.5 * segment.per_tap)); // exact for fewer than 2^20 taps
  let kx = fma(-ky, f32(params.kernel_w), tap);
  let y = fma(ky, f32(params.dilation_h), segment.y);
  let x = fma(kx, f32(params.dilation_w), segment.x);
  // The bits of what is negative are large.
  let inside = bitcast<u32>(y) < bitcast<u32>(f32(params.h)) && bitcast<u32>(x) < bitcast<u32>(f32(params.w));
  let i = u32(segment.base + i32(ky) * segment.down + i32(kx) * segment.across);
  return select(vec4f(), vec4f(a[i]), inside);
}

fn b_base(place: Place, s: u32) -> u32 { return place.b + s * params.depth * params.ldb4; }
