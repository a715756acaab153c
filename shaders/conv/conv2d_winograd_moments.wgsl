// Winograd's output transform that also leaves the moments of the output's pixels per channel, joined after
// conv2d_winograd_images and lib/moments: an invocation has one vector of channels and a slice of params.each tiles.
//
//   4  moments  write  [slices, 3, channels]  mean, sum of squared deviations, count; this chunk's from params.first_slice
//
// Dispatch: Device.groups(size, 64), size = slices of the chunk * channels.
@group(0) @binding(4) var<storage, read_write> moments: array<V>;

@compute @workgroup_size(64)
fn from_products_moments(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.size) { return; }
  let slice = i / params.channels;
  let channel = i - slice * params.channels;
  let end = min((slice + 1u) * params.each, params.tiles);
  var all = Moments();
  for (var t = slice * params.each; t < end; t++) {
    let tile = tile_of(t * params.channels + channel);
    let m = columns_of(t * params.pitch + channel);
    put_tile(tile, m);
    let lines = rows_left(u32(params.h), u32(tile.y));
    let columns = rows_left(u32(params.w), u32(tile.x));
    all = joined(all, tile_moments(lines, columns, m));
  }
  let out = 3u * (params.first_slice + slice) * params.channels + channel;
  var mean = all.mean;
  if (BIAS) { mean += bias[channel]; }
  moments[out] = mean;
  moments[out + params.channels] = all.squares;
  moments[out + 2u * params.channels] = V(all.count);
}
