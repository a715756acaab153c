// Blocked solve of t x = b for a lower triangular t of n rows, read from a with strides, so that a lower, an upper and a
// transposed a are all served: t[i, k] = a[base + row i + col k], and row i of b and x is row (flip - i) when flip > 0.
// Rows are padded to `size`, a multiple of the block, with those of the identity.
//
// The work is w = -b. For each block of 32 rows: x = -inverse w (triangular_solve_apply.wgsl), then w += t x for the rows
// below it and before `until`, the end of its group (triangular_solve_update.wgsl). Before a group starts, a matrix
// product adds all that was solved before.
//
//   0  params    uniform  { n, base, row, col, flip, first, until, vectors }   vectors: of four, in a row of b
//   1  a         read     [n, n] or with longer rows
//   2  inverses  write    [size / 32, 32, 32]       (read in apply)
//   3  w         read     [size, 4 * vectors]       (read/write in update)
//   4  x         write    [size, 4 * vectors]       (read in update)
//
// invert: inverts all diagonal blocks. Dispatch: size / 32.
@group(0) @binding(2) var<storage, read_write> inverses: array<f32>;

@compute @workgroup_size(32)
fn invert(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) i: u32) {
  let first = group.x * 32u;
  let count = min(32u, params.n * 32u);
  for (var k = 0u; k < count; k++) {
    var value = select(0.0, 1.0, i == k);
    if (k <= i && max(place(first + i), place(first + k)) < params.n) { value = triangle(first + i, first + k); }
    block[block_at(i, k)] = value;
  }
  workgroupBarrier();
  invert_column(i, count);
  workgroupBarrier();
  for (var k = 0u; k < count; k++) { inverses[group.x * 1024u + i * 32u + k] = inverse_block[block_at(i, k)]; }
}
