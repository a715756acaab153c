// Two of Winograd's transforms in one dispatch, joined after conv2d_winograd_images: the factors of the products.
// patches_and_windows: of an image and of the weight; patches_and_tiles: of an image and of a gradient of the output.
//
//   5  weight  read   [9, in, other_channels]                   (patches_and_windows)
//      grad    read   [n, grad_h, grad_w, other_channels]       (patches_and_tiles)
//   6  other   write  its transform, as y, of other_channels and other_pitch
//
// Dispatch: Device.groups(_, 64) of size + other_size invocations, size = tiles * channels, other_size = in *
// other_channels (patches_and_windows); of size = tiles * max(channels, other_channels) (patches_and_tiles).
@group(0) @binding(5) var<storage, read> weight: array<W>;
@group(0) @binding(5) var<storage, read> grad: array<X>;
@group(0) @binding(6) var<storage, read_write> other: array<O>;

// Tap of the window of an input channel and a vector of output channels, turned by 180 degrees if asked.
fn tap(i: u32, t: u32) -> V {
  return V(weight[select(t, 8u - t, params.turn != 0u) * params.other_size + i]);
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
  let channel = w / params.other_channels;
  put_window(w, channel * params.other_pitch + w - channel * params.other_channels);
}

fn grad_pixel(tile: Tile, py: i32, px: i32) -> V {
  let inside = py < params.grad_h && px < params.grad_w;
  let i = u32((tile.image * params.grad_h + py) * params.grad_w + px) * params.other_channels + tile.channel;
  return select(V(), V(grad[select(0u, i, inside)]), inside);
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
  let widest = max(params.channels, params.other_channels);
  let t = i / widest;
  let channel = i - t * widest;
  let tile = tile_at(t, channel);
  // In this order RDNA 2 takes 80 registers, in the other 128.
  if (channel < params.other_channels) { put_tile_adjoint(tile, t * params.other_pitch + channel); }
  if (channel < params.channels) { put_patch(tile, t * params.pitch + channel); }
}
