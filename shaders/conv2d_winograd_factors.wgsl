// Two of Winograd's transforms in one dispatch, joined after conv2d_winograd_images: the factors of the 36 products.
// patches_and_windows: of an image and of the weight; patches_and_tiles: of an image and of a gradient of the output.
//
//   5  weight  read   [9, in, 4 other_c4]                   (patches_and_windows)
//      grad    read   [n, grad_h, grad_w, 4 other_c4]       (patches_and_tiles)
//   6  other   write  its transform, as y, of other_c4 and other_pitch
//
// The alias W of what the weight holds is joined in front.
// Dispatch: Device.groups(_, 64) of size + other_size invocations, size = tiles * c4, other_size = in * other_c4
// (patches_and_windows); of size = tiles * max(c4, other_c4) (patches_and_tiles).
@group(0) @binding(5) var<storage, read> weight: array<W>;
@group(0) @binding(5) var<storage, read> grad: array<X>;
@group(0) @binding(6) var<storage, read_write> other: array<vec4f>;

// Row i of the 6x6 positions.
fn put_other(at: u32, i: u32, row: Six) {
  let first = at + 6u * i * params.other_c4;
  other[first] = row.a;
  other[first + params.other_c4] = row.b;
  other[first + 2u * params.other_c4] = row.c;
  other[first + 3u * params.other_c4] = row.d;
  other[first + 4u * params.other_c4] = row.e;
  other[first + 5u * params.other_c4] = row.f;
}

// Tap of the window of an input channel and a vector of output channels, turned by 180 degrees if asked.
fn tap(i: u32, t: u32) -> vec4f {
  return vec4f(weight[select(t, 8u - t, params.turn != 0u) * params.other_size + i]);
}

// G g Gt
fn put_window(i: u32, at: u32) {
  let c0 = window_line(Three(tap(i, 0u), tap(i, 3u), tap(i, 6u)));
  let c1 = window_line(Three(tap(i, 1u), tap(i, 4u), tap(i, 7u)));
  let c2 = window_line(Three(tap(i, 2u), tap(i, 5u), tap(i, 8u)));
  put_other(at, 0u, window_line(Three(c0.a, c1.a, c2.a)));
  put_other(at, 1u, window_line(Three(c0.b, c1.b, c2.b)));
  put_other(at, 2u, window_line(Three(c0.c, c1.c, c2.c)));
  put_other(at, 3u, window_line(Three(c0.d, c1.d, c2.d)));
  put_other(at, 4u, window_line(Three(c0.e, c1.e, c2.e)));
  put_other(at, 5u, window_line(Three(c0.f, c1.f, c2.f)));
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

fn tile_column(tile: Tile, j: i32) -> Four {
  let px = tile.x + j;
  return Four(
    grad_pixel(tile, tile.y, px),
    grad_pixel(tile, tile.y + 1, px),
    grad_pixel(tile, tile.y + 2, px),
    grad_pixel(tile, tile.y + 3, px),
  );
}

// A t At
fn put_tile_adjoint(tile: Tile, at: u32) {
  let c0 = tile_adjoint(tile_column(tile, 0));
  let c1 = tile_adjoint(tile_column(tile, 1));
  let c2 = tile_adjoint(tile_column(tile, 2));
  let c3 = tile_adjoint(tile_column(tile, 3));
  put_other(at, 0u, tile_adjoint(Four(c0.a, c1.a, c2.a, c3.a)));
  put_other(at, 1u, tile_adjoint(Four(c0.b, c1.b, c2.b, c3.b)));
  put_other(at, 2u, tile_adjoint(Four(c0.c, c1.c, c2.c, c3.c)));
  put_other(at, 3u, tile_adjoint(Four(c0.d, c1.d, c2.d, c3.d)));
  put_other(at, 4u, tile_adjoint(Four(c0.e, c1.e, c2.e, c3.e)));
  put_other(at, 5u, tile_adjoint(Four(c0.f, c1.f, c2.f, c3.f)));
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
