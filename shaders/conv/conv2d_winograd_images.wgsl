// Winograd's transforms of images, joined after conv2d_winograd and one of lib/read_plain, lib/read_normalized: an invocation has one tile and one vector of channels.
// patches: x an image, y its transform; from_products: x the products, y the image.

// Where a tile is: its image, the pixel of its corner (without the offset), and its vector of channels.
struct Tile { image: i32, y: i32, x: i32, channel: u32 }

fn tile_at(tile: u32, channel: u32) -> Tile {
  let line = tile / params.tiles_w;
  let image = line / params.tiles_h;
  return Tile(
    i32(params.first_image + image),
    i32(EDGE * (line - image * params.tiles_h)),
    i32(EDGE * (tile - line * params.tiles_w)),
    channel,
  );
}

fn tile_of(i: u32) -> Tile {
  let tile = i / params.channels;
  return tile_at(tile, i - tile * params.channels);
}

fn pixel(tile: Tile, py: i32, px: i32) -> V {
  let inside = py >= 0 && py < params.h && px >= 0 && px < params.w;
  let i = u32((tile.image * params.h + py) * params.w + px) * params.channels + tile.channel;
  return read_by(reading_of(tile.channel), V(x[select(0u, i, inside)]), inside);
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

fn put_pixel(tile: Tile, py: i32, px: i32, value: V) {
  if (py >= params.h || px >= params.w) { return; }
  var sum = value;
  if (BIAS) { sum += bias[tile.channel]; }
  y[u32((tile.image * params.h + py) * params.w + px) * params.channels + tile.channel] = Y(sum);
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
