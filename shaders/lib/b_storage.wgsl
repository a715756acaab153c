// b of a product, where it lies: one of two ways to read it, joined after the aliases of its operands.
@group(0) @binding(2) var<storage, read> b: array<B4>;

fn b_at(i: u32) -> vec4f { return vec4f(b[i]); }
