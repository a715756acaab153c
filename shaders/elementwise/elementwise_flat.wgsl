// The Params of elementwise.wgsl where no operand is strided; N1 … N3 are the types of the numbers.
struct Params { size: u32, inner: u32, a: N1, b: N2, c: N3 }
