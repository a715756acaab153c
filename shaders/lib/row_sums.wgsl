// Rows summed with weights: sum[i] = sum_k weight(i, k) vector(k, .), and total[i] = sum_k weight(i, k). The op gives
//   start(i, f)                      called first, with the first row and the vector of the tile
//   weight(i, k) -> f32              rows past the end must read something
//   vector(k, f) -> vec4f            vector f of a row; vectors past the end must read something
//   terms() -> u32                   how many k
//   across() -> bool                 true when weight(i, k) and weight(i, k + 1) are neighbours in memory
//   write_vector(i, f, total, sum)   takes the sums, guards the tail
//
// lanes: no workgroup memory, for CPU adapters. An invocation owns 8 rows, whose weights have uniform addresses, and one
//   vector. Dispatch: ceil(vectors / 8) x ceil(rows / 8).
// tiles: workgroup memory, for GPUs. A workgroup of 16 x 8 owns 32 rows x 16 vectors, an invocation 4 rows x 1 vector.
//   Dispatch: ceil(vectors / 16) x ceil(rows / 32).
@compute @workgroup_size(8)
fn lanes(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = group.y * 8u;
  let f = group.x * 8u + local;
  start(i, f);
  let count = terms();
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
  for (var k = 0u; k < count; k++) {
    let w0 = vec4f(weight(i, k), weight(i + 1u, k), weight(i + 2u, k), weight(i + 3u, k));
    let w4 = vec4f(weight(i + 4u, k), weight(i + 5u, k), weight(i + 6u, k), weight(i + 7u, k));
    let b = vector(k, f);
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
  write_vector(i, f, total0.x, sum0);
  write_vector(i + 1u, f, total0.y, sum1);
  write_vector(i + 2u, f, total0.z, sum2);
  write_vector(i + 3u, f, total0.w, sum3);
  write_vector(i + 4u, f, total4.x, sum4);
  write_vector(i + 5u, f, total4.y, sum5);
  write_vector(i + 6u, f, total4.z, sum6);
  write_vector(i + 7u, f, total4.w, sum7);
}

var<workgroup> weight_tile: array<f32, 544>; // [16 k][32 rows] at a pitch of 34
var<workgroup> vector_tile: array<vec4f, 256>; // [16 k][16 vectors]

@compute @workgroup_size(16, 8)
fn tiles(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let i0 = group.y * 32u;
  let f0 = group.x * 16u;
  let thread = local.y * 16u + local.x;
  start(i0, f0 + local.x);
  let count = terms();
  let along = across();
  var total = vec4f();
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  for (var first = 0u; first < count; first += 16u) {
    workgroupBarrier();
    for (var e = thread; e < 512u; e += 128u) {
      // Neighbouring invocations read neighbouring weights, whichever way the matrix lies.
      let k = select(e >> 5u, e & 15u, along);
      let i = select(e & 31u, e >> 4u, along);
      var w = 0.0;
      if (first + k < count) { w = weight(i0 + i, first + k); }
      weight_tile[k * 34u + i] = w;
    }
    for (var e = thread; e < 256u; e += 128u) {
      let k = first + (e >> 4u);
      var b = vec4f();
      if (k < count) { b = vector(k, f0 + (e & 15u)); }
      vector_tile[e] = b;
    }
    workgroupBarrier();
    for (var k = 0u; k < 16u; k++) {
      let e = k * 34u + local.y * 4u;
      let w = vec4f(weight_tile[e], weight_tile[e + 1u], weight_tile[e + 2u], weight_tile[e + 3u]);
      let b = vector_tile[k * 16u + local.x];
      total += w;
      sum0 += w.x * b;
      sum1 += w.y * b;
      sum2 += w.z * b;
      sum3 += w.w * b;
    }
  }
  let i = i0 + local.y * 4u;
  let f = f0 + local.x;
  write_vector(i, f, total.x, sum0);
  write_vector(i + 1u, f, total.y, sum1);
  write_vector(i + 2u, f, total.z, sum2);
  write_vector(i + 3u, f, total.w, sum3);
}
