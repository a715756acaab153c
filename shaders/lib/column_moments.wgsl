// Moments of a column of `norm` [params.slices, 3, columns]: mean, sum of squared deviations and count of each slice of rows.
struct ColumnMoments { mean: V, squares: V, count: V }

fn joined(a: ColumnMoments, b: ColumnMoments) -> ColumnMoments {
  let count = a.count + b.count;
  let share = b.count / max(count, V(1.0));
  let d = b.mean - a.mean;
  return ColumnMoments(a.mean + d * share, a.squares + b.squares + d * d * a.count * share, count);
}

fn slice_of(slice: u32, column: u32) -> ColumnMoments {
  let base = 3u * slice * params.columns + column;
  return ColumnMoments(norm[base], norm[base + params.columns], norm[base + 2u * params.columns]);
}

// Of the slices from first to end; at least one.
fn joined_slices(column: u32, first: u32, end: u32) -> ColumnMoments {
  var all = slice_of(first, column);
  for (var s = first + 1u; s < end; s++) { all = joined(all, slice_of(s, column)); }
  return all;
}

// Of all rows.
fn moments_of(column: u32) -> ColumnMoments {
  return joined_slices(column, 0u, params.slices);
}

fn inverse_std(all: ColumnMoments) -> V {
  return inverseSqrt(all.squares / all.count + params.eps);
}
