// Joined with a product that leaves no moments, after lib/moments.wgsl.
const MOMENTS = false;

fn put_moments(place: Place, block: u32, col: u32, all: Moments) {}
