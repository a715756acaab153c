// Winograd's F(4x4, 3x3), joined after conv2d_winograd: 36 multiplications give 16 outputs, where the plain sum takes 144. The
// points of the transform are 0, 1, -1, 1/2, -2 and infinity, whose rounding error is half of that of the usual 0, 1, -1, 2,
// -2.
const EDGE = 4u;

// A line of a patch, and of a tile.
struct FourPatchLine { a: V, b: V, c: V, d: V, e: V, f: V }
alias PatchLine = FourPatchLine;
struct FourTileLine { a: V, b: V, c: V, d: V }
alias TileLine = FourTileLine;

// Bt d
fn patch_line(p: PatchLine) -> PatchLine {
  let u = p.d - p.b;
  let v = p.e - p.c;
  return PatchLine(
    p.a + p.e + 1.5 * u - 2.0 * p.c,
    p.e - p.b + 0.5 * p.c + 2.5 * p.d,
    p.e + p.b - 2.5 * p.c + 0.5 * p.d,
    v + 2.0 * u,
    v - 0.5 * u,
    p.b + p.f + 1.5 * v - 2.0 * p.d,
  );
}

// At m
fn tile_line(m: PatchLine) -> TileLine {
  let sum = m.b + m.c;
  let difference = m.b - m.c;
  return TileLine(
    m.a + sum + m.d + m.e,
    difference + 0.5 * m.d - 2.0 * m.e,
    sum + 0.25 * m.d + 4.0 * m.e,
    difference + 0.125 * m.d - 8.0 * m.e + m.f,
  );
}

// A t
fn tile_adjoint(t: TileLine) -> PatchLine {
  return PatchLine(
    t.a,
    (t.a + t.c) + (t.b + t.d),
    (t.a + t.c) - (t.b + t.d),
    t.a + 0.5 * t.b + 0.25 * t.c + 0.125 * t.d,
    t.a - 2.0 * t.b + 4.0 * t.c - 8.0 * t.d,
    t.d,
  );
}

// G g
fn window_line(g: WindowLine) -> PatchLine {
  return PatchLine(
    g.a,
    (g.a + g.c + g.b) / 3.0,
    (g.b - (g.a + g.c)) / 3.0,
    (g.a + 0.5 * g.b + 0.25 * g.c) * (-16.0 / 15.0),
    (g.a - 2.0 * g.b + 4.0 * g.c) / 15.0,
    g.c,
  );
}

// Gt u
fn window_adjoint(u: PatchLine) -> WindowLine {
  let sum = (u.b + u.c) / 3.0;
  let difference = (u.b - u.c) / 3.0;
  let d = u.d * (16.0 / 15.0);
  let e = u.e / 15.0;
  return WindowLine(u.a + difference - d + e, sum - 0.5 * d - 2.0 * e, difference - 0.25 * d + 4.0 * e + u.f);
}

// Row i of the 6x6 positions.
fn put_line(at: u32, i: u32, row: PatchLine) {
  let step = params.channels;
  let first = at + 6u * i * step;
  y[first] = Y(row.a);
  y[first + step] = Y(row.b);
  y[first + 2u * step] = Y(row.c);
  y[first + 3u * step] = Y(row.d);
  y[first + 4u * step] = Y(row.e);
  y[first + 5u * step] = Y(row.f);
}

fn take_line(at: u32, i: u32) -> PatchLine {
  let step = params.channels;
  let first = at + 6u * i * step;
  return PatchLine(
    V(x[first]),
    V(x[first + step]),
    V(x[first + 2u * step]),
    V(x[first + 3u * step]),
    V(x[first + 4u * step]),
    V(x[first + 5u * step]),
  );
}

fn patch_column(tile: Tile, j: i32) -> PatchLine {
  let py = tile.y + params.offset_h;
  let px = tile.x + params.offset_w + j;
  return PatchLine(
    pixel(tile, py, px),
    pixel(tile, py + 1, px),
    pixel(tile, py + 2, px),
    pixel(tile, py + 3, px),
    pixel(tile, py + 4, px),
    pixel(tile, py + 5, px),
  );
}

