// The larger of a length and the shortest one that is divided by; NaN where the length is, which max() may drop.
fn at_least(length: f32, shortest: f32) -> f32 {
  return select(max(length, shortest), length, (bitcast<u32>(length) & 0x7fffffffu) > 0x7f800000u);
}
