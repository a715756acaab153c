// Transforms of Winograd's convolution F(4x4, 3x3): 36 multiplications give 16 outputs, where the plain sum takes 144.
//
//   y = At [ (G g Gt) * (Bt d B) ] A       value: d a 6x6 patch of x, g the 3x3 window, y a 4x4 tile
//   grad_g = Gt [ (Bt d B) * (A grad_y At) ] G     the exact adjoint with respect to g
//
// and * sums over channels (or over tiles, for grad_g): 36 matrix products, one for each of the 6x6 positions. The gradient
// of x is the value of grad_y with the window turned by 180 degrees. The points of the transform are 0, 1, -1, 1/2, -2 and
// infinity, whose rounding error is half of that of the usual 0, 1, -1, 2, -2.
//
//   0  params  uniform  { size (invocations), h, w (of the image), tiles_h, tiles_w, offset_h, offset_w (of the
//                         patch of tile 0, 0), c4 (vectors of channels), pitch, first_image; tiles, each and first_slice
//                         of conv2d_winograd_moments; grad_… and other_… of conv2d_winograd_factors }
//   1  x       read     image [n, h, w, 4 c4] or windows [9, in, 4 c4], or their transforms: for each tile, or input
//                       channel, 36 rows of c4 vectors, and `pitch` vectors from one tile to the next
//   2  y       write    the other one of these
//   3  bias    read     [4 c4], any other array without BIAS (from_products)
//
// The aliases X and Y of what x and y hold are joined in front (src/tensor/half.ts): vec4f or vec4<f16> for images and windows,
// vec4f for transforms.
//
// Joined with conv2d_winograd_images (and conv2d_winograd_moments or conv2d_winograd_factors) or conv2d_winograd_windows.
// Constants: BIAS, add it (from_products).
// Dispatch: Device.groups(size, 64), size = tiles * c4 for images, in * c4 for windows.
struct Params {
  size: u32, h: i32, w: i32, tiles_h: u32, tiles_w: u32, offset_h: i32, offset_w: i32, c4: u32,
  pitch: u32, first_image: u32, tiles: u32, each: u32, first_slice: u32,
  grad_h: i32, grad_w: i32, other_size: u32, other_c4: u32, other_pitch: u32, turn: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read_write> y: array<Y>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;

override BIAS: bool = false;

struct Three { a: vec4f, b: vec4f, c: vec4f }
struct Four { a: vec4f, b: vec4f, c: vec4f, d: vec4f }
struct Six { a: vec4f, b: vec4f, c: vec4f, d: vec4f, e: vec4f, f: vec4f }

// Bt d
fn patch_line(p: Six) -> Six {
  let u = p.d - p.b;
  let v = p.e - p.c;
  return Six(
    p.a + p.e + 1.5 * u - 2.0 * p.c,
    p.e - p.b + 0.5 * p.c + 2.5 * p.d,
    p.e + p.b - 2.5 * p.c + 0.5 * p.d,
    v + 2.0 * u,
    v - 0.5 * u,
    p.b + p.f + 1.5 * v - 2.0 * p.d,
  );
}

// At m
fn tile_line(m: Six) -> Four {
  let sum = m.b + m.c;
  let difference = m.b - m.c;
  return Four(
    m.a + sum + m.d + m.e,
    difference + 0.5 * m.d - 2.0 * m.e,
    sum + 0.25 * m.d + 4.0 * m.e,
    difference + 0.125 * m.d - 8.0 * m.e + m.f,
  );
}

// A t
fn tile_adjoint(t: Four) -> Six {
  return Six(
    t.a,
    (t.a + t.c) + (t.b + t.d),
    (t.a + t.c) - (t.b + t.d),
    t.a + 0.5 * t.b + 0.25 * t.c + 0.125 * t.d,
    t.a - 2.0 * t.b + 4.0 * t.c - 8.0 * t.d,
    t.d,
  );
}

// G g
fn window_line(g: Three) -> Six {
  return Six(
    g.a,
    (g.a + g.c + g.b) / 3.0,
    (g.b - (g.a + g.c)) / 3.0,
    (g.a + 0.5 * g.b + 0.25 * g.c) * (-16.0 / 15.0),
    (g.a - 2.0 * g.b + 4.0 * g.c) / 15.0,
    g.c,
  );
}

// Gt u
fn window_adjoint(u: Six) -> Three {
  let sum = (u.b + u.c) / 3.0;
  let difference = (u.b - u.c) / 3.0;
  let d = u.d * (16.0 / 15.0);
  let e = u.e / 15.0;
  return Three(u.a + difference - d + e, sum - 0.5 * d - 2.0 * e, difference - 0.25 * d + 4.0 * e + u.f);
}

// Where the transform of invocation i's tile (or input channel) starts, for its vector of channels.
fn transform_at(i: u32) -> u32 {
  let tile = i / params.c4;
  return tile * params.pitch + i - tile * params.c4;
}

// Row i of the 6x6 positions.
fn put_six(at: u32, i: u32, row: Six) {
  let first = at + 6u * i * params.c4;
  y[first] = Y(row.a);
  y[first + params.c4] = Y(row.b);
  y[first + 2u * params.c4] = Y(row.c);
  y[first + 3u * params.c4] = Y(row.d);
  y[first + 4u * params.c4] = Y(row.e);
  y[first + 5u * params.c4] = Y(row.f);
}

fn take_six(at: u32, i: u32) -> Six {
  let first = at + 6u * i * params.c4;
  return Six(
    vec4f(x[first]),
    vec4f(x[first + params.c4]),
    vec4f(x[first + 2u * params.c4]),
    vec4f(x[first + 3u * params.c4]),
    vec4f(x[first + 4u * params.c4]),
    vec4f(x[first + 5u * params.c4]),
  );
}
