// Moments of some rows per channel: how many, their mean, and the sum of squared deviations from it. Every sum is one of
// differences from a value of the rows, so that a large mean cancels nothing. V is joined in front: some channels.
struct Moments { count: f32, mean: V, squares: V }

// Of the first `count` of four rows.
fn moments_of(count: u32, s0: V, s1: V, s2: V, s3: V) -> Moments {
  let d1 = select(V(), s1 - s0, count > 1u);
  let d2 = select(V(), s2 - s0, count > 2u);
  let d3 = select(V(), s3 - s0, count > 3u);
  let n = f32(min(count, 4u));
  let shift = (d1 + d2 + d3) / max(n, 1.0);
  let e1 = select(V(), d1 - shift, count > 1u);
  let e2 = select(V(), d2 - shift, count > 2u);
  let e3 = select(V(), d3 - shift, count > 3u);
  return Moments(n, s0 + shift, shift * shift + e1 * e1 + e2 * e2 + e3 * e3);
}

// Of the rows of both; where b has none, a.
fn joined(a: Moments, b: Moments) -> Moments {
  if (b.count == 0.0) { return a; }
  let count = a.count + b.count;
  let share = b.count / count;
  let d = b.mean - a.mean;
  return Moments(count, a.mean + share * d, a.squares + b.squares + a.count * share * d * d);
}

// How many of four rows from `row` there are.
fn rows_left(rows: u32, row: u32) -> u32 { return min(max(rows, row) - row, 4u); }
