// Weighted sums of differences: out[i, f] = sum_j w[i, j] (x[i, f] - y[j, f]), the gradient of whatever depends on the
// distances of rows. The sums run over y[j] - origin, where origin is a row of x nearby, so that near rows lose no digits:
// out[i] = (sum_j w[i, j]) (x[i] - origin) - sum_j w[i, j] (y[j] - origin).
//
//   0  params  uniform  { rows, cols, features, width, row_stride, col_stride }   features in vectors of four
//   1  w       read     w[i, j] at row_stride i + col_stride j
//   2  x       read     [rows, 4 * features]
//   3  y       read     [cols, 4 * features]
//   4  out     write    [rows, width], 4 * features - 4 < width <= 4 * features
//
// Entry points and dispatch: lib/row_sums.wgsl.
struct Params { rows: u32, cols: u32, features: u32, width: u32, row_stride: u32, col_stride: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
@group(0) @binding(3) var<storage, read> y: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

// The vector of x in the first row of the tile.
var<private> origin: vec4f;

fn column(f: u32) -> u32 { return min(f, params.features - 1u); }

fn start(i: u32, f: u32) { origin = x[i * params.features + column(f)]; }

fn terms() -> u32 { return params.cols; }

fn across() -> bool { return params.col_stride == 1u; }

fn weight(i: u32, j: u32) -> f32 {
  return w[min(i, params.rows - 1u) * params.row_stride + j * params.col_stride];
}

fn vector(j: u32, f: u32) -> vec4f { return y[j * params.features + column(f)] - origin; }

fn write_vector(i: u32, f: u32, total: f32, sum: vec4f) {
  if (i >= params.rows || f >= params.features) { return; }
  let value = total * (x[i * params.features + f] - origin) - sum;
  for (var k = 0u; k < min(4u, params.width - 4u * f); k++) { out[i * params.width + 4u * f + k] = value[k]; }
}
