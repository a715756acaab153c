// Joined with a product that leaves no moments, after lib/moments.wgsl.
const MOMENTS = false;

fn put_rows(place: Place, row: u32, col: u32, s0: vec4f, s1: vec4f, s2: vec4f, s3: vec4f) -> Moments {
  store(place, row, col, s0);
  store(place, row + 1u, col, s1);
  store(place, row + 2u, col, s2);
  store(place, row + 3u, col, s3);
  return Moments();
}

fn put_moments(place: Place, block: u32, col: u32, all: Moments) {}
