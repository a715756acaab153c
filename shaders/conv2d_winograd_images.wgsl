// Winograd's transforms of images, joined after conv2d_winograd: an invocation has one tile and one vector of channels.
// patches: x an image, y its transform; from_products: x the 36 products, y the image.

// Where a tile is: its image, the pixel of its corner (without the offset), and its vector of channels.
struct Tile { image: i32, y: i32, x: i32, channel: u32 }

fn tile_at(tile: u32, channel: u32) -> Tile {
  let line = tile / params.tiles_w;
  let image = line / params.tiles_h;
  return Tile(
    i32(params.first_image + image),
    i32(4u * (line - image * params.tiles_h)),
    i32(4u * (tile - line * params.tiles_w)),
    channel,
  );
}

fn tile_of(i: u32) -> Tile {
  let tile = i / params.c4;
  return tile_at(tile, i - tile * params.c4);
}

fn pixel(tile: Tile, py: i32, px: i32) -> vec4f {
  let inside = py >= 0 && py < params.h && px >= 0 && px < params.w;
  let i = u32((tile.image * params.h + py) * params.w + px) * params.c4 + tile.channel;
  return select(vec4f(), vec4f(x[select(0u, i, inside)]), inside);
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

// Bt d B
fn put_patch(tile: Tile, at: u32) {
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

// Every patch of an image.
@compute @workgroup_size(64)
fn patches(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.size) { return; }
  put_patch(tile_of(i), transform_at(i));
}

fn put_pixel(tile: Tile, py: i32, px: i32, value: vec4f) {
  if (py >= params.h || px >= params.w) { return; }
  var sum = value;
  if (BIAS) { sum += bias[tile.channel]; }
  y[u32((tile.image * params.h + py) * params.w + px) * params.c4 + tile.channel] = Y(sum);
}

fn put_row(tile: Tile, i: i32, row: Four) {
  put_pixel(tile, tile.y + i, tile.x, row.a);
  put_pixel(tile, tile.y + i, tile.x + 1, row.b);
  put_pixel(tile, tile.y + i, tile.x + 2, row.c);
  put_pixel(tile, tile.y + i, tile.x + 3, row.d);
}

// At m A (+ bias): the tile whose 36 products start at `at`, column by column.
struct Columns { a: Four, b: Four, c: Four, d: Four }

fn columns_of(at: u32) -> Columns {
  let r0 = tile_line(take_six(at, 0u));
  let r1 = tile_line(take_six(at, 1u));
  let r2 = tile_line(take_six(at, 2u));
  let r3 = tile_line(take_six(at, 3u));
  let r4 = tile_line(take_six(at, 4u));
  let r5 = tile_line(take_six(at, 5u));
  return Columns(
    tile_line(Six(r0.a, r1.a, r2.a, r3.a, r4.a, r5.a)),
    tile_line(Six(r0.b, r1.b, r2.b, r3.b, r4.b, r5.b)),
    tile_line(Six(r0.c, r1.c, r2.c, r3.c, r4.c, r5.c)),
    tile_line(Six(r0.d, r1.d, r2.d, r3.d, r4.d, r5.d)),
  );
}

fn put_tile(tile: Tile, m: Columns) {
  put_row(tile, 0, Four(m.a.a, m.b.a, m.c.a, m.d.a));
  put_row(tile, 1, Four(m.a.b, m.b.b, m.c.b, m.d.b));
  put_row(tile, 2, Four(m.a.c, m.b.c, m.c.c, m.d.c));
  put_row(tile, 3, Four(m.a.d, m.b.d, m.c.d, m.d.d));
}

// Into every tile of an image.
@compute @workgroup_size(64)
fn from_products(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.size) { return; }
  put_tile(tile_of(i), columns_of(transform_at(i)));
}
