// Adam of several tensors in one dispatch, as torch.optim.Adam and, decoupled, torch.optim.AdamW:
//   d = g + (decoupled ? 0 : weight_decay) w;  m = beta1 m + (1 - beta1) d;  v = beta2 v + (1 - beta2) d^2;
//   w = (decoupled ? 1 - lr weight_decay : 1) w - lr / c1 m / (sqrt(v) / c2 + eps).
// The bindings of `MANY` tensors and `update` (a switch over them) are joined in front by src/optim/_many.ts.
//
//   0  params  uniform  { lr, beta1, beta2, rest1 = 1 - beta1, rest2 = 1 - beta2, eps, weight_decay, decoupled, flags }
//   1  count   read     [4]   steps, bits of c1 and of c2 after them, as adam_count.wgsl leaves them
//
// Dispatch: the workgroups of all tensors, folded into y; 64 invocations, 4 vectors of 4 each.
fn adam(w: vec4f, g: vec4f, m: vec4f, v: vec4f) -> Step {
  let decoupled = params.decoupled != 0u;
  let d = g + select(params.weight_decay, 0.0, decoupled) * w;
  let mean = params.beta1 * m + params.rest1 * d;
  let square = params.beta2 * v + params.rest2 * d * d;
  let kept = select(1.0, 1.0 - params.lr * params.weight_decay, decoupled) * w;
  let rate = params.lr / bitcast<f32>(count[1]);
  return Step(kept - rate * (mean / (sqrt(square) / bitcast<f32>(count[2]) + params.eps)), mean, square);
}
