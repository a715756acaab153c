// Sums of matmul_tile.wgsl in f32.
//
// Workgroup memory: 256 (ROWS4 + COLS4 + 1) bytes.
alias Number = f32;
alias SliceSums = TileSums;

fn add_slice(sums: ptr<function, TileSums>, half: u32, rows: u32, cols: u32) { add_ks(sums, half, rows, cols); }

// Vectors that invocations leave to each other in memory that the slices left.
fn leave(y: u32, column: u32, value: vec4f) {
  tile_b[y / 8u][y / 2u % 4u].at[column / WIDE][y % 2u][column % WIDE] = to_four(value);
}

fn left_at(y: u32, column: u32) -> vec4f {
  return to_vector(tile_b[y / 8u][y / 2u % 4u].at[column / WIDE][y % 2u][column % WIDE]);
}
