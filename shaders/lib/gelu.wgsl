// The error function and the normal distribution, of vec4f, to the last digits of f32. Near 0 a polynomial of erf(z) / z in
// z², elsewhere one of exp(z²) erfc(z) / t in t = 1 / (1 + z / 2), both Chebyshev's: absolute error 1.3e-7.

// erfc(z) for z >= 0, without cancellation.
fn erfc_far(z: vec4f) -> vec4f {
  let t = 1.0 / (1.0 + 0.5 * z);
  var p = vec4f(-0.0429582968);
  p = p * t + 0.235551059;
  p = p * t - 0.426371932;
  p = p * t + 0.238951057;
  p = p * t - 0.0131491916;
  p = p * t + 0.200537667;
  p = p * t + 0.243110225;
  p = p * t + 0.282415807;
  p = p * t + 0.282082915;
  return exp(-z * z) * t * p;
}

// erf(z) for |z| <= 1.
fn erf_near(z: vec4f) -> vec4f {
  let u = z * z;
  var p = vec4f(7.88249745e-5);
  p = p * u - 0.000801885501;
  p = p * u + 0.00518931216;
  p = p * u - 0.0268543288;
  p = p * u + 0.112835974;
  p = p * u - 0.37612626;
  p = p * u + 1.12837911;
  return z * p;
}

fn erf(x: vec4f) -> vec4f {
  let z = min(abs(x), vec4f(6.0)); // 1 from there on in f32
  let far = sign(x) * (1.0 - erfc_far(z));
  return select(select(far, erf_near(x), z < vec4f(1.0)), x, is_nan(x));
}

// The part of the normal distribution below x.
fn normal_below(x: vec4f) -> vec4f {
  let z = min(abs(x) * 0.70710678, vec4f(10.0)); // 0 or 1 from there on in f32
  let tail = 0.5 * erfc_far(z);
  let far = select(tail, 1.0 - tail, x > vec4f(0.0));
  return select(far, 0.5 + 0.5 * erf_near(x * 0.70710678), z < vec4f(1.0));
}

fn normal_density(x: vec4f) -> vec4f {
  return 0.39894228 * exp(-0.5 * x * x);
}

// The slope of x s, s = 1 / (1 + exp(-2u)), u = sqrt(2 / pi) (x + 0.044715 x³).
fn gelu_tanh_slope(x: vec4f) -> vec4f {
  let z = smaller(vec4f(12.0), larger(vec4f(-12.0), x)); // 0 or 1 from there on in f32
  let steep = 1.5957691216 * (1.0 + 0.134145 * z * z);
  let up = exp(1.5957691216 * z * (1.0 + 0.044715 * z * z));
  return (1.0 + z * steep / (1.0 + up)) / (1.0 + 1.0 / up);
}
