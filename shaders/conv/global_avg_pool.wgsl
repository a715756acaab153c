// Scaled sums over the rows of each image, [n, rows, columns] to [n, parts, columns], and their gradient. V is vec4f when
// channels is a multiple of 4 and f32 otherwise; columns = channels / lanes of V.
// x and y hold X: V, or its f16 (src/ops/_slices.ts).
//
//   0  params  uniform  { n, rows, columns, parts, part_rows, scale }
//   1  x       read     [n, rows, columns]    ([n, columns] in spread: grad_y)
//   2  y       write    [n, parts, columns]   ([n, rows, columns] in spread: grad_x)
//
// Dispatch: sum_rows Device.groups(n * parts * columns, 64); spread Device.groups(n * rows * columns, 64).
struct Params { n: u32, rows: u32, columns: u32, parts: u32, part_rows: u32, scale: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read_write> y: array<X>;

@compute @workgroup_size(64)
fn sum_rows(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.n * params.parts * params.columns) { return; }
  let column = i % params.columns;
  let part = i / params.columns % params.parts;
  let image = i / params.columns / params.parts;
  let first = part * params.part_rows;
  let end = min(first + params.part_rows, params.rows);
  var sum = V(0.0);
  for (var row = first; row < end; row++) {
    sum += V(x[(image * params.rows + row) * params.columns + column]);
  }
  y[i] = X(sum * params.scale);
}

@compute @workgroup_size(64)
fn spread(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.n * params.rows * params.columns) { return; }
  let image = i / params.columns / params.rows;
  y[i] = X(V(x[image * params.columns + i % params.columns]) * params.scale);
}
