// What a workgroup of a convolution's forward or weight gradient works on: a group of channels and a range of segments; rows
// of c lie one after another. conv2d_input_grad, whose rows go by phases of the stride, has its own.
struct GroupPlace { a: u32, b: u32, c: u32, c_col: u32, rows: u32, first: u32, end: u32 }
alias Place = GroupPlace;

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

// No block leaves segments out.
fn is_left_out() -> bool { return false; }

fn narrowed(place: Place, rows: vec2u, cols: vec2u) -> Place { return place; }

fn c_row(place: Place, row: u32) -> u32 { return row; }
