// Rows of a slice as (first, end, every params.step-th): blocks of params.block rows, each shared by params.step slices,
// so that the invocations of a workgroup read one stretch of memory.
fn rows_of(slice: u32) -> vec2u {
  let start = (slice / params.step) * params.block;
  return vec2u(start + slice % params.step, min(start + params.block, params.rows));
}
