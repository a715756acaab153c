// Where the inverse of a lower triangular matrix t starts: m = -t^-1 in the diagonal blocks of 64 rows. Rows past the last are
// those of the identity. With the block in quarters, t = [p 0; q r], it is [-p^-1 0; r^-1 q p^-1 -r^-1]. What products read of
// the zeros above the diagonal is written too: as no tile of theirs exceeds 128, the rest of blocks of 128.
//
//   0  params  uniform     { n, columns, size }   n: rows of t; columns: elements from row to row of t
//   1  t       read        [n, columns]
//   2  m       write       [size, size]           size: a multiple of 64
//
// Joined after lib/flat.wgsl and lib/block.wgsl. start: 32 invocations, one a column. Dispatch: size / 64.
//
// place_pairs: puts what is below the diagonal of pairs of blocks of `half` rows to its place in m; the first pair starts in row
// `first`, and the lower blocks have `rows` rows.
//
//   0  params  uniform     { .., first, half, rows, pairs }
//   2  m       write
//   3  below   read        [pairs, rows, half]
//
// Dispatch: Device.groups(pairs * rows * half / 4, 64).
struct Params { n: u32, columns: u32, size: u32, first: u32, half: u32, rows: u32, pairs: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> t: array<f32>;
@group(0) @binding(2) var<storage, read_write> m: array<f32>;
@group(0) @binding(2) var<storage, read_write> m4: array<vec4f>; // in place_pairs
@group(0) @binding(3) var<storage, read> below: array<vec4f>;

var<workgroup> middle: array<f32, 1056>; // q p^-1, at a pitch of 33

fn element(i: u32, k: u32) -> f32 {
  let inside = k <= i && i < params.n;
  let value = t[select(0u, i * params.columns + k, inside)];
  return select(select(0.0, 1.0, i == k), value, inside);
}

// Block 32 rows from `row` on, columns from `col` on.
fn fill_block(row: u32, col: u32, j: u32, count: u32) {
  for (var i = 0u; i < count; i++) { block[block_at(i, j)] = element(row + i, col + j); }
  workgroupBarrier();
}

// Column j of an inverted block, to its place on the diagonal.
fn put_inverse(first: u32, j: u32, count: u32) {
  for (var i = 0u; i < count; i++) {
    m[(first + i) * params.size + first + j] = -inverse_block[block_at(i, j)];
  }
}

@compute @workgroup_size(32)
fn start(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) j: u32) {
  let first = 64u * group.x;
  let second = first + 32u;
  let count = min(32u, 32u * params.n); // at run time: see lib/block.wgsl
  fill_block(first, first, j, count);
  invert_column(j, count);
  put_inverse(first, j, count);
  workgroupBarrier();
  fill_block(second, first, j, count);
  for (var i = 0u; i < count; i++) {
    var sum = 0.0;
    for (var k = j; k < count; k++) { sum += block[block_at(i, k)] * inverse_block[block_at(k, j)]; }
    middle[block_at(i, j)] = sum;
  }
  workgroupBarrier();
  fill_block(second, second, j, count);
  invert_column(j, count);
  put_inverse(second, j, count);
  workgroupBarrier(); // invert_column leaves each column to its invocation, but the product needs them all
  for (var i = 0u; i < count; i++) {
    var sum = 0.0;
    for (var k = 0u; k <= i; k++) { sum += inverse_block[block_at(i, k)] * middle[block_at(k, j)]; }
    m[(second + i) * params.size + first + j] = sum;
    m[(first + i) * params.size + second + j] = 0.0;
  }
  // The rest of a block of 128.
  if (first % 128u > 0u || first + 64u == params.size) { return; }
  for (var i = 0u; i < 2u * count; i++) {
    m[(first + i) * params.size + first + 64u + j] = 0.0;
    m[(first + i) * params.size + first + 96u + j] = 0.0;
  }
}


@compute @workgroup_size(64)
fn place_pairs(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = flat_id(group, groups, local, 64u);
  let columns = params.half / 4u;
  if (at >= params.pairs * params.rows * columns) { return; }
  let line = at / columns;
  let corner = params.first + line / params.rows * 2u * params.half;
  let row = corner + params.half + line % params.rows;
  m4[(row * params.size + corner) / 4u + at % columns] = below[at];
}
