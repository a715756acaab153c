// Joined with a product that normalises images as it reads them, and applies ReLU: relu(x * scale + shift) per channel.
//
//   7  norm  read  [channels / 4, 2]   of four channels the scales, weight / deviation, and the shifts, bias - mean * scale
struct ChannelNorm { scale: vec4f, shift: vec4f }
@group(0) @binding(7) var<storage, read> norm: array<ChannelNorm>;

fn as_read(channel: u32, x: vec4f) -> vec4f {
  let value = fma(x, norm[channel].scale, norm[channel].shift);
  // NaN passes: from 0x80000000 to 0xff800000 are the bits of what is negative, and no NaN.
  return select(value, vec4f(), bitcast<vec4u>(value) - vec4u(0x80000000u) <= vec4u(0x7f800000u));
}
