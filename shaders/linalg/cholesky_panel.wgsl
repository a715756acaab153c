// Rows below a factored diagonal block: l[i, first + j] = -sum_k w[i, first + k] inverse[j, k].
//
//   0  params   uniform     { size, first, vectors }   vectors: of four, in a row of the panel: 8
//   1  w        read        [size, size]
//   2  inverse  read        [32, 32]
//   3  l        write       [size, size]
//
// Entry points and dispatch: lib/row_pairs.wgsl with 32 columns.
struct Params { size: u32, first: u32, vectors: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> w: array<vec4f>;
@group(0) @binding(2) var<storage, read> inverse: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> l: array<vec4f>;

fn row_vectors() -> u32 { return params.vectors; }

fn left_start(i: u32) -> u32 {
  return (min(params.first + 32u + i, params.size - 1u) * params.size + params.first) / 4u;
}

fn right_start(j: u32) -> u32 { return j * 8u; }

fn left(at: u32) -> vec4f { return w[at]; }

fn right(at: u32) -> vec4f { return inverse[at]; }

fn plus(sum: vec4f, a: vec4f, b0: vec4f, b1: vec4f, b2: vec4f, b3: vec4f) -> vec4f {
  return sum + a.x * b0 + a.y * b1 + a.z * b2 + a.w * b3;
}

fn skipped(i: u32, j: u32, rows: u32, cols: u32) -> bool { return false; }

const ADJACENT = true;

fn write_pairs(i: u32, j: vec4u, value: vec4f) {
  let row = params.first + 32u + i;
  if (row >= params.size || j.x >= 32u) { return; }
  l[(row * params.size + params.first + j.x) / 4u] = -value;
}
