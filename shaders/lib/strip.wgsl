// Four values that lie side by side in the output of a depthwise convolution, or taps of its gradient: each meets the same line
// of x, at px `step` apart. Joined with conv2d_depthwise or conv2d_depthwise_grad, which gives
//   pixel(row: i32, place: i32, column: u32) -> V   x at a place of the line that begins at row; 0 outside
//
// SLIDES: the four are one px apart and so are neighbouring positions, so that each px of x is read once for all of them.
override SLIDES: bool;

struct Strip { x0: V, x1: V, x2: V, x3: V }

// Before the first position, which is `left`.
fn strip_before(row: i32, left: i32, column: u32) -> Strip {
  if (!SLIDES) { return Strip(); }
  return Strip(V(0.0), pixel(row, left, column), pixel(row, left + 1, column), pixel(row, left + 2, column));
}

// At a position, from the one before it.
fn strip_at(before: Strip, row: i32, place: i32, step: i32, column: u32) -> Strip {
  if (SLIDES) { return Strip(before.x1, before.x2, before.x3, pixel(row, place + 3, column)); }
  return Strip(
    pixel(row, place, column),
    pixel(row, place + step, column),
    pixel(row, place + 2 * step, column),
    pixel(row, place + 3 * step, column),
  );
}

// Adds `factor` times a strip to four sums.
fn strip_sum(sums: Strip, strip: Strip, factor: V) -> Strip {
  return Strip(
    sums.x0 + strip.x0 * factor,
    sums.x1 + strip.x1 * factor,
    sums.x2 + strip.x2 * factor,
    sums.x3 + strip.x3 * factor,
  );
}
