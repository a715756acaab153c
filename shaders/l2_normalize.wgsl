// Rows of unit length: y = x / max(|x|, eps), and the gradient
// grad_x = (grad_y - y (y . grad_y)) / |x| where |x| > eps, grad_y / eps elsewhere.
// V is vec4f when features is a multiple of 4 and f32 otherwise; columns = features / lanes of V.
//
//   0  params  uniform  { rows, columns, eps }
//   1  x       read     [rows, columns]
//   2  y       write    [rows, columns]
//   3  grad_y  read     [rows, columns]
//   4  grad_x  write    [rows, columns]
//
// Constants: LANES and ROWS, LANES * ROWS <= 256 (lib/rows.wgsl).
// Dispatch: ceil(rows / ROWS) groups, folded into y past 65,535.
struct Params { rows: u32, columns: u32, eps: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<V>;
@group(0) @binding(2) var<storage, read_write> y: array<V>;
@group(0) @binding(3) var<storage, read> grad_y: array<V>;
@group(0) @binding(4) var<storage, read_write> grad_x: array<V>;

@compute @workgroup_size(LANES, ROWS)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let row = flat_id(group, groups, lane.y, ROWS);
  let end = select(0u, params.columns, row < params.rows);
  let base = row * params.columns;
  var squares = 0.0;
  for (var k = lane.x; k < end; k += LANES) {
    let value = x[base + k];
    squares += total(value * value);
  }
  let scale = 1.0 / max(sqrt(sum_row(squares, lane)), params.eps);
  for (var k = lane.x; k < end; k += LANES) {
    y[base + k] = x[base + k] * scale;
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
  var squares = 0.0;
  var dots = 0.0;
  for (var k = lane.x; k < end; k += LANES) {
    let value = x[base + k];
    squares += total(value * value);
    dots += total(value * grad_y[base + k]);
  }
  let length = sqrt(sum_row(squares, lane));
  let dot_all = sum_row(dots, lane);
  let scale = 1.0 / max(length, params.eps);
  let slope = select(0.0, dot_all * scale * scale, length > params.eps);
  for (var k = lane.x; k < end; k += LANES) {
    grad_x[base + k] = scale * (grad_y[base + k] - x[base + k] * slope);
  }
}
