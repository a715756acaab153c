// Exponential moving average of several tensors: w = decay w + rest g, with rest = 1 - decay and g what is averaged.
// The bindings of `MANY` tensors and `update` (a switch over them) are joined in front by src/optim/_many.ts.
//
//   0  params  uniform  { decay, rest, flags of the tensors }
//
// Dispatch: the workgroups of all tensors, folded into y; 64 invocations, 4 vectors of 4 each.
fn ema(w: vec4f, g: vec4f) -> Step {
  // As rest + decay is 1 in f64 only, their sum would pull a weight whose decay rounds to 1.
  return Step(select(g - params.decay * (g - w), w + params.rest * (g - w), params.rest < 0.5));
}
