// What the steps of triangular_solve.wgsl share; its header describes the bindings.
struct Params { n: u32, base: i32, row: i32, col: i32, flip: u32, first: u32, until: u32, vectors: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;

// Where row i of the triangle is in b and x.
fn place(i: u32) -> u32 { return select(i, params.flip - i, params.flip > 0u); }

// t[i, k], or 0 outside of the matrix.
fn triangle(i: u32, k: u32) -> f32 {
  let inside = place(i) < params.n && place(k) < params.n;
  let index = u32(params.base + params.row * i32(i) + params.col * i32(k));
  return select(0.0, a[select(0u, index, inside)], inside);
}

// Where row i of b and x starts.
fn row_start(i: u32) -> u32 { return place(i) * params.vectors; }

fn column(f: u32) -> u32 { return min(f, params.vectors - 1u); }
