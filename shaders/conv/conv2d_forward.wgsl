// Convolution: y[n, oy, ox, j] = sum over ky, kx, i of x[n, oy s + ky d - p, ox s + kx d - p, i] w[ky, kx, i, j].
//
//   a  x  [n, h, w, in]                      a row is a pixel of y, a segment a tap (ky, kx), k a channel
//   b  w  [kernel_h, kernel_w, in / groups, out]
//   c  y  [n, out_h, out_w, out]
//
// Joined after conv2d_pixels and one of lib/read_plain, lib/read_normalized (of one group).

// Where a of the segment starts, for one row, and whether it is inside the image.
struct TapSegment { base: u32, inside: bool }
alias Segment = TapSegment;

fn segment_of(place: Place, row: Row, s: u32) -> Segment {
  let ky = i32(s) / params.kernel_w;
  let kx = i32(s) - ky * params.kernel_w;
  let y = row.y + ky * params.dilation_h;
  let x = row.x + kx * params.dilation_w;
  let inside = y >= 0 && y < params.h && x >= 0 && x < params.w;
  let pixel = u32((row.image * params.h + y) * params.w + x);
  return Segment(select(0u, pixel * params.a4 + place.a, inside) + row.k4, inside);
}

fn load_a(row: Row, segment: Segment, k: u32) -> vec4f {
  return read_by(reading_of(row.k4 + k / 4u), vec4f(a[segment.base + k / 4u]), segment.inside);
}

fn b_base(place: Place, s: u32) -> u32 { return place.b + s * params.depth * params.ldb4; }
