// Squared distances of rows, and what `finish(d2: f32) -> f32` of the op makes of them:
// gram[i, j] = finish(sum_f (x[i, f] - y[j, f])^2), by differences, so that near rows lose no digits.
//
//   0  params  uniform  { rows, cols, features, symmetric, gamma }    features in vectors of four
//   1  x       read     [rows, 4 * features]
//   2  y       read     [cols, 4 * features]    (the same buffer as x when symmetric)
//   3  gram    write    [rows, cols]
//
// symmetric = 1: y is x, so tiles below the diagonal are skipped and written by their mirror image.
//
// lanes: no workgroup memory, for CPU adapters. An invocation owns 8 rows, whose addresses are uniform, and 4 columns.
//   Dispatch: ceil(cols / 32) x ceil(rows / 8).
// tiles: workgroup memory, for GPUs. A workgroup of EDGE x EDGE owns 4 EDGE x 4 EDGE elements, an invocation 4 x 4.
//   Dispatch: ceil(cols / (4 EDGE)) x ceil(rows / (4 EDGE)). Constant: EDGE, 8 or 16.
struct Params { rows: u32, cols: u32, features: u32, symmetric: u32, gamma: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> y: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> gram: array<f32>;

override EDGE: u32 = 8u;

fn squares(a: vec4f, b0: vec4f, b1: vec4f, b2: vec4f, b3: vec4f) -> vec4f {
  let d0 = a - b0;
  let d1 = a - b1;
  let d2 = a - b2;
  let d3 = a - b3;
  return vec4f(dot(d0, d0), dot(d1, d1), dot(d2, d2), dot(d3, d3));
}

fn write_element(i: u32, j: u32, d2: f32) {
  if (i >= params.rows || j >= params.cols) { return; }
  let value = finish(d2);
  gram[i * params.cols + j] = value;
  if (params.symmetric == 1u) { gram[j * params.cols + i] = value; }
}

fn write_row(i: u32, j: u32, stride: u32, d2: vec4f) {
  write_element(i, j, d2.x);
  write_element(i, j + stride, d2.y);
  write_element(i, j + 2u * stride, d2.z);
  write_element(i, j + 3u * stride, d2.w);
}

fn x_start(i: u32) -> u32 { return min(i, params.rows - 1u) * params.features; }

fn y_start(j: u32) -> u32 { return min(j, params.cols - 1u) * params.features; }

@compute @workgroup_size(8)
fn lanes(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = group.y * 8u;
  if (params.symmetric == 1u && group.x * 32u + 31u < i) { return; }
  let j = group.x * 32u + local;
  let r0 = x_start(i);
  let r1 = x_start(i + 1u);
  let r2 = x_start(i + 2u);
  let r3 = x_start(i + 3u);
  let r4 = x_start(i + 4u);
  let r5 = x_start(i + 5u);
  let r6 = x_start(i + 6u);
  let r7 = x_start(i + 7u);
  let c0 = y_start(j);
  let c1 = y_start(j + 8u);
  let c2 = y_start(j + 16u);
  let c3 = y_start(j + 24u);
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  var sum4 = vec4f();
  var sum5 = vec4f();
  var sum6 = vec4f();
  var sum7 = vec4f();
  for (var f = 0u; f < params.features; f++) {
    let b0 = y[c0 + f];
    let b1 = y[c1 + f];
    let b2 = y[c2 + f];
    let b3 = y[c3 + f];
    sum0 += squares(x[r0 + f], b0, b1, b2, b3);
    sum1 += squares(x[r1 + f], b0, b1, b2, b3);
    sum2 += squares(x[r2 + f], b0, b1, b2, b3);
    sum3 += squares(x[r3 + f], b0, b1, b2, b3);
    sum4 += squares(x[r4 + f], b0, b1, b2, b3);
    sum5 += squares(x[r5 + f], b0, b1, b2, b3);
    sum6 += squares(x[r6 + f], b0, b1, b2, b3);
    sum7 += squares(x[r7 + f], b0, b1, b2, b3);
  }
  write_row(i, j, 8u, sum0);
  write_row(i + 1u, j, 8u, sum1);
  write_row(i + 2u, j, 8u, sum2);
  write_row(i + 3u, j, 8u, sum3);
  write_row(i + 4u, j, 8u, sum4);
  write_row(i + 5u, j, 8u, sum5);
  write_row(i + 6u, j, 8u, sum6);
  write_row(i + 7u, j, 8u, sum7);
}

// 4 EDGE rows of 4 vectors each, at a pitch of 5 so that neighbours lie in different banks.
var<workgroup> x_tile: array<vec4f, 20u * EDGE>;
var<workgroup> y_tile: array<vec4f, 20u * EDGE>;

@compute @workgroup_size(EDGE, EDGE)
fn tiles(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let size = 4u * EDGE;
  let i0 = group.y * size;
  let j0 = group.x * size;
  if (params.symmetric == 1u && j0 < i0) { return; }
  let thread = local.y * EDGE + local.x;
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  for (var start = 0u; start < params.features; start += 4u) {
    workgroupBarrier();
    for (var k = thread; k < 16u * EDGE; k += EDGE * EDGE) {
      let row = k >> 2u;
      let f = start + (k & 3u);
      let inside = f < params.features;
      x_tile[row * 5u + (k & 3u)] = select(vec4f(), x[x_start(i0 + row) + f], inside);
      y_tile[row * 5u + (k & 3u)] = select(vec4f(), y[y_start(j0 + row) + f], inside);
    }
    workgroupBarrier();
    for (var f = 0u; f < 4u; f++) {
      let b0 = y_tile[local.x * 5u + f];
      let b1 = y_tile[(local.x + EDGE) * 5u + f];
      let b2 = y_tile[(local.x + 2u * EDGE) * 5u + f];
      let b3 = y_tile[(local.x + 3u * EDGE) * 5u + f];
      sum0 += squares(x_tile[local.y * 5u + f], b0, b1, b2, b3);
      sum1 += squares(x_tile[(local.y + EDGE) * 5u + f], b0, b1, b2, b3);
      sum2 += squares(x_tile[(local.y + 2u * EDGE) * 5u + f], b0, b1, b2, b3);
      sum3 += squares(x_tile[(local.y + 3u * EDGE) * 5u + f], b0, b1, b2, b3);
    }
  }
  write_row(i0 + local.y, j0 + local.x, EDGE, sum0);
  write_row(i0 + local.y + EDGE, j0 + local.x, EDGE, sum1);
  write_row(i0 + local.y + 2u * EDGE, j0 + local.x, EDGE, sum2);
  write_row(i0 + local.y + 3u * EDGE, j0 + local.x, EDGE, sum3);
}
