// Gradient of a convolution's weight:
// grad_w[ky, kx, i, j] = sum over n, oy, ox of x[n, oy s + ky d - p, ox s + kx d - p, i] grad_y[n, oy, ox, j].
//
//   a  x       [n, h, w, in]                 a row is a tap and a channel, a segment a line of grad_y, k a pixel of it
//   b  grad_y  [n, out_h, out_w, out]
//   c  grad_w  [kernel_h, kernel_w, in / groups, out]
const A_T = true;
const B_T = false;

struct Place { a: u32, b: u32, c: u32, c_col: u32, rows: u32, first: u32, end: u32 }

fn place_of(z: u32) -> Place {
  let split = z % params.splits;
  let g = z / params.splits;
  return Place(
    g * params.group_a4,
    g * params.group_b4,
    split * params.split4,
    g * params.group_c4,
    params.rows,
    split * params.segments / params.splits,
    (split + 1u) * params.segments / params.splits,
  );
}

fn c_row(place: Place, row: u32) -> u32 { return row; }

// Offset of the tap in the image, and the vector of channels; it stands for 4 rows.
struct Row { y: i32, x: i32, channel: u32 }

fn row_of(place: Place, row: u32) -> Row {
  let vector = min(row, params.rows - 1u) / 4u;
  let tap = vector / params.in4;
  let ky = i32(tap) / params.kernel_w;
  let kx = i32(tap) - ky * params.kernel_w;
  return Row(
    ky * params.dilation_h - params.padding_h,
    kx * params.dilation_w - params.padding_w,
    vector - tap * params.in4,
  );
}

fn segment_of(place: Place, row: Row, s: u32) -> Segment {
  let image = i32(s) / params.out_h;
  let oy = i32(s) - image * params.out_h;
  let y = oy * params.stride_h + row.y;
  let inside = y >= 0 && y < params.h;
  let line = u32((image * params.h + y) * params.w) * params.a4;
  return Segment(select(0u, line, inside) + place.a + row.channel, inside, row.x);
}

// x of 4 channels at pixel k of the line.
fn load_a(segment: Segment, k: u32) -> vec4f {
  let x = i32(k) * params.stride_w + segment.x;
  let inside = segment.inside && x >= 0 && x < params.w && k < params.depth;
  return select(vec4f(), a[segment.base + select(0u, u32(x), inside) * params.a4], inside);
}

fn b_base(place: Place, s: u32) -> u32 { return place.b + s * params.depth * params.ldb4; }
