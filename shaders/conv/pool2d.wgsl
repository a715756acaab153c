// Pooling of images over kernel_h x kernel_w windows, and its gradients. V is vec4f when channels is a multiple of 4 and
// f32 otherwise, U its bits; columns = channels / lanes of V. Images hold X: V, or its f16 (src/ops/_slices.ts).
//
//   0  params   uniform  { n, h, w, columns, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w, padding_h, padding_w,
//                          include_pad, size }       size: outputs of the entry point
//   1  x        read     [n, h, w, columns]
//   2  y        write    [n, out_h, out_w, columns]
//   3  winners  write    [n, out_h, out_w, columns]  place of the maximum in its window (max_indexed)
//   4  grad_y   read     [n, out_h, out_w, columns]
//   5  places   read     [n, out_h, out_w, columns]  winners, when they are read
//   6  grad_x   write    [n, h, w, columns]
//
// Gradients are gathered: an input asks every window that holds it, so no order of additions is left to chance.
// Dispatch: Device.groups(size, 64).
struct Params {
  n: u32,
  h: i32,
  w: i32,
  columns: u32,
  out_h: i32,
  out_w: i32,
  kernel_h: i32,
  kernel_w: i32,
  stride_h: i32,
  stride_w: i32,
  padding_h: i32,
  padding_w: i32,
  include_pad: u32,
  size: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read_write> y: array<X>;
@group(0) @binding(3) var<storage, read_write> winners: array<U>;
@group(0) @binding(4) var<storage, read> grad_y: array<X>;
@group(0) @binding(5) var<storage, read> places: array<U>;
@group(0) @binding(6) var<storage, read_write> grad_x: array<X>;

struct Cell { n: i32, row: i32, col: i32, column: i32 }

fn place_of(i: u32, rows: i32, cols: i32) -> Cell {
  let pixel = i32(i / params.columns);
  return Cell(pixel / (rows * cols), pixel / cols % rows, pixel % cols, i32(i % params.columns));
}

// The part of a window that lies in the image: first and end of rows, first and end of columns.
fn window(at: Cell) -> vec4i {
  let top = at.row * params.stride_h - params.padding_h;
  let left = at.col * params.stride_w - params.padding_w;
  return vec4i(max(top, 0), min(top + params.kernel_h, params.h), max(left, 0), min(left + params.kernel_w, params.w));
}

// The windows that hold an input: first and end of output rows, first and end of output columns.
fn windows_of(at: Cell) -> vec4i {
  let down = at.row + params.padding_h;
  let right = at.col + params.padding_w;
  return vec4i(
    max(0, (down - params.kernel_h + params.stride_h) / params.stride_h),
    min(down / params.stride_h + 1, params.out_h),
    max(0, (right - params.kernel_w + params.stride_w) / params.stride_w),
    min(right / params.stride_w + 1, params.out_w),
  );
}

fn input_at(at: Cell, row: i32, col: i32) -> u32 {
  return u32((at.n * params.h + row) * params.w + col) * params.columns + u32(at.column);
}

fn output_at(at: Cell, row: i32, col: i32) -> u32 {
  return u32((at.n * params.out_h + row) * params.out_w + col) * params.columns + u32(at.column);
}

struct Winner { value: V, index: U }

// The first of the largest, as PyTorch takes it; NaN wins.
fn find_winner(at: Cell) -> Winner {
  let part = window(at);
  let top = at.row * params.stride_h - params.padding_h;
  let left = at.col * params.stride_w - params.padding_w;
  var best = V(x[input_at(at, part.x, part.z)]);
  var index = U(u32((part.x - top) * params.kernel_w + part.z - left));
  for (var row = part.x; row < part.y; row++) {
    for (var col = part.z; col < part.w; col++) {
      let value = V(x[input_at(at, row, col)]);
      let is_nan = (bitcast<U>(value) & U(0x7fffffffu)) > U(0x7f800000u);
      let wins = (value > best) | is_nan;
      best = select(best, value, wins);
      index = select(index, U(u32((row - top) * params.kernel_w + col - left)), wins);
    }
  }
  return Winner(best, index);
}

@compute @workgroup_size(64)
fn max_plain(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.size) { return; }
  y[i] = X(find_winner(place_of(i, params.out_h, params.out_w)).value);
}

@compute @workgroup_size(64)
fn max_indexed(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.size) { return; }
  let winner = find_winner(place_of(i, params.out_h, params.out_w));
  y[i] = X(winner.value);
  winners[i] = winner.index;
}

@compute @workgroup_size(64)
fn max_grad(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.size) { return; }
  let at = place_of(i, params.h, params.w);
  let part = windows_of(at);
  var sum = V(0.0);
  for (var row = part.x; row < part.y; row++) {
    let down = at.row + params.padding_h - row * params.stride_h;
    for (var col = part.z; col < part.w; col++) {
      let here = u32(down * params.kernel_w + at.col + params.padding_w - col * params.stride_w);
      let o = output_at(at, row, col);
      sum += select(V(0.0), V(grad_y[o]), places[o] == U(here));
    }
  }
  grad_x[i] = X(sum);
}

// Values that a window averages.
fn count_of(part: vec4i) -> f32 {
  let inside = (part.y - part.x) * (part.w - part.z);
  return f32(select(inside, params.kernel_h * params.kernel_w, params.include_pad != 0u));
}

@compute @workgroup_size(64)
fn average(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.size) { return; }
  let at = place_of(i, params.out_h, params.out_w);
  let part = window(at);
  var sum = V(0.0);
  for (var row = part.x; row < part.y; row++) {
    for (var col = part.z; col < part.w; col++) {
      sum += V(x[input_at(at, row, col)]);
    }
  }
  y[i] = X(sum / count_of(part));
}

@compute @workgroup_size(64)
fn average_grad(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = flat_id(group, groups, local, 64u);
  if (i >= params.size) { return; }
  let at = place_of(i, params.h, params.w);
  let part = windows_of(at);
  var sum = V(0.0);
  for (var row = part.x; row < part.y; row++) {
    for (var col = part.z; col < part.w; col++) {
      let count = count_of(window(Cell(at.n, row, col, at.column)));
      sum += V(grad_y[output_at(at, row, col)]) / count;
    }
  }
  grad_x[i] = X(sum);
}
