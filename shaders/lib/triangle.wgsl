// What the steps of triangular_solve.wgsl share; its header describes the bindings.
struct Params { n: u32, base: i32, row: i32, col: i32, flip: u32, first: u32, vectors: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;

fn triangle(i: u32, k: u32) -> f32 { return a[u32(params.base + params.row * i32(i) + params.col * i32(k))]; }

// Where row i of b and x starts.
fn row_start(i: u32) -> u32 { return select(i, params.flip - i, params.flip > 0u) * params.vectors; }

fn column(f: u32) -> u32 { return min(f, params.vectors - 1u); }
