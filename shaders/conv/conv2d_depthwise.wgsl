// Convolution of each channel by itself: y[n, oy, ox, c] = sum of x[n, iy, ix, c] weight[ky, kx, c] (+ bias[c]) over the taps, with
// i = (o * stride + k * dilation - padding) / spread where that is whole and inside of x. The gradient of x is one too: FLIP turns
// the window, and spread is what the stride was. An invocation makes a strip of 4 px; where windows of neighbours lie one px
// apart (SLIDES), each px of x is read once for all of them.
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

override SLIDES: bool;
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
  let step = params.stride_w;
  var s0 = V(0.0);
  if (BIAS) { s0 = bias[column]; }
  var s1 = s0;
  var s2 = s0;
  var s3 = s0;
  for (var ky = 0; ky < params.kernel_h; ky++) {
    let place = top + ky * params.dilation_h;
    let iy = place / params.spread_h;
    if (place < 0 || place % params.spread_h != 0 || iy >= params.h) { continue; }
    let row = (i32(line / params.out_h) * params.h + iy) * params.w;
    let taps = select(ky, params.kernel_h - 1 - ky, FLIP) * params.kernel_w;
    var x0 = V(0.0);
    var x1 = V(0.0);
    var x2 = V(0.0);
    var x3 = V(0.0);
    if (SLIDES) {
      x1 = pixel(row, left, column);
      x2 = pixel(row, left + 1, column);
      x3 = pixel(row, left + 2, column);
    }
    for (var kx = 0; kx < params.kernel_w; kx++) {
      if (SLIDES) {
        x0 = x1;
        x1 = x2;
        x2 = x3;
        x3 = pixel(row, left + kx + 3, column);
      } else {
        let start = left + kx * params.dilation_w;
        x0 = pixel(row, start, column);
        x1 = pixel(row, start + step, column);
        x2 = pixel(row, start + 2 * step, column);
        x3 = pixel(row, start + 3 * step, column);
      }
      let tap = taps + select(kx, params.kernel_w - 1 - kx, FLIP);
      let factor = V(weight[u32(tap) * params.columns + column]);
      s0 += x0 * factor;
      s1 += x1 * factor;
      s2 += x2 * factor;
      s3 += x3 * factor;
    }
  }
  store(line, ox, column, s0);
  store(line, ox + 1u, column, s1);
  store(line, ox + 2u, column, s2);
  store(line, ox + 3u, column, s3);
}
