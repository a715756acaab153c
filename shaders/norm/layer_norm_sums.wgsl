// Gradients of layer normalisation's weight and bias, summed over each block of rows:
// weight_sums[block] = sum of grad_y (x - mean) scale, bias_sums[block] = sum of grad_y. V and X as in layer_norm.wgsl.
//
//   0  params  uniform  { rows, columns, span, step, block }    (lib/slices.wgsl)
//   1  x       read     [rows, columns]
//   2  stats   read     [rows]: mean, scale
//   3  grad_y  read     [rows, columns]
//   4  weight_sums  write  [blocks, columns]
//   5  bias_sums    write  [blocks, columns]
//
// Dispatch: blocks * ceil(columns / span) groups, folded into y past 65,535.
struct Params { rows: u32, columns: u32, span: u32, step: u32, block: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read> stats: array<vec2f>;
@group(0) @binding(3) var<storage, read> grad_y: array<X>;
@group(0) @binding(4) var<storage, read_write> weight_sums: array<V>;
@group(0) @binding(5) var<storage, read_write> bias_sums: array<V>;

@compute @workgroup_size(64)
fn sum_blocks(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let place = place_of(group, groups, local);
  var dots = V(0.0);
  var sum = V(0.0);
  for (var row = place.row; row < place.end; row += params.step) {
    let at = row * params.columns + place.column;
    let g = V(grad_y[at]);
    dots += g * (V(x[at]) - stats[row].x) * stats[row].y;
    sum += g;
  }
  let both = sum_steps(dots, sum, local);
  if (leads(place)) {
    weight_sums[place.block * params.columns + place.column] = both[0];
    bias_sums[place.block * params.columns + place.column] = both[1];
  }
}
