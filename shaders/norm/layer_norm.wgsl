// Layer normalisation of rows: y = (x - mean) / sqrt(var + eps) * weight + bias, with the (biased) moments of each row.
//
// V is vec4f when features is a multiple of 4 and f32 otherwise; X is what x, y and their gradients hold, as V; columns =
// features / lanes of V.
//
//   0  params  uniform  { rows, columns, features, eps }
//   1  x       read     [rows, columns]
//   2  y       write    [rows, columns]            (grad_x in backward)
//   3  weight  read     [columns]
//   4  bias    read     [columns]                  (forward)
//   5  stats   write    [rows]: mean, 1 / deviation (forward; read in backward)
//   6  grad_y  read     [rows, columns]            (backward)
//
// Constants: LANES and ROWS, LANES * ROWS <= 256 (lib/rows.wgsl).
// Dispatch: ceil(rows / ROWS) groups, folded into y past 65,535.
struct Params { rows: u32, columns: u32, features: f32, eps: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read_write> y: array<X>;
@group(0) @binding(3) var<storage, read> weight: array<V>;
@group(0) @binding(4) var<storage, read> bias: array<V>;
@group(0) @binding(5) var<storage, read_write> stats: array<vec2f>;
@group(0) @binding(6) var<storage, read> grad_y: array<X>;

@compute @workgroup_size(LANES, ROWS)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let row = flat_id(group, groups, lane.y, ROWS);
  let end = select(0u, params.columns, row < params.rows);
  let base = row * params.columns;
  // Sums are of differences from a value of the row: a division that is an ulp off moves the mean of a row far from 0 by no more.
  let near = total(V(x[min(row, params.rows - 1u) * params.columns])) / f32(WIDTH);
  var sum = 0.0;
  for (var k = lane.x; k < end; k += LANES) { sum += total(V(x[base + k]) - near); }
  let mean = near + sum_row(sum, lane) / params.features;
  var squares = 0.0;
  for (var k = lane.x; k < end; k += LANES) {
    let away = V(x[base + k]) - mean;
    squares += total(away * away);
  }
  let scale = 1.0 / sqrt(sum_row(squares, lane) / params.features + params.eps);
  for (var k = lane.x; k < end; k += LANES) {
    y[base + k] = X((V(x[base + k]) - mean) * scale * weight[k] + bias[k]);
  }
  if (lane.x == 0u && row < params.rows) { stats[row] = vec2f(mean, scale); }
}

// grad_x = scale (g - mean(g) - z mean(g z)), g = grad_y weight, z = (x - mean) scale.
@compute @workgroup_size(LANES, ROWS)
fn backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let row = flat_id(group, groups, lane.y, ROWS);
  let end = select(0u, params.columns, row < params.rows);
  let base = row * params.columns;
  let moments = stats[min(row, params.rows - 1u)];
  var sum = 0.0;
  var dots = 0.0;
  for (var k = lane.x; k < end; k += LANES) {
    let g = V(grad_y[base + k]) * weight[k];
    sum += total(g);
    dots += total(g * (V(x[base + k]) - moments.x));
  }
  let shift = sum_row(sum, lane) / params.features;
  let slope = sum_row(dots, lane) * moments.y * moments.y / params.features;
  for (var k = lane.x; k < end; k += LANES) {
    let g = V(grad_y[base + k]) * weight[k];
    y[base + k] = X(moments.y * (g - shift - (V(x[base + k]) - moments.x) * slope));
  }
}
