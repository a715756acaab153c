// Two of Winograd's transforms in one dispatch, joined after conv2d_winograd_images: the factors of the products.
// patches_and_windows: of an image and of the weight; patches_and_tiles: of an image and of a gradient of the output.
//
//   5  weight  read   [9, in, 4 other_c4]                   (patches_and_windows)
//      grad    read   [n, grad_h, grad_w, 4 other_c4]       (patches_and_tiles)
//   6  other   write  its transform, as y, of other_c4 and other_pitch
//
// Dispatch: Device.groups(_, 64) of size + other_size invocations, size = tiles * c4, other_size = in * other_c4
// (patches_and_windows); of size = tiles * max(c4, other_c4) (patches_and_tiles).
@group(0) @binding(5) var<storage, read> weight: array<W>;
@group(0) @binding(5) var<storage, read> grad: array<X>;
@group(0) @binding(6) var<storage, read_write> other: array<O>;

// Tap of the window of an input channel and a vector of output channels, turned by 180 degrees if asked.
fn tap(i: u32, t: u32) -> vec4f {
  return vec4f(weight[select(t, 8u - t, params.turn != 0u) * params.other_size + i]);
}

// Every patch of an image and every window.
@compute @workgroup_size(64)
fn patches_and_windows(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i < params.size) {
    put_patch(tile_of(i), transform_at(i));
    return;
  }
  let w = i - params.size;
  if (w >= params.other_size) { return; }
  let channel = w / params.other_c4;
  put_window(w, channel * params.other_pitch + w - channel * params.other_c4);
}

fn grad_pixel(tile: Tile, py: i32, px: i32) -> vec4f {
  let inside = py < params.grad_h && px < params.grad_w;
  let i = u32((tile.image * params.grad_h + py) * params.grad_w + px) * params.other_c4 + tile.channel;
  return select(vec4f(), vec4f(grad[select(0u, i, inside)]), inside);
}

// Every patch of an image and every tile of a gradient of the output.
@compute @workgroup_size(64)
fn patches_and_tiles(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.size) { return; }
  let widest = max(params.c4, params.other_c4);
  let t = i / widest;
  let channel = i - t * widest;
  let tile = tile_at(t, channel);
  if (channel < params.c4) { put_patch(tile, t * params.pitch + channel); }
  if (channel < params.other_c4) { put_tile_adjoint(tile, t * params.other_pitch + channel); }
}
