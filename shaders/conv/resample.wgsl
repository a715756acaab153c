// Sums windows along the middle axis: y[o, i, c] = Σ weight x[o, pixel, c] over the pairs of window i, x [outer, old, inner],
// y [outer, rows, inner]. inner is in units of W, of f32 or vec4f, which src/ops/conv/interpolate.ts puts in front.
//
//   0  params   uniform  { items, rows, old, inner, begin, most }
//   1  windows  read     where the pairs of each window begin [rows + 1], then pairs: a pixel, a weight (bits of f32)
//   2  x        read     [outer, old, inner]
//   3  y        read, write  [outer, rows, inner]
//
// items: elements of y in units of W. A dispatch adds the pairs of each window from `begin` on, at most `most` of them; the
// first one, with begin 0, does not read y. Dispatch: Device.groups(items, 64).
struct Params { items: u32, rows: u32, old: u32, inner: u32, begin: u32, most: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> windows: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<W>;
@group(0) @binding(3) var<storage, read_write> y: array<W>;

@compute @workgroup_size(64)
fn resample(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let id = flat_id(group, groups, local, 64u);
  if (id >= params.items) { return; }
  let line = id / params.inner;
  let i = line % params.rows;
  let first = line / params.rows * params.old;
  let begin = windows[i] + 2u * params.begin;
  let end = min(windows[i + 1u], begin + 2u * params.most);
  var sum = W(0.0);
  if (params.begin > 0u) { sum = y[id]; }
  for (var at = begin; at < end; at += 2u) {
    sum += bitcast<f32>(windows[at + 1u]) * x[(first + windows[at]) * params.inner + id % params.inner];
  }
  y[id] = sum;
}
