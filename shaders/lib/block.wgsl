// A lower triangular block of 32 x 32 in workgroup memory, and its inverse: one invocation a column. `count` is 32, given
// at run time so that compilers do not unroll the loops, which takes them seconds.
var<workgroup> block: array<f32, 1056>; // [32][32] at a pitch of 33
var<workgroup> inverse_block: array<f32, 1056>;

fn block_at(i: u32, j: u32) -> u32 { return i * 33u + j; }

// Column j of the inverse, by forward substitution; a barrier must come between filling the block and this.
fn invert_column(j: u32, count: u32) {
  for (var i = 0u; i < count; i++) {
    var sum = select(0.0, 1.0, i == j);
    for (var k = j; k < i; k++) { sum -= block[block_at(i, k)] * inverse_block[block_at(k, j)]; }
    inverse_block[block_at(i, j)] = select(sum / block[block_at(i, i)], 0.0, i < j);
  }
}
