// Joined with a product, after lib/moments.wgsl: each block of rows leaves its moments per channel.
//
//   5  moments  write  [blocks of rows, 3, channels]   mean, sum of squared deviations, count
const MOMENTS = true;
@group(0) @binding(5) var<storage, read_write> moments: array<vec4f>;

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