// Bt d B
fn put_patch(tile: Tile, at: u32) {
  let c0 = patch_line(patch_column(tile, 0));
  let c1 = patch_line(patch_column(tile, 1));
  let c2 = patch_line(patch_column(tile, 2));
  let c3 = patch_line(patch_column(tile, 3));
  let c4 = patch_line(patch_column(tile, 4));
  let c5 = patch_line(patch_column(tile, 5));
  put_line(at, 0u, patch_line(PatchLine(c0.a, c1.a, c2.a, c3.a, c4.a, c5.a)));
  put_line(at, 1u, patch_line(PatchLine(c0.b, c1.b, c2.b, c3.b, c4.b, c5.b)));
  put_line(at, 2u, patch_line(PatchLine(c0.c, c1.c, c2.c, c3.c, c4.c, c5.c)));
  put_line(at, 3u, patch_line(PatchLine(c0.d, c1.d, c2.d, c3.d, c4.d, c5.d)));
  put_line(at, 4u, patch_line(PatchLine(c0.e, c1.e, c2.e, c3.e, c4.e, c5.e)));
  put_line(at, 5u, patch_line(PatchLine(c0.f, c1.f, c2.f, c3.f, c4.f, c5.f)));
}

// At m A: the tile whose products start at `at`, column by column.
struct FourColumns { a: TileLine, b: TileLine, c: TileLine, d: TileLine }
alias Columns = FourColumns;

fn columns_of(at: u32) -> Columns {
  let r0 = tile_line(take_line(at, 0u));
  let r1 = tile_line(take_line(at, 1u));
  let r2 = tile_line(take_line(at, 2u));
  let r3 = tile_line(take_line(at, 3u));
  let r4 = tile_line(take_line(at, 4u));
  let r5 = tile_line(take_line(at, 5u));
  return Columns(
    tile_line(PatchLine(r0.a, r1.a, r2.a, r3.a, r4.a, r5.a)),
    tile_line(PatchLine(r0.b, r1.b, r2.b, r3.b, r4.b, r5.b)),
    tile_line(PatchLine(r0.c, r1.c, r2.c, r3.c, r4.c, r5.c)),
    tile_line(PatchLine(r0.d, r1.d, r2.d, r3.d, r4.d, r5.d)),
  );
}

fn put_row(tile: Tile, i: i32, row: TileLine) {
  put_pixel(tile, tile.y + i, tile.x, row.a);
  put_pixel(tile, tile.y + i, tile.x + 1, row.b);
  put_pixel(tile, tile.y + i, tile.x + 2, row.c);
  put_pixel(tile, tile.y + i, tile.x + 3, row.d);
}

fn put_tile(tile: Tile, m: Columns) {
  put_row(tile, 0, TileLine(m.a.a, m.b.a, m.c.a, m.d.a));
  put_row(tile, 1, TileLine(m.a.b, m.b.b, m.c.b, m.d.b));
  put_row(tile, 2, TileLine(m.a.c, m.b.c, m.c.c, m.d.c));
  put_row(tile, 3, TileLine(m.a.d, m.b.d, m.c.d, m.d.d));
}

// Of a column of a tile that has `count` lines inside the image.
fn column_moments(count: u32, column: TileLine) -> Moments {
  return moments_of(count, column.a, column.b, column.c, column.d);
}

// Of a tile of which so many lines and columns, one at least, are inside.
fn tile_moments(lines: u32, columns: u32, m: Columns) -> Moments {
  let b = column_moments(select(0u, lines, columns > 1u), m.b);
  let c = column_moments(select(0u, lines, columns > 2u), m.c);
  let d = column_moments(select(0u, lines, columns > 3u), m.d);
  return joined(joined(column_moments(lines, m.a), b), joined(c, d));
}

