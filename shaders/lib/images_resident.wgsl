// Images of one size, all on the device: sample s is image s.
fn image_of(position: u32, sample: u32) -> Image {
  let bytes = params.image_h * params.image_w * params.channels;
  return Image(sample < params.images, sample * bytes, params.image_h, params.image_w);
}
