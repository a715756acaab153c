// What the forward forms of a convolution have in common: conv2d_forward and conv2d_forward_taps.
// A row of a is a pixel of y, in order. Joined after conv2d_place.
const A_T = false;
const B_T = false;

// The image, the input pixel of the first tap, and before which four k it starts.
struct PixelRow { image: i32, y: i32, x: i32, k4: u32 }
alias Row = PixelRow;

fn row_of(place: Place, row: u32) -> Row {
  let pixel = i32(min(row, params.rows - 1u));
  let line = pixel / params.out_w;
  let image = line / params.out_h;
  return Row(
    image,
    (line - image * params.out_h) * params.stride_h - params.padding_h,
    (pixel - line * params.out_w) * params.stride_w - params.padding_w,
    0u,
  );
}

fn row_from(row: Row, k: u32) -> Row { return Row(row.image, row.y, row.x, k / 4u); }
