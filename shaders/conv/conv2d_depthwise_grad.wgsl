// Gradient of the weight of a convolution of each channel by itself, summed over each block of runs of pixels:
// partial[block, ky, kx, c] = sum of x[n, iy, ix, c] grad_y[n, oy, ox, c], i = o * stride + k * dilation - padding inside of x. A run is a
// line of grad_y, or `length` px of one. An invocation has 4 neighbouring taps (lib/strip.wgsl).
//
//   0  params  uniform  sizes below; columns = channels / lanes of V
//   1  x       read     [n, h, w, columns]
//   2  grad_y  read     [n, out_h, out_w, columns]
//   3  partial write    [blocks, kernel_h, kernel_w, columns]
//
// V is vec4f when channels is a multiple of 4 and f32 otherwise; X and G are what x and grad_y hold, as V.
// Dispatch: Device.groups(size, 64), size = blocks * kernel_h * fours * columns, fours = ceil(kernel_w / 4).
struct Params {
  size: u32, columns: u32, fours: u32, runs: u32, block: u32, length: u32, parts: u32, out_h: u32, out_w: u32, h: i32, w: i32,
  kernel_h: u32, kernel_w: u32, stride_h: i32, stride_w: i32, dilation_h: i32, dilation_w: i32, padding_h: i32, padding_w: i32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read> grad_y: array<G>;
@group(0) @binding(3) var<storage, read_write> partial: array<V>;

// x at a place of the row that begins at row; 0 outside.
fn pixel(row: i32, ix: i32, column: u32) -> V {
  if (ix < 0 || ix >= params.w) { return V(0.0); }
  return V(x[u32(row + ix) * params.columns + column]);
}

fn store(taps: u32, kx: u32, column: u32, sum: V) {
  if (kx >= params.kernel_w) { return; }
  partial[(taps * params.kernel_w + kx) * params.columns + column] = sum;
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
  let kx = i / params.columns % params.fours * 4u;
  let taps = i / params.columns / params.fours; // block * kernel_h + ky
  let first = taps / params.kernel_h * params.block;
  let down = i32(taps % params.kernel_h) * params.dilation_h - params.padding_h;
  let right = i32(kx) * params.dilation_w - params.padding_w;
  var sums = Strip();
  for (var run = first; run < min(first + params.block, params.runs); run++) {
    let line = run / params.parts;
    let iy = i32(line % params.out_h) * params.stride_h + down;
    if (iy < 0 || iy >= params.h) { continue; }
    let row = (i32(line / params.out_h) * params.h + iy) * params.w;
    let start = run % params.parts * params.length;
    let left = i32(start) * params.stride_w + right;
    var strip = strip_before(row, left, column);
    for (var ox = start; ox < min(start + params.length, params.out_w); ox++) {
      strip = strip_at(strip, row, i32(ox) * params.stride_w + right, params.dilation_w, column);
      let factor = V(grad_y[(line * params.out_w + ox) * params.columns + column]);
      sums = strip_sum(sums, strip, factor);
    }
  }
  store(taps, kx, column, sums.x0);
  store(taps, kx + 1u, column, sums.x1);
  store(taps, kx + 2u, column, sums.x2);
  store(taps, kx + 3u, column, sums.x3);
}
