// The factor of a diagonal block of -w and its inverse, joined after cholesky.wgsl, for adapters whose invocations are lanes of
// one vector: 8 of them have 4 rows each, and 4 columns of the inverse, as vectors of 4. Left-looking: column c of l is what the
// columns before it leave of -w,
//
//   l[i, c] = (-w[i, c] - sum over k < c of l[i, k] l[c, k]) / l[c, c]
//
//   2  l4        write  [size, size / 4]
//   3  w4        read   [size, size / 4]
//   4  inverse4  write  [32, 8]
//
// Dispatch: 1.
@group(0) @binding(4) var<storage, read_write> inverse4: array<vec4f>;

var<workgroup> rows: array<vec4f, 256>; // [32, 8]
var<workgroup> inverse_rows: array<vec4f, 256>;

// Vector q of row i, of the columns before c.
fn before(i: u32, q: u32, c: u32) -> vec4f {
  return select(vec4f(), rows[8u * i + q], 4u * q + AT < vec4u(c));
}

@compute @workgroup_size(8)
fn factor_rows(@builtin(local_invocation_index) lane: u32) {
  let count = min(32u, params.size); // at run time: see lib/block.wgsl
  let start = (params.first * params.size + params.first) / 4u;
  for (var i = lane; i < count; i += 8u) {
    for (var q = 0u; q < count / 4u; q++) {
      rows[8u * i + q] = select(vec4f(), -w4[start + i * params.size / 4u + q], 4u * q + AT <= vec4u(i));
    }
  }
  workgroupBarrier();
  for (var c = 0u; c < count; c++) {
    let last = c / 4u;
    let k = c % 4u;
    var pivot = rows[8u * c + last][k];
    var left = vec4f(
      rows[8u * lane + last][k],
      rows[8u * (lane + 8u) + last][k],
      rows[8u * (lane + 16u) + last][k],
      rows[8u * (lane + 24u) + last][k],
    );
    for (var q = 0u; q <= last; q++) {
      let row = before(c, q, c);
      pivot -= dot(row, row);
      left -= vec4f(
        dot(before(lane, q, c), row),
        dot(before(lane + 8u, q, c), row),
        dot(before(lane + 16u, q, c), row),
        dot(before(lane + 24u, q, c), row),
      );
    }
    let root = select(bitcast<f32>(params.nan_bits), sqrt(pivot), pivot > 0.0);
    workgroupBarrier(); // all have read row c
    for (var r = 0u; r < count / 8u; r++) {
      let i = lane + 8u * r;
      let value = select(left[r] / root, root, i == c);
      if (i >= c) { rows[8u * i + last] = select(rows[8u * i + last], vec4f(value), AT == vec4u(k)); }
    }
    workgroupBarrier();
  }
  // The inverse by forward substitution, row by row; a lane reads what it wrote.
  let columns = 4u * lane + AT;
  for (var i = 0u; i < count; i++) {
    var sum = select(vec4f(), vec4f(1.0), columns == vec4u(i));
    for (var q = 0u; q <= i / 4u; q++) {
      let row = before(i, q, i);
      let k = 32u * q + lane;
      sum -= row.x * inverse_rows[k] + row.y * inverse_rows[k + 8u];
      sum -= row.z * inverse_rows[k + 16u] + row.w * inverse_rows[k + 24u];
    }
    let value = sum / rows[8u * i + i / 4u][i % 4u];
    inverse_rows[8u * i + lane] = select(vec4f(), value, columns <= vec4u(i));
  }
  for (var i = 0u; i < count; i++) {
    l4[start + i * params.size / 4u + lane] = rows[8u * i + lane];
    inverse4[8u * i + lane] = inverse_rows[8u * i + lane];
  }
}
