// Series where WGSL's own functions are differences of larger numbers, on some drivers or on all, and lose their digits.

// tanh(x) for |x| < 0.25.
fn small_tanh(x: F) -> F {
  let y = x * x;
  return x - x * y * (1.0 / 3.0 - y * (2.0 / 15.0 - y * (17.0 / 315.0 - y * (62.0 / 2835.0))));
}

// log(x) = 2 artanh((x - 1) / (x + 1)) for 0.75 < x < 1.25.
fn log_near_one(x: F) -> F {
  let s = (x - 1.0) / (x + 1.0);
  let y = s * s;
  return 2.0 * s + 2.0 * s * y * (1.0 / 3.0 + y * (1.0 / 5.0 + y * (1.0 / 7.0 + y * (1.0 / 9.0))));
}

// tanh(x) elsewhere, by exp: the standard lets the built-in be 1e-5 off.
fn large_tanh(x: F) -> F { return sign(x) * (1.0 - 2.0 / (exp(2.0 * min(abs(x), F(20.0))) + 1.0)); }

// log(1 + x) = 2 artanh(x / (2 + x)) for 0 <= x <= 1, where 1 + x would lose the digits of x.
fn log_one_plus(x: F) -> F {
  let s = x / (x + 2.0);
  let y = s * s;
  let rest = 1.0 / 7.0 + y * (1.0 / 9.0 + y * (1.0 / 11.0 + y * (1.0 / 13.0)));
  return 2.0 * s + 2.0 * s * y * (1.0 / 3.0 + y * (1.0 / 5.0 + y * rest));
}
