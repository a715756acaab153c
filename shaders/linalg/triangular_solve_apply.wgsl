// A block of the solution: x[first + i] = -sum_k inverse[i, k] w[first + k]; see triangular_solve.wgsl.
// Entry points and dispatch: lib/row_sums.wgsl with 32 rows.
@group(0) @binding(2) var<storage, read> inverses: array<f32>;
@group(0) @binding(3) var<storage, read> w: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> x: array<vec4f>;

fn start(i: u32, f: u32) {}

fn terms() -> u32 { return min(32u, params.until - params.first); }

fn across() -> bool { return true; }

fn weight(i: u32, k: u32) -> f32 { return inverses[params.first * 32u + i * 32u + k]; }

fn vector(k: u32, f: u32) -> vec4f { return w[row_start(params.first + k) + column(f)]; }

fn write_vector(i: u32, f: u32, total: f32, sum: vec4f) {
  if (i >= 32u || f >= params.vectors) { return; }
  x[row_start(params.first + i) + f] = -sum;
}
