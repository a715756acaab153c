// SGD of several tensors in one dispatch, as torch.optim.SGD:
//   d = g + weight_decay w;  v = momentum v + d;  w -= lr (nesterov ? d + momentum v : v).
// The bindings of `MANY` tensors and `update` (a switch over them) are joined in front by src/optim/_many.ts, with
// HAS_VELOCITY false when momentum is 0.
//
//   0  params  uniform  { lr, momentum, weight_decay, nesterov, flags of the tensors }
//
// Dispatch: the workgroups of all tensors, folded into y; 64 invocations, 4 vectors of 4 each.
fn sgd(w: vec4f, g: vec4f, v: vec4f) -> Step {
  let d = g + params.weight_decay * w;
  let velocity = params.momentum * v + d;
  let step = select(velocity, d + params.momentum * velocity, params.nesterov != 0u);
  return Step(w - params.lr * step, velocity);
}
