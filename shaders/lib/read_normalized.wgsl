// Joined with a product that normalises images as it reads them, and applies ReLU: relu(x * scale + shift) per channel; V, I, B
// and WIDTH (src/tensor/half.ts) say of how many channels at a time.
//
//   7  norm  read  [channels / 4, 2, 4]   of four channels the scales, weight / deviation, and the shifts, bias - mean * scale
const PARTS = 4u / WIDTH;
struct FourNorms { scale: array<V, PARTS>, shift: array<V, PARTS> }
@group(0) @binding(7) var<storage, read> norm: array<FourNorms>;

// What is fixed for a vector of channels.
struct VectorNorm { scale: V, shift: V }
alias Reading = VectorNorm;

fn reading_of(channel: u32) -> Reading {
  let four = channel / PARTS;
  let part = channel % PARTS;
  return Reading(norm[four].scale[part], norm[four].shift[part]);
}

// Zero where x is not inside.
fn read_by(reading: Reading, x: V, inside: bool) -> V {
  let value = fma(x, reading.scale, reading.shift);
  // NaN passes: as integers, what is negative and no NaN is at most the bits of -infinity.
  return select(value, V(), (bitcast<I>(value) <= I(-0x00800000)) | B(!inside));
}
