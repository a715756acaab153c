// b of 4 k from one on and one vector of columns, for the forms without workgroup memory: column u of the result is row k + u
// of b. Joined with matmul_rows or matmul_subgroup, after the operands, whose loads it uses.
fn load_columns(base: u32, s: u32, k: u32, col: u32) -> mat4x4f {
  if (B_T) {
    return transpose(mat4x4f(
      load_b_t(base, k, 4u * col),
      load_b_t(base, k, 4u * col + 1u),
      load_b_t(base, k, 4u * col + 2u),
      load_b_t(base, k, 4u * col + 3u),
    ));
  }
  return mat4x4f(
    load_b(base, s, k, col),
    load_b(base, s, k + 1u, col),
    load_b(base, s, k + 2u, col),
    load_b(base, s, k + 3u, col),
  );
}
