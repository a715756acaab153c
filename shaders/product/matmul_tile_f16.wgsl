// Sums of matmul_tile.wgsl in two precisions: the 8 products of a slice are summed in f16, of which GPUs multiply and add two at
// once, and every slice is added to sums in f32. For mixed precision, where that is asked for.
//
// With u = 2^-11, the error of a sum of n products is at most about (8 + 2) u sum |a b|, for f16's part, and n / 8 2^-24 sum |a b|
// for f32's; the 2 is for rounding a and b, where they are not f16 already. What is below 2^-14 has an absolute error of 2^-25 a
// product instead; a slice beyond 65,504 is infinite.
//
// Workgroup memory: 128 (ROWS4 + COLS4 + 1) + 16 HIGH COLS4 bytes.
alias Number = f16;

struct SliceSums {
  s00: Vector, s01: Vector,
  s10: Vector, s11: Vector,
  s20: Vector, s21: Vector,
  s30: Vector, s31: Vector,
  s40: Vector, s41: Vector,
  s50: Vector, s51: Vector,
  s60: Vector, s61: Vector,
  s70: Vector, s71: Vector,
}

fn add_slice(sums: ptr<function, TileSums>, half: u32, rows: u32, cols: u32) {
  var slice: SliceSums;
  add_ks(&slice, half, rows, cols);
  (*sums).s00 += vec4f(slice.s00);
  (*sums).s10 += vec4f(slice.s10);
  (*sums).s20 += vec4f(slice.s20);
  (*sums).s30 += vec4f(slice.s30);
  if (BROAD) {
    (*sums).s01 += vec4f(slice.s01);
    (*sums).s11 += vec4f(slice.s11);
    (*sums).s21 += vec4f(slice.s21);
    (*sums).s31 += vec4f(slice.s31);
  }
  if (TALL) {
    (*sums).s40 += vec4f(slice.s40);
    (*sums).s50 += vec4f(slice.s50);
    (*sums).s60 += vec4f(slice.s60);
    (*sums).s70 += vec4f(slice.s70);
    if (BROAD) {
      (*sums).s41 += vec4f(slice.s41);
      (*sums).s51 += vec4f(slice.s51);
      (*sums).s61 += vec4f(slice.s61);
      (*sums).s71 += vec4f(slice.s71);
    }
  }
}

// Vectors that invocations leave to each other; in f32, so that the slices' memory is of no use.
var<workgroup> vectors_left: array<array<vec4f, COLS4>, HIGH>;

fn leave(y: u32, column: u32, value: vec4f) { vectors_left[y][column] = value; }

fn left_at(y: u32, column: u32) -> vec4f { return vectors_left[y][column]; }
