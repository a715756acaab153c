// Gradient of a convolution's input: grad_x[n, y, x, i] = sum over the taps (ky, kx) and the channels j of y, where a pixel
// (oy, ox) with oy s + ky d - p = y and ox s + kx d - p = x exists, of grad_y[n, oy, ox, j] w[ky, kx, i, j].
//
// With a stride, only some taps reach a pixel: the same ones for all pixels of a phase (y mod s, x mod s). So a workgroup
// works on one phase, and its segments are that phase's taps.
//
//   a  grad_y  [n, out_h, out_w, out]        a row is a pixel of x, of one phase; k a channel of y
//   b  w       [kernel_h, kernel_w, in / groups, out]
//   c  grad_x  [n, h, w, in]
//
// Dispatch: z has (phase, group, split), the split fastest; stride_h * stride_w phases.
const A_T = false;
const B_T = true;

// One axis of a phase: its first pixel, how many pixels, the first tap, taps from one to the next, how many taps, and how far
// grad_y's pixel moves from one to the next.
struct Axis { first: i32, count: i32, tap: i32, step: i32, taps: i32, shift: i32 }

// per_tap is 1 / x.taps.
struct PhasePlace {
  a: u32, b: u32, c: u32, c_col: u32, rows: u32, first: u32, end: u32,
  y: Axis, x: Axis, per_tap: f32,
}
alias Place = PhasePlace;

fn axis_of(phase: i32, size: i32, kernel: i32, stride: i32, padding: i32, dilation: i32) -> Axis {
  var tap = stride;
  var step = stride;
  for (var t = stride - 1; t >= 0; t--) {
    if ((phase + padding - t * dilation) % stride == 0) { tap = t; }
    if (t > 0 && t * dilation % stride == 0) { step = t; }
  }
  let taps = select(0, (kernel - 1 - tap) / step + 1, tap < min(kernel, stride));
  return Axis(phase, max(0, (size - phase + stride - 1) / stride), tap, step, taps, step * dilation / stride);
}

fn place_of(z: u32) -> Place {
  let split = z % params.splits;
  let g = z / params.splits % params.groups;
  let phase = i32(z / params.splits / params.groups);
  let py = phase / params.stride_w;
  let y = axis_of(py, params.h, params.kernel_h, params.stride_h, params.padding_h, params.dilation_h);
  let px = phase - py * params.stride_w;
  let x = axis_of(px, params.w, params.kernel_w, params.stride_w, params.padding_w, params.dilation_w);
  let segments = u32(y.taps * x.taps);
  let images = params.rows / u32(params.h * params.w);
  return Place(
    g * params.group_a4,
    g * params.group_b4,
    split * params.split4,
    g * params.group_c4,
    images * u32(y.count * x.count),
    split * segments / params.splits,
    (split + 1u) * segments / params.splits,
    y,
    x,
    1.0 / f32(max(1, x.taps)),
  );
}

// No block leaves segments out.
fn is_left_out() -> bool { return false; }

fn narrowed(place: Place, rows: vec2u, cols: vec2u) -> Place { return place; }

// Image and pixel of a row of the phase, and grad_y's pixel that the first tap takes to it, and before which four k it starts: the phase's taps reach the pixels
// of the phase, so that the divisions leave no rest.
struct PhaseRow { image: i32, y: i32, x: i32, oy: i32, ox: i32, k4: u32 }
alias Row = PhaseRow;

fn row_of(place: Place, row: u32) -> Row {
  let pixel = i32(min(row, max(place.rows, 1u) - 1u));
  let width = max(place.x.count, 1);
  let height = max(place.y.count, 1);
  let line = pixel / width;
  let image = line / height;
  let y = place.y.first + (line - image * height) * params.stride_h;
  let x = place.x.first + (pixel - line * width) * params.stride_w;
  return Row(
    image,
    y,
    x,
    (y + params.padding_h - place.y.tap * params.dilation_h) / params.stride_h,
    (x + params.padding_w - place.x.tap * params.dilation_w) / params.stride_w,
    0u,
  );
}

fn row_from(row: Row, k: u32) -> Row { return Row(row.image, row.y, row.x, row.oy, row.ox, k / 4u); }

fn c_row(place: Place, row: u32) -> u32 {
  let at = row_of(place, row);
  return u32((at.image * params.h + at.y) * params.w + at.x);
}

// Which of the phase's taps segment s stands for, down and across.
fn tap_of(place: Place, s: u32) -> vec2i {
  let i = i32((f32(s) + 0.5) * place.per_tap); // s / taps rounded down, exact for s < 2^20
  return vec2i(i, i32(s) - i * place.x.taps);
}

// Where a of the segment starts, for one row, and whether it is inside the image.
struct TapSegment { base: u32, inside: bool }
alias Segment = TapSegment;

fn segment_of(place: Place, row: Row, s: u32) -> Segment {
  let tap = tap_of(place, s);
  let oy = row.oy - tap.x * place.y.shift;
  let ox = row.ox - tap.y * place.x.shift;
  let inside = u32(oy) < u32(params.out_h) && u32(ox) < u32(params.out_w); // what is negative is large without its sign
  let pixel = u32((row.image * params.out_h + oy) * params.out_w + ox);
  return Segment(select(0u, pixel * params.a4 + place.a, inside) + row.k4, inside);
}

fn load_a(row: Row, segment: Segment, k: u32) -> vec4f {
  return select(vec4f(), vec4f(a[segment.base + k / 4u]), segment.inside);
}

fn b_base(place: Place, s: u32) -> u32 {
  let tap = tap_of(place, s);
  let ky = place.y.tap + tap.x * place.y.step;
  let kx = place.x.tap + tap.y * place.x.step;
  return place.b + u32(ky * params.kernel_w + kx) * 4u * params.cols4 * params.ldb4;
}
