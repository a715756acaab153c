// Body of a product for GPUs: a workgroup sums a tile of 8 EDGE rows by 8 EDGE columns, an invocation 8 by 8 of it.
//
// 8 k at a time go through workgroup memory, which is double-buffered: while one half is summed, the next slices of a and b
// are on their way in registers; one barrier a slice. Both halves hold [k][row] and [k][column] as vectors.
// Joined after the operands (matmul.wgsl or one of conv2d_*.wgsl).
//
// Constants: EDGE, 8 or 16; EDGE * EDGE invocations, 512 (2 EDGE + 1) bytes of workgroup memory (8,704 or 16,896).
// Workgroup: EDGE x EDGE. Blocks: ceil(rows / (8 EDGE)) * ceil(cols4 / (2 EDGE)).
override EDGE: u32 = 16u;

const DEPTH = 8u; // k in a slice
override PITCH: u32 = 2u * EDGE + 1u; // vectors from one k to the next; the odd one spreads scattered writes over banks
override HALF: u32 = DEPTH * PITCH;

var<workgroup> tile_a: array<vec4f, 2u * DEPTH * (2u * EDGE + 1u)>;
var<workgroup> tile_b: array<vec4f, 2u * DEPTH * (2u * EDGE + 1u)>;

// The k of vector q of a slice, and its row or column: along k where memory runs along k, else along the row or column.
fn k_of(q: u32, along_k: bool) -> u32 { return select(q / (2u * EDGE), 4u * (q & 1u), along_k); }
fn line_of(q: u32, along_k: bool) -> u32 { return select(4u * (q % (2u * EDGE)), q >> 1u, along_k); }

fn fetch_a(segment: Segment, q: u32, k: u32, end: u32) -> vec4f {
  let at = k + k_of(q, !A_T);
  if (at >= end) { return vec4f(); }
  return load_a(segment, at);
}

fn fetch_b(base: u32, s: u32, q: u32, col: u32, k: u32, end: u32) -> vec4f {
  let at = k + k_of(q, B_T);
  if (at >= end) { return vec4f(); }
  let j = 4u * col + line_of(q, B_T);
  if (B_T) { return load_b_t(base, at, min(j, 4u * params.cols4 - 1u)); }
  return load_b(base, s, at, min(j / 4u, params.cols4 - 1u));
}

fn put_a(half: u32, q: u32, value: vec4f) {
  let i = half + k_of(q, !A_T) * PITCH + line_of(q, !A_T) / 4u;
  if (A_T) {
    tile_a[i] = value;
  } else {
    let lane = line_of(q, true) & 3u;
    tile_a[i][lane] = value.x;
    tile_a[i + PITCH][lane] = value.y;
    tile_a[i + 2u * PITCH][lane] = value.z;
    tile_a[i + 3u * PITCH][lane] = value.w;
  }
}

fn put_b(half: u32, q: u32, value: vec4f) {
  let i = half + k_of(q, B_T) * PITCH + line_of(q, B_T) / 4u;
  if (B_T) {
    let lane = line_of(q, true) & 3u;
    tile_b[i][lane] = value.x;
    tile_b[i + PITCH][lane] = value.y;
    tile_b[i + 2u * PITCH][lane] = value.z;
    tile_b[i + 3u * PITCH][lane] = value.w;
  } else {
    tile_b[i] = value;
  }
}

