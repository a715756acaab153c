// b of a product, in f32, through a texture of 4096 columns: one of two ways to read it.
//
// llvmpipe loads from a buffer lane by lane, with a test of the lane and of the bounds for each number; a texel is one load
// without a test: a product takes half to two thirds of the time.
@group(0) @binding(2) var b: texture_storage_2d<rgba32float, read>;

fn b_at(i: u32) -> vec4f { return textureLoad(b, vec2u(i & 4095u, i >> 12u)); }
