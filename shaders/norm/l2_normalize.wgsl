// Rows of unit length: y = x / max(|x|, eps), and the gradient
// grad_x = (grad_y - y (y . grad_y)) / |x| where |x| > eps, grad_y / eps elsewhere.
// Where squares could leave f32, x is scaled by a power of two first, which rounds nothing.
// V is vec4f when features is a multiple of 4 and f32 otherwise; columns = features / lanes of V.
//
//   0  params  uniform  { rows, columns, eps }
//   1  x       read     [rows, columns]
//   2  y       write    [rows, columns]
//   3  grad_y  read     [rows, columns]
//   4  grad_x  write    [rows, columns]
//
// at_least: lib/length.wgsl. Constants: LANES and ROWS, LANES * ROWS <= 256 (lib/rows.wgsl).
// Dispatch: ceil(rows / ROWS) groups, folded into y past 65,535.
struct Params { rows: u32, columns: u32, eps: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<V>;
@group(0) @binding(2) var<storage, read_write> y: array<V>;
@group(0) @binding(3) var<storage, read> grad_y: array<V>;
@group(0) @binding(4) var<storage, read_write> grad_x: array<V>;

// A power of two that brings `top` near 1 where it is far from it; else 1, also where it is infinite.
fn scale_for(top: f32) -> f32 {
  let exponent = bitcast<u32>(top) >> 23u; // of 0 to 255, biased by 127
  let far = exponent < 87u || (exponent > 167u && exponent < 255u);
  return select(1.0, bitcast<f32>(clamp(254u - min(exponent, 254u), 1u, 253u) << 23u), far);
}

// The largest magnitude of a row.
fn top_of(base: u32, end: u32, lane: vec3u) -> f32 {
  var top = 0.0;
  for (var k = lane.x; k < end; k += LANES) { top = max(top, largest(abs(x[base + k]))); }
  return max_row(top, lane);
}

@compute @workgroup_size(LANES, ROWS)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let row = flat_id(group, groups, lane.y, ROWS);
  let end = select(0u, params.columns, row < params.rows);
  let base = row * params.columns;
  let unit = scale_for(top_of(base, end, lane));
  var squares = 0.0;
  for (var k = lane.x; k < end; k += LANES) {
    let value = x[base + k] * unit;
    squares += total(value * value);
  }
  let scale = 1.0 / at_least(sqrt(sum_row(squares, lane)), params.eps * unit);
  for (var k = lane.x; k < end; k += LANES) {
    y[base + k] = x[base + k] * unit * scale;
  }
}

@compute @workgroup_size(LANES, ROWS)
fn backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let row = flat_id(group, groups, lane.y, ROWS);
  let end = select(0u, params.columns, row < params.rows);
  let base = row * params.columns;
  let unit = scale_for(top_of(base, end, lane));
  var squares = 0.0;
  var dots = 0.0;
  for (var k = lane.x; k < end; k += LANES) {
    let value = x[base + k] * unit;
    squares += total(value * value);
    dots += total(value * grad_y[base + k]);
  }
  let length = sqrt(sum_row(squares, lane));
  let dot_all = sum_row(dots, lane);
  let eps = params.eps * unit;
  let scale = 1.0 / at_least(length, eps);
  let slope = select(0.0, dot_all * scale * scale, length > eps);
  for (var k = lane.x; k < end; k += LANES) {
    grad_x[base + k] = unit * scale * (grad_y[base + k] - x[base + k] * unit * slope);
  }
}
