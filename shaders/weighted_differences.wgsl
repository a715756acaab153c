// Weighted sums of differences: out[i, f] = sum_j w[i, j] (x[i, f] - y[j, f]), the gradient of whatever depends on the
// distances of rows. The sums run over y[j] - origin, where origin is a row of x nearby, so that near rows lose no digits:
// out[i] = (sum_j w[i, j]) (x[i] - origin) - sum_j w[i, j] (y[j] - origin).
//
//   0  params  uniform  { rows, cols, features, width, row_stride, col_stride }   features in vectors of four
//   1  w       read     w[i, j] at row_stride i + col_stride j
//   2  x       read     [rows, 4 * features]
//   3  y       read     [cols, 4 * features]
//   4  out     write    [rows, width], 4 * features - 4 < width <= 4 * features
//
// lanes: no workgroup memory, for CPU adapters. An invocation owns 8 rows, whose weights have uniform addresses, and one
//   vector of features. Dispatch: ceil(features / 8) x ceil(rows / 8).
// tiles: workgroup memory, for GPUs. A workgroup of 8 x 16 owns 32 rows x 16 vectors, an invocation 4 rows x 1 vector.
//   Dispatch: ceil(features / 16) x ceil(rows / 32).
struct Params { rows: u32, cols: u32, features: u32, width: u32, row_stride: u32, col_stride: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
@group(0) @binding(3) var<storage, read> y: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

fn write_vector(i: u32, f: u32, total: f32, sum: vec4f, origin: vec4f) {
  if (i >= params.rows || f >= params.features) { return; }
  let value = total * (x[i * params.features + f] - origin) - sum;
  for (var k = 0u; k < min(4u, params.width - 4u * f); k++) { out[i * params.width + 4u * f + k] = value[k]; }
}

fn w_start(i: u32) -> u32 { return min(i, params.rows - 1u) * params.row_stride; }

@compute @workgroup_size(8)
fn lanes(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = group.y * 8u;
  let f = group.x * 8u + local;
  let column = min(f, params.features - 1u);
  let r0 = w_start(i);
  let r1 = w_start(i + 1u);
  let r2 = w_start(i + 2u);
  let r3 = w_start(i + 3u);
  let r4 = w_start(i + 4u);
  let r5 = w_start(i + 5u);
  let r6 = w_start(i + 6u);
  let r7 = w_start(i + 7u);
  let origin = x[i * params.features + column];
  var total0 = vec4f();
  var total4 = vec4f();
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  var sum4 = vec4f();
  var sum5 = vec4f();
  var sum6 = vec4f();
  var sum7 = vec4f();
  for (var j = 0u; j < params.cols; j++) {
    let k = j * params.col_stride;
    let w0 = vec4f(w[r0 + k], w[r1 + k], w[r2 + k], w[r3 + k]);
    let w4 = vec4f(w[r4 + k], w[r5 + k], w[r6 + k], w[r7 + k]);
    let b = y[j * params.features + column] - origin;
    total0 += w0;
    total4 += w4;
    sum0 += w0.x * b;
    sum1 += w0.y * b;
    sum2 += w0.z * b;
    sum3 += w0.w * b;
    sum4 += w4.x * b;
    sum5 += w4.y * b;
    sum6 += w4.z * b;
    sum7 += w4.w * b;
  }
  write_vector(i, f, total0.x, sum0, origin);
  write_vector(i + 1u, f, total0.y, sum1, origin);
  write_vector(i + 2u, f, total0.z, sum2, origin);
  write_vector(i + 3u, f, total0.w, sum3, origin);
  write_vector(i + 4u, f, total4.x, sum4, origin);
  write_vector(i + 5u, f, total4.y, sum5, origin);
  write_vector(i + 6u, f, total4.z, sum6, origin);
  write_vector(i + 7u, f, total4.w, sum7, origin);
}

var<workgroup> w_tile: array<f32, 544>; // [16 columns j][32 rows i] at a pitch of 34
var<workgroup> y_tile: array<vec4f, 256>; // [16 rows j][16 vectors]

@compute @workgroup_size(16, 8)
fn tiles(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let i0 = group.y * 32u;
  let f0 = group.x * 16u;
  let thread = local.y * 16u + local.x;
  let origin = x[i0 * params.features + min(f0 + local.x, params.features - 1u)];
  var total = vec4f();
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  for (var start = 0u; start < params.cols; start += 16u) {
    workgroupBarrier();
    for (var k = thread; k < 512u; k += 128u) {
      // Neighbouring invocations read neighbouring weights, whichever way the matrix lies.
      let j = select(k >> 5u, k & 15u, params.col_stride == 1u);
      let i = select(k & 31u, k >> 4u, params.col_stride == 1u);
      let inside = start + j < params.cols;
      w_tile[j * 34u + i] = select(0.0, w[w_start(i0 + i) + (start + j) * params.col_stride], inside);
    }
    for (var k = thread; k < 256u; k += 128u) {
      let row = min(start + (k >> 4u), params.cols - 1u) * params.features;
      y_tile[k] = y[row + min(f0 + (k & 15u), params.features - 1u)];
    }
    workgroupBarrier();
    for (var j = 0u; j < 16u; j++) {
      let k = j * 34u + local.y * 4u;
      let weights = vec4f(w_tile[k], w_tile[k + 1u], w_tile[k + 2u], w_tile[k + 3u]);
      let b = y_tile[j * 16u + local.x] - origin;
      total += weights;
      sum0 += weights.x * b;
      sum1 += weights.y * b;
      sum2 += weights.z * b;
      sum3 += weights.w * b;
    }
  }
  let i = i0 + local.y * 4u;
  let f = f0 + local.x;
  write_vector(i, f, total.x, sum0, origin);
  write_vector(i + 1u, f, total.y, sum1, origin);
  write_vector(i + 2u, f, total.z, sum2, origin);
  write_vector(i + 3u, f, total.w, sum3, origin);
}
