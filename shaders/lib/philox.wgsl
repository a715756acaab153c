// Philox4x32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011).

fn mul_wide(a: u32, b: u32) -> vec2u { // low, high
  let a0 = a & 0xffffu;
  let a1 = a >> 16u;
  let b0 = b & 0xffffu;
  let b1 = b >> 16u;
  let middle = a1 * b0 + ((a0 * b0) >> 16u);
  let carry = a0 * b1 + (middle & 0xffffu);
  return vec2u(a * b, a1 * b1 + (middle >> 16u) + (carry >> 16u));
}

fn philox(counter_in: vec4u, key_in: vec2u) -> vec4u {
  var counter = counter_in;
  var key = key_in;
  for (var round = 0u; round < 10u; round++) {
    let x = mul_wide(0xd2511f53u, counter.x);
    let z = mul_wide(0xcd9e8d57u, counter.z);
    counter = vec4u(z.y ^ counter.y ^ key.x, z.x, x.y ^ counter.w ^ key.y, x.x);
    key += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return counter;
}

// Uniform in [0, 1): the 24 high bits.
fn unit_float(bits: vec4u) -> vec4f {
  return vec4f(bits >> vec4u(8u)) * 5.9604644775390625e-8;
}
