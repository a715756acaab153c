// Turns the chosen parameters of a view into what its pixels need.
//
//   0  params    uniform  { batch, views, images, image_h, image_w, channels }
//   1  samples   read     [batch]
//   2  choices   read     [batch * views, CHOICE]  (augment_choose.wgsl)
//   3  prepared  write    [batch * views]
//   7  table     read     [batch, 3]               (lib/images_packed.wgsl)
//
// Dispatch: Device.groups(batch * views, 64).
struct Params { batch: u32, views: u32, images: u32, image_h: u32, image_w: u32, channels: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> samples: array<u32>;
@group(0) @binding(2) var<storage, read> choices: array<f32>;
@group(0) @binding(3) var<storage, read_write> prepared: array<View>;

// brightness: f x; contrast: f x + (1 - f) mean(gray); saturation: f x + (1 - f) gray. All clamped to [0, 1].
fn blend_of(step: u32, f: f32) -> vec3f {
  if (f < 0.0) { return vec3f(-1.0, 0.0, 0.0); }
  return vec3f(f, select(0.0, 1.0 - f, step == 2u), select(0.0, 1.0 - f, step == 1u));
}

fn prepare_colors(view: ptr<function, View>, at: u32) {
  if (choices[at + 7u] == 0.0) { return; }
  (*view).steps = 4u;
  (*view).contrast_at = 4u;
  (*view).hue = choices[at + 11u];
  var order = u32(choices[at + 12u]);
  var count = 0u;
  for (var place = 0u; place < 4u; place++) {
    let step = order % 4u;
    order /= 4u;
    if (step == 3u) {
      (*view).hue_at = place;
      continue;
    }
    let blend = blend_of(step, choices[at + 8u + step]);
    if (step == 1u && blend.x >= 0.0) { (*view).contrast_at = place; }
    (*view).blends[3u * count] = blend.x;
    (*view).blends[3u * count + 1u] = blend.y;
    (*view).blends[3u * count + 2u] = blend.z;
    count++;
  }
}

// Cosine and sine of an angle in degrees, by their series around the nearest quarter turn: the standard lets the built-in
// ones be 2⁻¹¹ off, which moves pixels.
fn direction(degrees: f32) -> vec2f {
  let quarters = round(degrees / 90.0);
  let x = radians(degrees - 90.0 * quarters);
  let y = x * x;
  let s = x - x * y * (1.0 / 6.0 - y * (1.0 / 120.0 - y * (1.0 / 5040.0 - y * (1.0 / 362880.0))));
  let c = 1.0 - y * (0.5 - y * (1.0 / 24.0 - y * (1.0 / 720.0 - y * (1.0 / 40320.0 - y * (1.0 / 3628800.0)))));
  let turn = i32(quarters) & 3;
  let turned = select(vec2f(c, s), vec2f(-s, c), (turn & 1) == 1);
  return select(turned, -turned, turn >= 2);
}

// The inverse of torchvision's affine map: rotation R(angle) = [[cos, -sin], [sin, cos]] times shears along y and x times
// scale. Its angle turns clockwise, that of the choices counter-clockwise.
fn prepare_map(view: ptr<function, View>, at: u32) {
  let angle = -choices[at + 5u];
  let turned = direction(angle);
  let sheared = direction(choices[at + 22u]);
  let both = direction(angle - choices[at + 23u]) / direction(choices[at + 23u]).x;
  let slope = sheared.y / sheared.x;
  let scale = 1.0 / choices[at + 21u];
  (*view).right_right = scale * (turned.x - slope * both.y);
  (*view).right_down = scale * (turned.y + slope * both.x);
  (*view).down_right = -scale * both.y;
  (*view).down_down = scale * both.x;
  (*view).shift_right = choices[at + 19u];
  (*view).shift_down = choices[at + 20u];
}

@compute @workgroup_size(64)
fn prepare(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.batch * params.views) { return; }
  let position = i / params.views;
  let image = image_of(position, samples[position]);
  let at = i * CHOICE;
  var view = View();
  view.valid = u32(image.valid);
  view.offset = image.offset;
  view.width = image.width;
  view.top = u32(choices[at]);
  view.left = u32(choices[at + 1u]);
  view.height = u32(choices[at + 2u]);
  view.crop_width = u32(choices[at + 3u]);
  view.resized_h = u32(choices[at + 13u]);
  view.resized_w = u32(choices[at + 14u]);
  view.shift_y = i32(choices[at + 15u]);
  view.shift_x = i32(choices[at + 16u]);
  view.flip = u32(choices[at + 4u]);
  prepare_map(&view, at);
  view.grayscale = u32(choices[at + 6u]);
  view.sigma = choices[at + 17u];
  view.threshold = choices[at + 18u];
  prepare_colors(&view, at);
  prepared[i] = view;
}
