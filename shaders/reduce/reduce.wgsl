// Reduces the middle axis of x [outer, rows, columns] in interleaved slices, to y [outer, slices, columns]: slice s takes
// rows s, s + slices, … so that neighbouring invocations read neighbouring elements. A second dispatch reduces the slices.
// src/ops/_reduce.ts puts in front: F, U, B, O (y's element), start(first), merge(a, b) and finish(v, scale).
//
//   0  params  uniform  { items, rows, columns, slices, tail, scale }
//   1  x       read     [outer, rows, columns] of F, and `tail` more elements in a last, incomplete vector
//   2  y       write    [outer, slices, columns] of O
//
// items = outer * slices * columns; slices <= rows. tail > 0 only where outer and columns are 1 (a whole tensor, read in
// vectors of four). Four accumulators an invocation: shorter chains are more exact, and loops are dear on software adapters.
// Dispatch: Device.groups(items, 64).
struct Params { items: u32, rows: u32, columns: u32, slices: u32, tail: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<F>;
@group(0) @binding(2) var<storage, read_write> y: array<O>;

@compute @workgroup_size(64)
fn reduce(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.items) { return; }
  let column = i % params.columns;
  let slice = (i / params.columns) % params.slices;
  let outer = i / (params.columns * params.slices);
  let step = params.slices * params.columns;
  var at = (outer * params.rows + slice) * params.columns + column;

  let first = start(x[at]);
  var a = first;
  var b = first;
  var c = first;
  var d = first;
  let count = (params.rows + params.slices - 1u - slice) / params.slices;
  for (var k = count / 4u; k > 0u; k--) {
    a = merge(a, x[at]);
    b = merge(b, x[at + step]);
    c = merge(c, x[at + 2u * step]);
    d = merge(d, x[at + 3u * step]);
    at += 4u * step;
  }
  for (var k = count % 4u; k > 0u; k--) {
    a = merge(a, x[at]);
    at += step;
  }
  if (params.tail > 0u && slice == 0u) { b = merge_tail(b, x[params.rows], params.tail); }
  y[i] = finish(merge(merge(a, b), merge(c, d)), params.scale);
}
