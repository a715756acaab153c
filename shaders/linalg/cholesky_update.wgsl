// What a panel of 32 columns leaves for the columns past it in its group: w[i, j] += sum_k l[i, panel + k] l[j, panel + k]
// for the rows from `first` and the columns first <= j < until, on and below the diagonal.
//
//   0  params   uniform     { size, panel, first, until, vectors }   vectors: of four, in a row of the panel
//   1  l        read        [size, size]
//   2  w        read/write  [size, size]
//
// Entry points and dispatch: lib/row_pairs.wgsl with size - first rows and until - first columns.
struct Params { size: u32, panel: u32, first: u32, until: u32, vectors: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> l: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> w: array<vec4f>;

fn row_vectors() -> u32 { return params.vectors; }

fn left_start(i: u32) -> u32 {
  return (min(params.first + i, params.size - 1u) * params.size + params.panel) / 4u;
}

fn right_start(j: u32) -> u32 { return left_start(j); }

fn left(at: u32) -> vec4f { return l[at]; }

fn right(at: u32) -> vec4f { return l[at]; }

fn plus(sum: vec4f, a: vec4f, b0: vec4f, b1: vec4f, b2: vec4f, b3: vec4f) -> vec4f {
  return sum + a.x * b0 + a.y * b1 + a.z * b2 + a.w * b3;
}

fn skipped(i: u32, j: u32, rows: u32, cols: u32) -> bool { return j >= i + rows; }

const ADJACENT = true;

fn write_pairs(i: u32, j: vec4u, value: vec4f) {
  let row = params.first + i;
  let col = params.first + j.x;
  if (j.x > i || row >= params.size || col >= params.until) { return; }
  w[(row * params.size + col) / 4u] += select(vec4f(), value, j <= vec4u(i));
}
