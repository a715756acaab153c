// Images of any sizes one behind the other, one for each position of the batch: offset, height, width.
@group(0) @binding(7) var<storage, read> table: array<u32>;

fn image_of(position: u32, sample: u32) -> Image {
  let at = 3u * position;
  return Image(true, table[at], table[at + 1u], table[at + 2u]);
}
