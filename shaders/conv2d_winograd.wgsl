// Transforms of Winograd's convolution F(4x4, 3x3): 36 multiplications give 16 outputs, where the plain sum takes 144.
//
//   y = At [ (G g Gt) * (Bt d B) ] A       value: d a 6x6 patch of x, g the 3x3 window, y a 4x4 tile
//   grad_g = Gt [ (Bt d B) * (A grad_y At) ] G     the exact adjoint with respect to g
//
// and * sums over channels (or over tiles, for grad_g): 36 matrix products, one for each of the 6x6 positions. The gradient
// of x is the value of grad_y with the window turned by 180 degrees. The points of the transform are 0, 1, -1, 1/2, -2 and
// infinity, whose rounding error is half of that of the usual 0, 1, -1, 2, -2.
//
//   0  params  uniform  { size (invocations), h, w (of the image), tiles_h, tiles_w, tiles (of this chunk of images),
//                         offset_h, offset_w (of the patch of tile 0, 0), c4 (vectors of channels), pitch, first_image,
//                         turn }
//   1  x       read     image [n, h, w, 4 c4] or windows [9, in, 4 c4], or their transforms: for each tile, or input
//                       channel, 36 rows of c4 vectors, and `pitch` vectors from one tile to the next
//   2  y       write    the other one of these
//   3  bias    read     [4 c4], any other array without BIAS (from_products)
//
// Constants: BIAS, add it.
// Dispatch: Device.groups(size, 64), size = tiles * c4 for images, in * c4 for windows.
struct Params {
  size: u32, h: i32, w: i32, tiles_h: u32, tiles_w: u32, tiles: u32, offset_h: i32, offset_w: i32, c4: u32,
  pitch: u32, first_image: u32, turn: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
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

// Where a tile is: its image, the pixel of its corner (without the offset), and its vector of channels.
struct Tile { image: i32, y: i32, x: i32, channel: u32 }

fn tile_of(i: u32) -> Tile {
  let tile = i / params.c4;
  let line = tile / params.tiles_w;
  let image = line / params.tiles_h;
  return Tile(
    i32(params.first_image + image),
    i32(4u * (line - image * params.tiles_h)),
    i32(4u * (tile - line * params.tiles_w)),
    i - tile * params.c4,
  );
}

fn pixel(tile: Tile, py: i32, px: i32) -> vec4f {
  let inside = py >= 0 && py < params.h && px >= 0 && px < params.w;
  let i = u32((tile.image * params.h + py) * params.w + px) * params.c4 + tile.channel;
  return select(vec4f(), x[select(0u, i, inside)], inside);
}

fn patch_column(tile: Tile, j: i32) -> Six {
  let py = tile.y + params.offset_h;
  let px = tile.x + params.offset_w + j;
  return Six(
    pixel(tile, py, px),
    pixel(tile, py + 1, px),
    pixel(tile, py + 2, px),
    pixel(tile, py + 3, px),
    pixel(tile, py + 4, px),
    pixel(tile, py + 5, px),
  );
}

fn tile_column(tile: Tile, j: i32) -> Four {
  let px = tile.x + j;
  return Four(
    pixel(tile, tile.y, px),
    pixel(tile, tile.y + 1, px),
    pixel(tile, tile.y + 2, px),
    pixel(tile, tile.y + 3, px),
  );
}

// Where the transform of invocation i's tile (or input channel) starts, for its vector of channels.
fn transform_at(i: u32) -> u32 {
  let tile = i / params.c4;
  return tile * params.pitch + i - tile * params.c4;
}

// Row i of the 6x6 positions.
fn put_six(at: u32, i: u32, row: Six) {
  let first = at + 6u * i * params.c4;
  y[first] = row.a;
  y[first + params.c4] = row.b;
  y[first + 2u * params.c4] = row.c;
  y[first + 3u * params.c4] = row.d;
  y[first + 4u * params.c4] = row.e;
  y[first + 5u * params.c4] = row.f;
}

fn take_six(at: u32, i: u32) -> Six {
  let first = at + 6u * i * params.c4;
  return Six(
    x[first],
    x[first + params.c4],
    x[first + 2u * params.c4],
    x[first + 3u * params.c4],
    x[first + 4u * params.c4],
    x[first + 5u * params.c4],
  );
}

// Bt d B of every patch of an image.
@compute @workgroup_size(64)
fn patches(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.size) { return; }
  let tile = tile_of(i);
  let at = transform_at(i);
  let c0 = patch_line(patch_column(tile, 0));
  let c1 = patch_line(patch_column(tile, 1));
  let c2 = patch_line(patch_column(tile, 2));
  let c3 = patch_line(patch_column(tile, 3));
  let c4 = patch_line(patch_column(tile, 4));
  let c5 = patch_line(patch_column(tile, 5));
  put_six(at, 0u, patch_line(Six(c0.a, c1.a, c2.a, c3.a, c4.a, c5.a)));
  put_six(at, 1u, patch_line(Six(c0.b, c1.b, c2.b, c3.b, c4.b, c5.b)));
  put_six(at, 2u, patch_line(Six(c0.c, c1.c, c2.c, c3.c, c4.c, c5.c)));
  put_six(at, 3u, patch_line(Six(c0.d, c1.d, c2.d, c3.d, c4.d, c5.d)));
  put_six(at, 4u, patch_line(Six(c0.e, c1.e, c2.e, c3.e, c4.e, c5.e)));
  put_six(at, 5u, patch_line(Six(c0.f, c1.f, c2.f, c3.f, c4.f, c5.f)));
}