@compute @workgroup_size(EDGE, EDGE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) id: vec3u,
  @builtin(local_invocation_index) q0: u32,
) {
  let place = place_of(group.z);
  let block = group.y * groups.x + group.x;
  let col_blocks = (params.cols4 + 2u * EDGE - 1u) / (2u * EDGE);
  let first_row = 8u * EDGE * (block / col_blocks);
  let first_col = 2u * EDGE * (block % col_blocks);
  // With EDGE = 8 an invocation loads two vectors of a and two of b for a slice, with 16 one.
  let q1 = q0 + EDGE * EDGE;
  let r0 = row_of(place, first_row + line_of(q0, !A_T));
  let r1 = row_of(place, first_row + line_of(q1, !A_T));

  var s00 = vec4f();
  var s01 = vec4f();
  var s10 = vec4f();
  var s11 = vec4f();
  var s20 = vec4f();
  var s21 = vec4f();
  var s30 = vec4f();
  var s31 = vec4f();
  var s40 = vec4f();
  var s41 = vec4f();
  var s50 = vec4f();
  var s51 = vec4f();
  var s60 = vec4f();
  var s61 = vec4f();
  var s70 = vec4f();
  var s71 = vec4f();
  var s = place.first;
  var k = 0u;
  var half = 0u;
  var end = segment_length(s);
  var base = b_base(place, s);
  var g0 = segment_of(place, r0, s);
  var g1 = segment_of(place, r1, s);
  // Turn i fetches slice i and sums slice i - 1.
  for (var first = true; ; first = false) {
    let more = s < place.end;
    var a0: vec4f;
    var b0: vec4f;
    var a1: vec4f;
    var b1: vec4f;
    if (more) {
      a0 = fetch_a(g0, q0, k, end);
      b0 = fetch_b(base, s, q0, first_col, k, end);
      if (EDGE < 16u) {
        a1 = fetch_a(g1, q1, k, end);
        b1 = fetch_b(base, s, q1, first_col, k, end);
      }
      k += DEPTH;
      if (k >= end) {
        k = 0u;
        s++;
        if (s < place.end) {
          end = segment_length(s);
          base = b_base(place, s);
          g0 = segment_of(place, r0, s);
          g1 = segment_of(place, r1, s);
        }
      }
    }
    if (!first) {
      for (var step = 0u; step < DEPTH; step++) {
        let at = half + step * PITCH;
        let a_low = tile_a[at + id.y];
        let a_high = tile_a[at + EDGE + id.y];
        let b_low = tile_b[at + id.x];
        let b_high = tile_b[at + EDGE + id.x];
        s00 = fma(vec4f(a_low.x), b_low, s00);
        s01 = fma(vec4f(a_low.x), b_high, s01);
        s10 = fma(vec4f(a_low.y), b_low, s10);
        s11 = fma(vec4f(a_low.y), b_high, s11);
        s20 = fma(vec4f(a_low.z), b_low, s20);
        s21 = fma(vec4f(a_low.z), b_high, s21);
        s30 = fma(vec4f(a_low.w), b_low, s30);
        s31 = fma(vec4f(a_low.w), b_high, s31);
        s40 = fma(vec4f(a_high.x), b_low, s40);
        s41 = fma(vec4f(a_high.x), b_high, s41);
        s50 = fma(vec4f(a_high.y), b_low, s50);
        s51 = fma(vec4f(a_high.y), b_high, s51);
        s60 = fma(vec4f(a_high.z), b_low, s60);
        s61 = fma(vec4f(a_high.z), b_high, s61);
        s70 = fma(vec4f(a_high.w), b_low, s70);
        s71 = fma(vec4f(a_high.w), b_high, s71);
      }
    }
    if (!more) { break; }
    half = HALF - half;
    put_a(half, q0, a0);
    put_b(half, q0, b0);
    if (EDGE < 16u) {
      put_a(half, q1, a1);
      put_b(half, q1, b1);
    }
    workgroupBarrier();
  }
  let row = first_row + 4u * id.y;
  let col = first_col + id.x;
  store(place, row, col, s00);
  store(place, row, col + EDGE, s01);
  store(place, row + 1u, col, s10);
  store(place, row + 1u, col + EDGE, s11);
  store(place, row + 2u, col, s20);
  store(place, row + 2u, col + EDGE, s21);
  store(place, row + 3u, col, s30);
  store(place, row + 3u, col + EDGE, s31);
  store(place, row + 4u * EDGE, col, s40);
  store(place, row + 4u * EDGE, col + EDGE, s41);
  store(place, row + 4u * EDGE + 1u, col, s50);
  store(place, row + 4u * EDGE + 1u, col + EDGE, s51);
  store(place, row + 4u * EDGE + 2u, col, s60);
  store(place, row + 4u * EDGE + 2u, col + EDGE, s61);
  store(place, row + 4u * EDGE + 3u, col, s70);
  store(place, row + 4u * EDGE + 3u, col + EDGE, s71);
}
