// Transforms of Winograd's convolutions F(m x m, 3x3): (m + 2)^2 multiplications give m^2 outputs, where the plain sum takes
// 9 m^2. P = m + 2.
//
//   y = At [ (G g Gt) * (Bt d B) ] A       value: d a PxP patch of x, g the 3x3 window, y an m x m tile
//   grad_g = Gt [ (Bt d B) * (A grad_y At) ] G     the exact adjoint with respect to g
//
// and * sums over channels (or over tiles, for grad_g): P^2 matrix products, one for each position of a patch. The gradient
// of x is the value of grad_y with the window turned by 180 degrees.
//
//   0  params  uniform  { size (invocations), h, w (of the image), tiles_h, tiles_w, offset_h, offset_w (of the
//                         patch of tile 0, 0), channels, pitch, first_image; tiles, each and first_slice
//                         of conv2d_winograd_moments; grad_… and other_… of conv2d_winograd_factors }
//   1  x       read     image [n, h, w, channels], or a transform: for each tile, or input channel, P^2 rows of channels, and
//                       `pitch` of them from one tile to the next
//   2  y       write    the other one of these; windows [9, in, channels] (windows_adjoint)
//   3  bias    read     [channels], any other array without BIAS (from_products)
//
// An invocation has one vector V of channels, f32; sizes, channels and pitches are counted in these. The aliases X, Y, W and O of
// what x, y, the weight and the other transform hold are joined in front (src/tensor/half.ts): V, or f16. All sums are f32.
//
// Joined with one of conv2d_winograd_3x3 and conv2d_winograd_4x4, which have the matrices of an m, and with all of
// conv2d_winograd_images, _factors, _moments and _adjoint, which have the entry points.
// Constants: BIAS, add it (from_products).
// Dispatch: Device.groups(size, 64), size = tiles * channels for images, in * channels for windows.
struct Params {
  size: u32, h: i32, w: i32, tiles_h: u32, tiles_w: u32, offset_h: i32, offset_w: i32, channels: u32,
  pitch: u32, first_image: u32, tiles: u32, each: u32, first_slice: u32,
  grad_h: i32, grad_w: i32, other_size: u32, other_channels: u32, other_pitch: u32, turn: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read_write> y: array<Y>;
@group(0) @binding(3) var<storage, read> bias: array<V>;

override BIAS: bool = false;

struct WindowLine { a: V, b: V, c: V }

// Where the transform of invocation i's tile (or input channel) starts, for its vector of channels.
fn transform_at(i: u32) -> u32 {
  let tile = i / params.channels;
  return tile * params.pitch + i - tile * params.channels;
}
