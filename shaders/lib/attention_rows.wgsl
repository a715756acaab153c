// What the passes over tiles of keys share: the eight rows of the result that an invocation adds up in its column, and a tile of
// factors for them in workgroup memory. Joined with a shader that has store(head, row, c, value), which writes one of them.
var<workgroup> tile: array<vec4f, 256>; // [32 queries, 8 vectors of keys]

struct EightRows { a0: vec4f, a1: vec4f, a2: vec4f, a3: vec4f, a4: vec4f, a5: vec4f, a6: vec4f, a7: vec4f }

// Adds four keys, the vector t of the tile, to the rows from `row` on; a column of `keys` is the invocation's vector of one.
fn add_keys(rows: ptr<function, EightRows>, keys: mat4x4f, row: u32, t: u32) {
  (*rows).a0 += keys * tile[8u * row + t];
  (*rows).a1 += keys * tile[8u * row + 8u + t];
  (*rows).a2 += keys * tile[8u * row + 16u + t];
  (*rows).a3 += keys * tile[8u * row + 24u + t];
  (*rows).a4 += keys * tile[8u * row + 32u + t];
  (*rows).a5 += keys * tile[8u * row + 40u + t];
  (*rows).a6 += keys * tile[8u * row + 48u + t];
  (*rows).a7 += keys * tile[8u * row + 56u + t];
}

fn store_rows(head: Head, row: u32, c: u32, rows: EightRows) {
  store(head, row, c, rows.a0);
  store(head, row + 1u, c, rows.a1);
  store(head, row + 2u, c, rows.a2);
  store(head, row + 3u, c, rows.a3);
  store(head, row + 4u, c, rows.a4);
  store(head, row + 5u, c, rows.a5);
  store(head, row + 6u, c, rows.a6);
  store(head, row + 7u, c, rows.a7);
}

// Keys that the queries of a tile from `first` on see: where causal, those up to its end.
fn keys_seen(first: u32) -> u32 { return select(params.keys, min(params.keys, first + TILE), params.causal == 1u); }
