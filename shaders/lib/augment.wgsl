// What the shaders of augmentation share: the image of a sample, and the two forms of a view's parameters.
// A chosen view (CHOICE words) holds torchvision's parameters; a prepared view (View) what a pixel needs of them.
const CHOICE = 24u;

struct View {
  valid: u32,        // 0: the sample has no such image, and its view is NaN
  offset: u32,       // bytes before the image
  width: u32,        // of the image
  top: u32,          // crop, px
  left: u32,
  height: u32,
  crop_width: u32,
  resized_h: u32,    // size that the crop is resized to
  resized_w: u32,
  shift_y: i32,      // where the output starts in it
  shift_x: i32,
  flip: u32,
  right_right: f32,  // rotation, scale and shear, undone: how far right and down of the middle a pixel comes from,
  right_down: f32,   // for each px that it lies to the right and down of the shifted middle
  down_right: f32,
  down_down: f32,
  shift_right: f32,  // of the middle, px
  shift_down: f32,
  contrast_at: u32,  // place of contrast in the colour steps, or `steps` without it
  steps: u32,        // 4 colour steps, or 0
  hue_at: u32,       // place of hue
  hue: f32,          // turns
  grayscale: u32,
  sigma: f32,        // of the blur, px; 0 for none
  threshold: f32,    // of solarize; below 0 for none
  blends: array<f32, 9>, // factor, share of gray, share of the mean of gray: of the three other steps in order
}

struct Image { valid: bool, offset: u32, height: u32, width: u32 }
