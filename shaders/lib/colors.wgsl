// torchvision's colour transforms of one pixel, on floats in [0, 1].
fn gray_of(x: vec3f) -> f32 {
  return dot(x, vec3f(0.2989, 0.587, 0.114));
}

// by: factor, share of the gray of the pixel, share of the mean gray of the view; a negative factor changes nothing.
fn blend(x: vec3f, by: vec3f, mean: f32) -> vec3f {
  return select(x, clamp(by.x * x + (by.y * gray_of(x) + by.z * mean), vec3f(0.0), vec3f(1.0)), by.x >= 0.0);
}

// Turns the hue by a part of the circle, through HSV.
fn turn_hue(x: vec3f, turn: f32) -> vec3f {
  let value = max(x.r, max(x.g, x.b));
  let spread = value - min(x.r, min(x.g, x.b));
  let divisor = select(spread, 1.0, spread == 0.0);
  let from_red = (x.g - x.b) / divisor;
  let from_green = 2.0 + (x.b - x.r) / divisor;
  let from_blue = 4.0 + (x.r - x.g) / divisor;
  let sixths = select(select(from_blue, from_green, value == x.g), from_red, value == x.r) + 6.0 * turn;
  let k = vec3f(5.0, 3.0, 1.0) + sixths;
  let wrapped = k - 6.0 * floor(k / 6.0);
  // A channel is full near its own hue and falls off towards the others.
  return value - spread * clamp(min(wrapped, 4.0 - wrapped), vec3f(0.0), vec3f(1.0));
}

// A part of a view's colour steps: three blends, each before or after the hue, of which some do nothing.
struct ColorSteps {
  before0: vec3f,
  before1: vec3f,
  before2: vec3f,
  turns: bool,
  turn: f32,
  after0: vec3f,
  after1: vec3f,
  after2: vec3f,
}

const NO_BLEND = vec3f(-1.0, 0.0, 0.0);

// Blend `index` of a view when it stands at `place` among the steps, and `place` is in [first, end).
fn blend_at(view: View, index: u32, by: vec3f, place: u32, first: u32, end: u32) -> vec3f {
  let stands = (place == index) == (index < view.hue_at);
  return select(NO_BLEND, by, stands && place >= first && place < end);
}

// The steps of a view from place `first` up to `end`.
fn steps_of(view: View, first: u32, end: u32) -> ColorSteps {
  let by0 = vec3f(view.blends[0], view.blends[1], view.blends[2]);
  let by1 = vec3f(view.blends[3], view.blends[4], view.blends[5]);
  let by2 = vec3f(view.blends[6], view.blends[7], view.blends[8]);
  return ColorSteps(
    blend_at(view, 0u, by0, 0u, first, end),
    blend_at(view, 1u, by1, 1u, first, end),
    blend_at(view, 2u, by2, 2u, first, end),
    view.hue_at >= first && view.hue_at < end,
    view.hue,
    blend_at(view, 0u, by0, 1u, first, end),
    blend_at(view, 1u, by1, 2u, first, end),
    blend_at(view, 2u, by2, 3u, first, end),
  );
}

fn run_steps(x: vec3f, steps: ColorSteps, mean: f32) -> vec3f {
  var y = blend(blend(blend(x, steps.before0, mean), steps.before1, mean), steps.before2, mean);
  if (steps.turns) { y = turn_hue(y, steps.turn); }
  return blend(blend(blend(y, steps.after0, mean), steps.after1, mean), steps.after2, mean);
}