// Row i of the 6x6 positions.
fn put_other(at: u32, i: u32, row: PatchLine) {
  let step = params.other_channels;
  let first = at + 6u * i * step;
  other[first] = O(row.a);
  other[first + step] = O(row.b);
  other[first + 2u * step] = O(row.c);
  other[first + 3u * step] = O(row.d);
  other[first + 4u * step] = O(row.e);
  other[first + 5u * step] = O(row.f);
}

// G g Gt
fn put_window(i: u32, at: u32) {
  let c0 = window_line(WindowLine(tap(i, 0u), tap(i, 3u), tap(i, 6u)));
  let c1 = window_line(WindowLine(tap(i, 1u), tap(i, 4u), tap(i, 7u)));
  let c2 = window_line(WindowLine(tap(i, 2u), tap(i, 5u), tap(i, 8u)));
  put_other(at, 0u, window_line(WindowLine(c0.a, c1.a, c2.a)));
  put_other(at, 1u, window_line(WindowLine(c0.b, c1.b, c2.b)));
  put_other(at, 2u, window_line(WindowLine(c0.c, c1.c, c2.c)));
  put_other(at, 3u, window_line(WindowLine(c0.d, c1.d, c2.d)));
  put_other(at, 4u, window_line(WindowLine(c0.e, c1.e, c2.e)));
  put_other(at, 5u, window_line(WindowLine(c0.f, c1.f, c2.f)));
}

fn tile_column(tile: Tile, j: i32) -> TileLine {
  let px = tile.x + j;
  return TileLine(
    grad_pixel(tile, tile.y, px),
    grad_pixel(tile, tile.y + 1, px),
    grad_pixel(tile, tile.y + 2, px),
    grad_pixel(tile, tile.y + 3, px),
  );
}

// A t At
fn put_tile_adjoint(tile: Tile, at: u32) {
  let c0 = tile_adjoint(tile_column(tile, 0));
  let c1 = tile_adjoint(tile_column(tile, 1));
  let c2 = tile_adjoint(tile_column(tile, 2));
  let c3 = tile_adjoint(tile_column(tile, 3));
  put_other(at, 0u, tile_adjoint(TileLine(c0.a, c1.a, c2.a, c3.a)));
  put_other(at, 1u, tile_adjoint(TileLine(c0.b, c1.b, c2.b, c3.b)));
  put_other(at, 2u, tile_adjoint(TileLine(c0.c, c1.c, c2.c, c3.c)));
  put_other(at, 3u, tile_adjoint(TileLine(c0.d, c1.d, c2.d, c3.d)));
  put_other(at, 4u, tile_adjoint(TileLine(c0.e, c1.e, c2.e, c3.e)));
  put_other(at, 5u, tile_adjoint(TileLine(c0.f, c1.f, c2.f, c3.f)));
}

// Gt u G
fn put_window_adjoint(i: u32, at: u32) {
  let r0 = window_adjoint(take_line(at, 0u));
  let r1 = window_adjoint(take_line(at, 1u));
  let r2 = window_adjoint(take_line(at, 2u));
  let r3 = window_adjoint(take_line(at, 3u));
  let r4 = window_adjoint(take_line(at, 4u));
  let r5 = window_adjoint(take_line(at, 5u));
  let c0 = window_adjoint(PatchLine(r0.a, r1.a, r2.a, r3.a, r4.a, r5.a));
  let c1 = window_adjoint(PatchLine(r0.b, r1.b, r2.b, r3.b, r4.b, r5.b));
  let c2 = window_adjoint(PatchLine(r0.c, r1.c, r2.c, r3.c, r4.c, r5.c));
  put_tap(i, 0u, c0.a);
  put_tap(i, 1u, c1.a);
  put_tap(i, 2u, c2.a);
  put_tap(i, 3u, c0.b);
  put_tap(i, 4u, c1.b);
  put_tap(i, 5u, c2.b);
  put_tap(i, 6u, c0.c);
  put_tap(i, 7u, c1.c);
  put_tap(i, 8u, c2.c);
}
