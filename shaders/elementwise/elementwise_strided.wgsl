// The Params of elementwise.wgsl where an operand is strided, and where it is read; N1 … N3 are the types of the numbers.
//
// Constants: RANK, number of axes of the strided operands, 1 to 8.
override RANK: u32 = 1u;

struct Params {
  size: u32,
  inner: u32,
  a: N1,
  b: N2,
  c: N3,
  unused0: u32,
  unused1: u32,
  unused2: u32,
  sizes: array<vec4u, 2>,
  strides: array<vec4u, 6>, // two an operand
}

fn offset_of(i: u32, operand: u32) -> u32 {
  var rest = i;
  var offset = 0u;
  for (var d = RANK - 1u; d > 0u; d--) {
    let size = params.sizes[d / 4u][d % 4u];
    offset += (rest % size) * params.strides[2u * operand + d / 4u][d % 4u];
    rest /= size;
  }
  offset += rest * params.strides[2u * operand][0];
  return offset;
}
