// What a block of the solution leaves for the rows below: b[i] -= sum_k t[i, first + k] x[first + k] for
// i >= first + 32; see triangular_solve.wgsl.
// Entry points and dispatch: lib/row_sums.wgsl with n - first - 32 rows.
@group(0) @binding(3) var<storage, read_write> b: array<vec4f>;
@group(0) @binding(4) var<storage, read> x: array<vec4f>;

fn start(i: u32, f: u32) {}

fn terms() -> u32 { return min(32u, params.n - params.first); }

fn across() -> bool { return params.col == 1 || params.col == -1; }

fn weight(i: u32, k: u32) -> f32 { return triangle(min(params.first + 32u + i, params.n - 1u), params.first + k); }

fn vector(k: u32, f: u32) -> vec4f { return x[row_start(params.first + k) + column(f)]; }

fn write_vector(i: u32, f: u32, total: f32, sum: vec4f) {
  let row = params.first + 32u + i;
  if (row >= params.n || f >= params.vectors) { return; }
  b[row_start(row) + f] -= sum;
}
