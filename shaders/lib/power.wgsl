// Powers as PyTorch has them, also of negative bases and zero. Whole exponents up to 15 are products, others exp2(y log2|x|).
fn power(x: F, y: F) -> F {
  let whole = floor(y) == y;
  let negative = x < F(0.0);
  let magnitude = exp2(y * log2(abs(x)));
  let odd = whole & (abs(y) < F(16777216.0)) & (fract(abs(y) * 0.5) != F(0.0));
  let endless = abs(y) > F(3.4028234663852886e38);
  var result = select(magnitude, -magnitude, negative & odd);
  result = select(result, bits_as_float(0x7fc00000u), negative & !whole & !(abs(x) > F(3.4028234663852886e38)));
  let of_zero = select(bits_as_float(0x7f800000u), F(0.0), y > F(0.0));
  let minus_zero = bitcast<U>(x) == U(0x80000000u);
  let unknown = (bitcast<U>(y) & U(0x7fffffffu)) > U(0x7f800000u);
  result = select(result, select(select(of_zero, -of_zero, minus_zero & odd), y, unknown), x == F(0.0));
  result = select(result, F(1.0), (x == F(1.0)) | ((x == F(-1.0)) & endless));
  return select(result, whole_power(x, y), whole & (abs(y) <= F(15.0)));
}

fn whole_power(x: F, y: F) -> F {
  let n = U(min(abs(y), F(15.0)));
  let squared = x * x;
  let fourth = squared * squared;
  var product = select(F(1.0), x, (n & U(1u)) != U(0u));
  product *= select(F(1.0), squared, (n & U(2u)) != U(0u));
  product *= select(F(1.0), fourth, (n & U(4u)) != U(0u));
  product *= select(F(1.0), fourth * fourth, (n & U(8u)) != U(0u));
  return select(product, 1.0 / product, y < F(0.0));
}

// NaN and infinities cannot be written as constants in WGSL, so their bits pass through a variable.
fn bits_as_float(bits: u32) -> F {
  var word = bits;
  return F(bitcast<f32>(word));
}
