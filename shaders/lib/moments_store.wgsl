// Joined with a product, after lib/moments.wgsl: each block of rows leaves its moments per channel.
//
//   5  moments  write  [blocks of rows, 3, channels]   mean, sum of squared deviations, count
const MOMENTS = true;
@group(0) @binding(5) var<storage, read_write> moments: array<vec4f>;

fn put_rows(place: Place, row: u32, col: u32, s0: vec4f, s1: vec4f, s2: vec4f, s3: vec4f) -> Moments {
  store(place, row, col, s0);
  store(place, row + 1u, col, s1);
  store(place, row + 2u, col, s2);
  store(place, row + 3u, col, s3);
  return moments_of(rows_left(rows_of_c(place), row), s0, s1, s2, s3);
}

fn put_moments(place: Place, block: u32, col: u32, all: Moments) {
  if (all.count == 0.0 || col >= params.cols4) { return; }
  let column = column_of_c(place, col);
  let i = 3u * block * columns_of_c() + column;
  var mean = all.mean;
  if (BIAS) { mean += bias[column]; }
  moments[i] = mean;
  moments[i + columns_of_c()] = all.squares;
  moments[i + 2u * columns_of_c()] = vec4f(all.count);
}
