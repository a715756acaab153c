// Squared distances of rows, and what `finish(d2: f32) -> f32` of the op makes of them:
// gram[i, j] = finish(sum_f (x[i, f] - y[j, f])^2), by differences, so that near rows lose no digits.
//
//   0  params  uniform  { rows, cols, features, symmetric, gamma }    features in vectors of four
//   1  x       read     [rows, 4 * features]
//   2  y       read     [cols, 4 * features]    (the same buffer as x when symmetric)
//   3  gram    write    [rows, cols]
//
// symmetric = 1: y is x, so tiles below the diagonal are skipped and written by their mirror image.
// Entry points and dispatch: lib/row_pairs.wgsl.
struct Params { rows: u32, cols: u32, features: u32, symmetric: u32, gamma: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> y: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> gram: array<f32>;

fn row_vectors() -> u32 { return params.features; }

fn left_start(i: u32) -> u32 { return min(i, params.rows - 1u) * params.features; }

fn right_start(j: u32) -> u32 { return min(j, params.cols - 1u) * params.features; }

fn left(at: u32) -> vec4f { return x[at]; }

fn right(at: u32) -> vec4f { return y[at]; }

fn plus(sum: vec4f, a: vec4f, b0: vec4f, b1: vec4f, b2: vec4f, b3: vec4f) -> vec4f {
  let d0 = a.x - b0;
  let d1 = a.y - b1;
  let d2 = a.z - b2;
  let d3 = a.w - b3;
  return sum + d0 * d0 + d1 * d1 + d2 * d2 + d3 * d3;
}

fn skipped(i: u32, j: u32, rows: u32, cols: u32) -> bool {
  return params.symmetric == 1u && j + cols - 1u < i;
}

const ADJACENT = false;

fn write_pair(i: u32, j: u32, d2: f32) {
  if (i >= params.rows || j >= params.cols) { return; }
  let value = finish(d2);
  gram[i * params.cols + j] = value;
  if (params.symmetric == 1u) { gram[j * params.cols + i] = value; }
}

fn write_pairs(i: u32, j: vec4u, d2: vec4f) {
  write_pair(i, j.x, d2.x);
  write_pair(i, j.y, d2.y);
  write_pair(i, j.z, d2.z);
  write_pair(i, j.w, d2.w);
}
