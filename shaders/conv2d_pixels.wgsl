// What the forward forms of a convolution have in common: conv2d_forward and conv2d_forward_taps.
// A row of a is a pixel of y, in order.
const A_T = false;
const B_T = false;

struct Place { a: u32, b: u32, c: u32, c_col: u32, rows: u32, first: u32, end: u32 }

fn place_of(z: u32) -> Place {
  let split = z % params.splits;
  let g = z / params.splits;
  return Place(
    g * params.group_a4,
    g * params.group_b4,
    split * params.split4,
    g * params.group_c4,
    params.rows,
    split * params.segments / params.splits,
    (split + 1u) * params.segments / params.splits,
  );
}

fn c_row(place: Place, row: u32) -> u32 { return row; }

// The image, and the input pixel of the first tap.
struct Row { image: i32, y: i32, x: i32 }

fn row_of(place: Place, row: u32) -> Row {
  let pixel = i32(min(row, params.rows - 1u));
  let line = pixel / params.out_w;
  let image = line / params.out_h;
  return Row(
    image,
    (line - image * params.out_h) * params.stride_h - params.padding_h,
    (pixel - line * params.out_w) * params.stride_w - params.padding_w,
  );
}
