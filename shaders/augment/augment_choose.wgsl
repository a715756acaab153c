// Chooses the parameters of every view, as torchvision's transforms draw theirs, from
// philox(counter = (sample, view, epoch, block), key): the same whatever batch, worker or rank a sample comes to.
//
//   0  params   uniform  { batch, views, images, image_h, image_w, channels, epoch, key0, key1, size, … }
//   1  samples  read     [batch]
//   2  choices  write    [batch * views, CHOICE]  top, left, height, width, flip, angle, grayscale, jitter, brightness,
//                        contrast, saturation, hue, order, resized height and width, shift down and right, sigma of the
//                        blur (0: none), threshold of solarize (-1: none), translation right and down, scale, shear
//                        along x and y
//   7  table    read     [batch, 3]               (lib/images_packed.wgsl)
//
// A factor of -1 leaves a step of the colour jitter out. order: the steps (0 brightness, 1 contrast, 2 saturation,
// 3 hue) as the digits of a number to base 4, the first one lowest. Of the `views` of a sample, this chooses `count` from
// `first` on, the others with another recipe; their random numbers are those of view `offset` and on.
// Dispatch: Device.groups(batch * count, 64).
struct Params {
  batch: u32,
  views: u32,
  images: u32,
  image_h: u32,
  image_w: u32,
  channels: u32,
  epoch: u32,
  key0: u32,
  key1: u32,
  size: u32,
  scale_min: f32,
  scale_max: f32,
  log_ratio_min: f32,
  log_ratio_max: f32,
  flip_p: f32,
  rotation: f32,
  translate_x: f32,
  translate_y: f32,
  factor_min: f32,
  factor_max: f32,
  shear_x_min: f32,
  shear_x_max: f32,
  shear_y_min: f32,
  shear_y_max: f32,
  jitter_p: f32,
  brightness: f32,
  contrast: f32,
  saturation: f32,
  hue: f32,
  grayscale_p: f32,
  resize: u32,
  resize_h: u32,
  resize_w: u32,
  blur_p: f32,
  sigma_min: f32,
  sigma_max: f32,
  solarize_p: f32,
  threshold: f32,
  first: u32,
  count: u32,
  offset: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> samples: array<u32>;
@group(0) @binding(2) var<storage, read_write> choices: array<f32>;

fn store(view: u32, place: u32, value: f32) {
  choices[view * CHOICE + place] = value;
}

fn bits_of(sample: u32, view: u32, block: u32) -> vec4u {
  return philox(vec4u(sample, view, params.epoch, block), vec2u(params.key0, params.key1));
}

// Integers in [0, range).
fn below(bits: vec2u, range: vec2u) -> vec2u {
  return vec2u(mul_wide(bits.x, range.x).y, mul_wide(bits.y, range.y).y);
}

// Top, left, height and width of RandomResizedCrop: ten tries, then the largest allowed crop at the centre.
fn random_crop(sample: u32, view: u32, h: u32, w: u32) -> vec4u {
  let area = f32(h) * f32(w);
  for (var i = 0u; i < 10u; i++) {
    let bits = bits_of(sample, view, i);
    let u = unit_float(bits);
    let target_area = area * mix(params.scale_min, params.scale_max, u.x);
    let aspect = exp(mix(params.log_ratio_min, params.log_ratio_max, u.y));
    let crop_w = u32(round(sqrt(target_area * aspect)));
    let crop_h = u32(round(sqrt(target_area / aspect)));
    if (crop_w > 0u && crop_w <= w && crop_h > 0u && crop_h <= h) {
      return vec4u(below(bits.zw, vec2u(h - crop_h + 1u, w - crop_w + 1u)), crop_h, crop_w);
    }
  }
  let ratio = f32(w) / f32(h);
  let low = exp(params.log_ratio_min);
  let high = exp(params.log_ratio_max);
  var size = vec2u(h, w);
  if (ratio < low) { size.x = min(h, u32(round(f32(w) / low))); }
  if (ratio > high) { size.y = min(w, u32(round(f32(h) * high))); }
  return vec4u((h - size.x) / 2u, (w - size.y) / 2u, size);
}

// How far a factor of the jitter may be from 1; none when `reach` is 0.
fn factor(u: f32, reach: f32) -> f32 {
  return select(-1.0, mix(max(0.0, 1.0 - reach), 1.0 + reach, u), reach > 0.0);
}

// A random permutation of 0 to 3, as digits to base 4.
fn random_order(bits: vec4u) -> u32 {
  var order = array<u32, 4>(0u, 1u, 2u, 3u);
  for (var last = 3u; last > 0u; last--) {
    let other = mul_wide(bits[last], last + 1u).y;
    let kept = order[last];
    order[last] = order[other];
    order[other] = kept;
  }
  return order[0] + 4u * order[1] + 16u * order[2] + 64u * order[3];
}

fn store_box(view: u32, box: vec4u, resized: vec2u, shift: vec2i) {
  store(view, 0u, f32(box.x));
  store(view, 1u, f32(box.y));
  store(view, 2u, f32(box.z));
  store(view, 3u, f32(box.w));
  store(view, 13u, f32(resized.x));
  store(view, 14u, f32(resized.y));
  store(view, 15u, f32(shift.x));
  store(view, 16u, f32(shift.y));
  store(view, 17u, 0.0);
  store(view, 18u, -1.0);
  for (var place = 19u; place < CHOICE; place++) { store(view, place, f32(place == 21u)); }
}

// Shift in whole pixels, rounded half to even as Python does; scale; shear.
fn store_map(i: u32, sample: u32, view: u32) {
  let u = unit_float(bits_of(sample, view, 14u));
  store(i, 19u, round(params.translate_x * (2.0 * u.x - 1.0)));
  store(i, 20u, round(params.translate_y * (2.0 * u.y - 1.0)));
  store(i, 21u, between(params.factor_min, params.factor_max, u.z));
  store(i, 22u, between(params.shear_x_min, params.shear_x_max, u.w));
  store(i, 23u, between(params.shear_y_min, params.shear_y_max, unit_float(bits_of(sample, view, 15u)).x));
}

// A number of a range; exactly its ends where they are one.
fn between(low: f32, high: f32, u: f32) -> f32 {
  return low + (high - low) * u;
}

@compute @workgroup_size(64)
fn choose_random(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let id = flat_id(group, groups, local, 64u);
  if (id >= params.batch * params.count) { return; }
  let position = id / params.count;
  let place = params.first + id % params.count;
  let i = position * params.views + place;
  let view = params.offset + place;
  let sample = samples[position];
  let image = image_of(position, sample);
  store_box(i, random_crop(sample, view, image.height, image.width), vec2u(params.size), vec2i(0));
  let coins = unit_float(bits_of(sample, view, 10u));
  store(i, 4u, f32(coins.x < params.flip_p));
  store(i, 5u, params.rotation * (2.0 * coins.y - 1.0));
  store(i, 6u, f32(coins.z < params.grayscale_p));
  store(i, 7u, f32(coins.w < params.jitter_p));
  let amounts = unit_float(bits_of(sample, view, 11u));
  store(i, 8u, factor(amounts.x, params.brightness));
  store(i, 9u, factor(amounts.y, params.contrast));
  store(i, 10u, factor(amounts.z, params.saturation));
  store(i, 11u, params.hue * (2.0 * amounts.w - 1.0));
  store(i, 12u, f32(random_order(bits_of(sample, view, 12u))));
  let ends = unit_float(bits_of(sample, view, 13u));
  store(i, 17u, select(0.0, mix(params.sigma_min, params.sigma_max, ends.y), ends.x < params.blur_p));
  store(i, 18u, select(-1.0, params.threshold, ends.z < params.solarize_p));
  store_map(i, sample, view);
}

// Half of a difference, rounded half to even, as Python rounds it.
fn half_even(difference: i32) -> i32 {
  return i32(round(0.5 * f32(difference)));
}

// The whole image, resized (0: not at all, 1: the shorter side to resize_h, 2: to resize_h x resize_w), of which the
// middle is taken; black around it where it is smaller.
@compute @workgroup_size(64)
fn choose_center(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let id = flat_id(group, groups, local, 64u);
  if (id >= params.batch * params.count) { return; }
  let position = id / params.count;
  let i = position * params.views + params.first + id % params.count;
  let image = image_of(position, samples[position]);
  let h = max(image.height, 1u);
  let w = max(image.width, 1u);
  var resized = vec2u(h, w);
  if (params.resize == 1u) {
    let side = params.resize_h;
    resized = select(vec2u(side, side * w / h), vec2u(side * h / w, side), h > w);
  }
  if (params.resize == 2u) { resized = vec2u(params.resize_h, params.resize_w); }
  let size = i32(params.size);
  let spare = vec2i(resized) - size;
  let crop = vec2i(half_even(spare.x), half_even(spare.y));
  let pad = vec2i(-((-spare) / 2));
  store_box(i, vec4u(0u, 0u, h, w), resized, select(pad, crop, spare >= vec2i(0)));
  for (var place = 4u; place < 13u; place++) { store(i, place, 0.0); }
}
