// Convolution of each channel by itself: y[n, oy, ox, c] = sum of x[n, iy, ix, c] weight[ky, kx, c] (+ bias[c]) over the taps, with
// i = (o * stride + k * dilation - padding) / spread where that is whole and inside of x. The gradient of x is one too: FLIP turns
// the window, and spread is what the stride was. An invocation makes a strip of 4 px (lib/strip.wgsl).
//
//   0  params  uniform  sizes below; columns = channels / lanes of V
//   1  x       read     [n, h, w, columns]
//   2  weight  read     [kernel_h, kernel_w, columns]
//   3  bias    read     [columns]                        (BIAS)
//   4  y       write    [n, out_h, out_w, columns]
//
// V is vec4f when channels is a multiple of 4 and f32 otherwise; X, W and Y are what x, weight and y hold, as V.
// Dispatch: Device.groups(size, 64), size = n * out_h * strips * columns, strips = ceil(out_w / 4).
struct Params {
  size: u32, columns: u32, strips: u32, out_h: u32, out_w: u32, h: i32, w: i32, kernel_h: i32, kernel_w: i32,
  stride_h: i32, stride_w: i32, dilation_h: i32, dilation_w: i32, padding_h: i32, padding_w: i32, spread_h: i32, spread_w: i32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read> weight: array<W>;
@group(0) @binding(3) var<storage, read> bias: array<V>;
@group(0) @binding(4) var<storage, read_write> y: array<Y>;

override FLIP: bool;
override BIAS: bool;

// x at a place of the spread row that begins at row; 0 outside and between.
fn pixel(row: i32, place: i32, column: u32) -> V {
  if (place < 0) { return V(0.0); }
  var ix = place;
  if (!SLIDES) {
    if (place % params.spread_w != 0) { return V(0.0); }
    ix = place / params.spread_w;
  }
  if (ix >= params.w) { return V(0.0); }
  return V(x[u32(row + ix) * params.columns + column]);
}

fn store(line: u32, ox: u32, column: u32, sum: V) {
  if (ox >= params.out_w) { return; }
  y[(line * params.out_w + ox) * params.columns + column] = Y(sum);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.size) { return; }
  let column = i % params.columns;
  let strip = i / params.columns;
  let ox = strip % params.strips * 4u;
  let line = strip / params.strips;
  let top = i32(line % params.out_h) * params.stride_h - params.padding_h;
  let left = i32(ox) * params.stride_w - params.padding_w;
  var sum = V(0.0);
  if (BIAS) { sum = bias[column]; }
  var sums = Strip(sum, sum, sum, sum);
  for (var ky = 0; ky < params.kernel_h; ky++) {
    let place = top + ky * params.dilation_h;
    let iy = place / params.spread_h;
    if (place < 0 || place % params.spread_h != 0 || iy >= params.h) { continue; }
    let row = (i32(line / params.out_h) * params.h + iy) * params.w;
    let taps = select(ky, params.kernel_h - 1 - ky, FLIP) * params.kernel_w;
    var strip = strip_before(row, left, column);
    for (var kx = 0; kx < params.kernel_w; kx++) {
      strip = strip_at(strip, row, left + kx * params.dilation_w, params.stride_w, column);
      let tap = taps + select(kx, params.kernel_w - 1 - kx, FLIP);
      let factor = V(weight[u32(tap) * params.columns + column]);
      sums = strip_sum(sums, strip, factor);
    }
  }
  store(line, ox, column, sums.x0);
  store(line, ox + 1u, column, sums.x1);
  store(line, ox + 2u, column, sums.x2);
  store(line, ox + 3u, column, sums.x3);
}
