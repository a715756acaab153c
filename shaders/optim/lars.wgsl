// LARS of several tensors: d = g + decay w; v = momentum v + lr trust d; w -= v, with trust = eta |w| / |d| a tensor.
//
// Norms come first: `partial_norms` leaves the sums of squares of w and d of each workgroup, `trust_ratios` adds those of
// a tensor in order and divides. The bindings of the tensors and the switches over them are joined in front by
// src/optim/_many.ts; `decay_of(t)` is weight_decay, or 0 for a tensor that is not marked as adapted.
//
//   0  params  uniform  { lr, momentum, weight_decay, eta, faithful, flags of the tensors }
//   1  scratch read/write [2 * workgroups] of partial sums (partial_norms, trust_ratios)
//   2  trust   read/write [MANY]
fn decay_of(t: u32) -> f32 {
  return select(0.0, params.weight_decay, marked(t));
}

fn lars(t: u32, w: vec4f, g: vec4f, v: vec4f) -> Step {
  let velocity = params.momentum * v + params.lr * trust[t] * (g + decay_of(t) * w);
  return Step(w - velocity, velocity);
}

// A tensor that is excluded has trust 1. So has one whose norm, or whose gradient's norm, is 0; the original's rule
// (faithful) gives 0 for the first and divides by 0 for the second.
fn trust_of(t: u32, w2: f32, d2: f32) -> f32 {
  if (!marked(t)) { return 1.0; }
  if (params.faithful == 0u && (w2 <= 0.0 || d2 <= 0.0)) { return 1.0; }
  return params.eta * sqrt(w2) / sqrt(d2);
}

var<workgroup> sums: array<vec2f, 64>;

// Leaves the sum of the workgroup in sums[0], for invocation 0.
fn reduce(local: u32, mine: vec2f) {
  sums[local] = mine;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) { sums[local] += sums[local + half]; }
  }
}

@compute @workgroup_size(64)
fn partial_norms(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let flat = group.y * groups.x + group.x;
  let t = tensor_of(flat);
  let base = (flat - start_of(t)) * VECTORS_A_GROUP + local;
  var mine = vec2f(0.0);
  for (var k = 0u; k < 4u; k++) {
    let i = base + 64u * k;
    if (4u * i < size_of(t)) {
      let inside = vec4u(4u * i) + vec4u(0u, 1u, 2u, 3u) < vec4u(size_of(t));
      let w = select(vec4f(0.0), weight_at(t, i), inside);
      let d = select(vec4f(0.0), grad_at(t, i) + decay_of(t) * w, inside);
      mine += vec2f(dot(w, w), dot(d, d));
    }
  }
  reduce(local, mine);
  if (local == 0u && flat < start_of(MANY)) {
    scratch[2u * flat] = sums[0].x;
    scratch[2u * flat + 1u] = sums[0].y;
  }
}

@compute @workgroup_size(64)
fn trust_ratios(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let t = group.x;
  var mine = vec2f(0.0);
  for (var i = start_of(t) + local; i < start_of(t + 1u); i += 64u) {
    mine += vec2f(scratch[2u * i], scratch[2u * i + 1u]);
  }
  reduce(local, mine);
  if (local == 0u) { trust[t] = trust_of(t, sums[0].x, sums[0].y); }
}
