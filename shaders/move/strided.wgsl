// Strided copy along RANK axes: y[y_offset + sum_d i_d y_stride_d] = x[x_offset + sum_d i_d x_stride_d].
// Moves words, so that one shader serves every dtype of 4 bytes. src/ops/_strided.ts puts in front: W, u32 or vec4u.
//
//   0  params  uniform  { size, x_offset, y_offset, axes }    sizes, strides and offsets in units of W
//   1  x       read
//   2  y       write    only where the axes lead
//
// Constants: RANK, 1 to 8. Dispatch: Device.groups(size, 64).
override RANK: u32 = 1u;

struct Params {
  size: u32,
  x_offset: u32,
  y_offset: u32,
  unused: u32,
  sizes: array<vec4u, 2>,
  x_strides: array<vec4i, 2>, // negative ones walk backwards
  y_strides: array<vec4i, 2>,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<W>;
@group(0) @binding(2) var<storage, read_write> y: array<W>;

@compute @workgroup_size(64)
fn copy(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  var rest = flat_id(group, groups, local, 64u);
  if (rest >= params.size) { return; }
  var read_at = i32(params.x_offset);
  var write_at = i32(params.y_offset);
  for (var d = RANK - 1u; d > 0u; d--) {
    let size = params.sizes[d / 4u][d % 4u];
    let index = i32(rest % size);
    rest /= size;
    read_at += index * params.x_strides[d / 4u][d % 4u];
    write_at += index * params.y_strides[d / 4u][d % 4u];
  }
  read_at += i32(rest) * params.x_strides[0][0]; // divisions are dear on software adapters: none for the first axis
  write_at += i32(rest) * params.y_strides[0][0];
  y[write_at] = x[read_at];
}