// A t At of every tile of a gradient of the output.
@compute @workgroup_size(64)
fn tiles_adjoint(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.size) { return; }
  let tile = tile_of(i);
  let at = transform_at(i);
  let c0 = tile_adjoint(tile_column(tile, 0));
  let c1 = tile_adjoint(tile_column(tile, 1));
  let c2 = tile_adjoint(tile_column(tile, 2));
  let c3 = tile_adjoint(tile_column(tile, 3));
  put_six(at, 0u, tile_adjoint(Four(c0.a, c1.a, c2.a, c3.a)));
  put_six(at, 1u, tile_adjoint(Four(c0.b, c1.b, c2.b, c3.b)));
  put_six(at, 2u, tile_adjoint(Four(c0.c, c1.c, c2.c, c3.c)));
  put_six(at, 3u, tile_adjoint(Four(c0.d, c1.d, c2.d, c3.d)));
  put_six(at, 4u, tile_adjoint(Four(c0.e, c1.e, c2.e, c3.e)));
  put_six(at, 5u, tile_adjoint(Four(c0.f, c1.f, c2.f, c3.f)));
}

fn put_pixel(tile: Tile, py: i32, px: i32, value: vec4f) {
  if (py >= params.h || px >= params.w) { return; }
  var sum = value;
  if (BIAS) { sum += bias[tile.channel]; }
  y[u32((tile.image * params.h + py) * params.w + px) * params.c4 + tile.channel] = sum;
}

fn put_row(tile: Tile, i: i32, row: Four) {
  put_pixel(tile, tile.y + i, tile.x, row.a);
  put_pixel(tile, tile.y + i, tile.x + 1, row.b);
  put_pixel(tile, tile.y + i, tile.x + 2, row.c);
  put_pixel(tile, tile.y + i, tile.x + 3, row.d);
}

// At m A (+ bias) into every tile of an image.
@compute @workgroup_size(64)
fn from_products(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.size) { return; }
  let tile = tile_of(i);
  let at = transform_at(i);
  let r0 = tile_line(take_six(at, 0u));
  let r1 = tile_line(take_six(at, 1u));
  let r2 = tile_line(take_six(at, 2u));
  let r3 = tile_line(take_six(at, 3u));
  let r4 = tile_line(take_six(at, 4u));
  let r5 = tile_line(take_six(at, 5u));
  let c0 = tile_line(Six(r0.a, r1.a, r2.a, r3.a, r4.a, r5.a));
  let c1 = tile_line(Six(r0.b, r1.b, r2.b, r3.b, r4.b, r5.b));
  let c2 = tile_line(Six(r0.c, r1.c, r2.c, r3.c, r4.c, r5.c));
  let c3 = tile_line(Six(r0.d, r1.d, r2.d, r3.d, r4.d, r5.d));
  put_row(tile, 0, Four(c0.a, c1.a, c2.a, c3.a));
  put_row(tile, 1, Four(c0.b, c1.b, c2.b, c3.b));
  put_row(tile, 2, Four(c0.c, c1.c, c2.c, c3.c));
  put_row(tile, 3, Four(c0.d, c1.d, c2.d, c3.d));
}

// Tap of the window, turned by 180 degrees if asked.
fn tap(i: u32, t: u32) -> vec4f { return x[select(t, 8u - t, params.turn != 0u) * params.size + i]; }

// G g Gt of every window.
@compute @workgroup_size(64)
fn windows(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.size) { return; }
  let at = transform_at(i);
  let c0 = window_line(Three(tap(i, 0u), tap(i, 3u), tap(i, 6u)));
  let c1 = window_line(Three(tap(i, 1u), tap(i, 4u), tap(i, 7u)));
  let c2 = window_line(Three(tap(i, 2u), tap(i, 5u), tap(i, 8u)));
  put_six(at, 0u, window_line(Three(c0.a, c1.a, c2.a)));
  put_six(at, 1u, window_line(Three(c0.b, c1.b, c2.b)));
  put_six(at, 2u, window_line(Three(c0.c, c1.c, c2.c)));
  put_six(at, 3u, window_line(Three(c0.d, c1.d, c2.d)));
  put_six(at, 4u, window_line(Three(c0.e, c1.e, c2.e)));
  put_six(at, 5u, window_line(Three(c0.f, c1.f, c2.f)));
}

// Gt u G into the gradient of every window.
@compute @workgroup_size(64)
fn windows_adjoint(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.size) { return; }
  let at = transform_at(i);
  let r0 = window_adjoint(take_six(at, 0u));
  let r1 = window_adjoint(take_six(at, 1u));
  let r2 = window_adjoint(take_six(at, 2u));
  let r3 = window_adjoint(take_six(at, 3u));
  let r4 = window_adjoint(take_six(at, 4u));
  let r5 = window_adjoint(take_six(at, 5u));
  let c0 = window_adjoint(Six(r0.a, r1.a, r2.a, r3.a, r4.a, r5.a));
  let c1 = window_adjoint(Six(r0.b, r1.b, r2.b, r3.b, r4.b, r5.b));
  let c2 = window_adjoint(Six(r0.c, r1.c, r2.c, r3.c, r4.c, r5.c));
  y[i] = c0.a;
  y[params.size + i] = c1.a;
  y[2u * params.size + i] = c2.a;
  y[3u * params.size + i] = c0.b;
  y[4u * params.size + i] = c1.b;
  y[5u * params.size + i] = c2.b;
  y[6u * params.size + i] = c0.c;
  y[7u * params.size + i] = c1.c;
  y[8u * params.size + i] = c2.c;
}
