// Joined with a product that normalises images as it reads them, and applies ReLU: relu(x * scale + shift) per channel; V, U
// and WIDTH (src/tensor/half.ts) say of how many channels at a time.
//
//   7  norm  read  [channels / 4, 2, 4]   of four channels the scales, weight / deviation, and the shifts, bias - mean * scale
const PARTS = 4u / WIDTH;
struct FourNorms { scale: array<V, PARTS>, shift: array<V, PARTS> }
@group(0) @binding(7) var<storage, read> norm: array<FourNorms>;

fn as_read(channel: u32, x: V) -> V {
  let four = channel / PARTS;
  let part = channel % PARTS;
  let value = fma(x, norm[four].scale[part], norm[four].shift[part]);
  // NaN passes: from 0x80000000 to 0xff800000 are the bits of what is negative, and no NaN.
  return select(value, V(), bitcast<U>(value) - U(0x80000000u) <= U(0x7f800000u));
}
