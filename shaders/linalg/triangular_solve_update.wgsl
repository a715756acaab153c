// What a block of the solution leaves for the rows below: w[i] += sum_k t[i, first + k] x[first + k] for
// first + 32 <= i < until; see triangular_solve.wgsl.
// Entry points and dispatch: lib/row_sums.wgsl with until - first - 32 rows.
@group(0) @binding(3) var<storage, read_write> w: array<vec4f>;
@group(0) @binding(4) var<storage, read> x: array<vec4f>;

fn start(i: u32, f: u32) {}

fn terms() -> u32 { return min(32u, params.until - params.first); }

fn across() -> bool { return params.col == 1 || params.col == -1; }

fn weight(i: u32, k: u32) -> f32 {
  return triangle(min(params.first + 32u + i, params.until - 1u), params.first + k);
}

fn vector(k: u32, f: u32) -> vec4f { return x[row_start(params.first + k) + column(f)]; }

fn write_vector(i: u32, f: u32, total: f32, sum: vec4f) {
  let row = params.first + 32u + i;
  if (row >= params.until || f >= params.vectors) { return; }
  w[row_start(row) + f] += sum;
}
