// NaN is told by its bits: drivers may assume that comparisons and max() never see one. F is f32 or vec4f, U its bits.
fn is_nan(x: F) -> B {
  return (bitcast<U>(x) & U(0x7fffffffu)) > U(0x7f800000u);
}

// `first` unless `second` is larger or NaN.
fn larger(first: F, second: F) -> F {
  return select(first, second, (second > first) | is_nan(second));
}

// `first` unless `second` is smaller or NaN.
fn smaller(first: F, second: F) -> F {
  return select(first, second, (second < first) | is_nan(second));
}

// exp() and log() of NaN are numbers on some drivers, SwiftShader among them; so are its logarithms of infinity, of 0
// and of negative numbers.
fn exp_or_nan(x: F) -> F {
  return select(exp(x), x, is_nan(x));
}

fn log_or_nan(x: F) -> F {
  let bits = bitcast<U>(x);
  let size = bits & U(0x7fffffffu);
  let kept = select(log(x), x, size >= U(0x7f800000u));
  let special = bits | select(U(0x7fc00000u), U(0xff800000u), size == U(0u)); // NaN, or -infinity
  return select(kept, bitcast<F>(special), (size == U(0u)) | (bits > U(0x80000000u)));
}

// log_or_nan() of one sum of positive numbers, whatever F is.
fn log_of_sum(x: f32) -> f32 {
  return select(log(x), x, (bitcast<u32>(x) & 0x7fffffffu) >= 0x7f800000u);
}
