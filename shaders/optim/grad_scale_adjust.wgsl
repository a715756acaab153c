// Moves the scale of a loss after a step, as PyTorch's GradScaler.update(): down where a gradient was not finite, up after
// `interval` steps where all were, unless that would be infinite.
//
//   0  params  uniform     { growth, backoff, interval }
//   1  state   read/write  [4]   bits of the scale, found, steps since the scale changed, steps skipped
//
// Dispatch: 1.
struct Params { growth: f32, backoff: f32, interval: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> state: array<u32>;

@compute @workgroup_size(1)
fn adjust() {
  let scale = bitcast<f32>(state[0]);
  if (state[1] != 0u) {
    state[0] = bitcast<u32>(scale * params.backoff);
    state[2] = 0u;
    state[3] += 1u;
  } else {
    state[2] += 1u;
    if (state[2] >= params.interval) {
      let grown = bitcast<u32>(scale * params.growth);
      if ((grown & 0x7f800000u) != 0x7f800000u) { state[0] = grown; }
      state[2] = 0u;
    }
  }
  state[1] = 0u;
}
