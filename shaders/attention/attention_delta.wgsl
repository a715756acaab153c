// delta[b, h, i] = grad_out[i] . out[i] of every query of every head.
//
//   0  params    uniform  { size, heads, queries, d4, o_batch, o_head, o_row }
//   1  out       read     rows of d4 vectors
//   2  grad_out  read     the same
//   3  delta     write    [batch * heads, queries]
//
// Dispatch: Device.groups(size, 64).
struct Params { size: u32, heads: u32, queries: u32, d4: u32, o_batch: u32, o_head: u32, o_row: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> out: array<X>;
@group(0) @binding(2) var<storage, read> grad_out: array<X>;
@group(0) @binding(3) var<storage, read_write> delta: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.size) { return; }
  let head = i / params.queries;
  let sample = (head / params.heads) * params.o_batch + (head % params.heads) * params.o_head;
  let first = sample + (i % params.queries) * params.o_row;
  var sum = 0.0;
  for (var c = 0u; c < params.d4; c++) { sum += dot(vec4f(out[first + c]), vec4f(grad_out[first + c])); }
  delta[i] = sum;
}
