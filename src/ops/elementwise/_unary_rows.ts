import type { ShaderPart } from "../../device/mod.ts";
import type { Nothing } from "../../device/internal.ts";
import { lib_gelu, lib_series } from "../../shaders/lib.ts";

/** One elementwise op: WGSL expressions of `x: F` (that is `vec4f`), and of the scalars `params.a` and `params.b` where it has some. */
export interface Row {
  readonly value: string;
  readonly slope: string;
  /** WGSL that they call. */
  readonly uses?: ShaderPart<Nothing, Nothing>;
}

/**
 * The ops by name. NaN passes everywhere, as in PyTorch: a diverged step must not look like zeros. WGSL's max, min and clamp
 * drop it on some drivers, and comparisons that select between two values too (Mesa 22.3), as its exp and log do
 * (SwiftShader).
 */
export const ROWS = {
  abs: { value: "abs(x)", slope: "sign(x)" },
  clamp: {
    value: "smaller(F(params.b), larger(F(params.a), x))",
    slope: "select(F(0.0), F(1.0), (x >= F(params.a)) & (x <= F(params.b)))",
  },
  erf: { value: "erf(x)", slope: "1.1283791671 * exp_or_nan(-x * x)", uses: lib_gelu },
  exp: { value: "exp_or_nan(x)", slope: "exp_or_nan(x)" },
  gelu: { value: "x * normal_below(x)", slope: "normal_below(x) + x * normal_density(x)", uses: lib_gelu },
  geluSigmoid: {
    value: "x / (1.0 + exp(-1.702 * x))",
    slope: "(1.0 + 1.702 * x / (1.0 + exp(1.702 * x))) / (1.0 + exp(-1.702 * x))",
  },
  geluTanh: {
    value: "x / (1.0 + exp(-1.5957691216 * x * (1.0 + 0.044715 * x * x)))",
    slope: "gelu_tanh_slope(x)",
    uses: lib_gelu,
  },
  hardswish: {
    value: "x * smaller(F(6.0), larger(F(0.0), x + 3.0)) / 6.0",
    slope: "select(select(x / 3.0 + 0.5, F(1.0), x >= F(3.0)), F(0.0), x <= F(-3.0))",
  },
  leakyRelu: {
    value: "select(params.a * x, x, x > F(0.0))",
    slope: "select(F(params.a), F(1.0), x > F(0.0))",
  },
  log: {
    value: "select(log_or_nan(x), log_near_one(x), abs(x - 1.0) < F(0.25))",
    slope: "1.0 / x",
    uses: lib_series,
  },
  neg: { value: "-x", slope: "F(-1.0)" },
  relu: { value: "larger(F(0.0), x)", slope: "select(F(0.0), F(1.0), (x > F(0.0)) | is_nan(x))" },
  sigmoid: {
    value: "1.0 / (1.0 + exp_or_nan(-x))",
    slope: "(1.0 / (1.0 + exp_or_nan(-x))) * (1.0 / (1.0 + exp(x)))",
  },
  silu: {
    value: "x / (1.0 + exp(-x))",
    slope: "(1.0 + x / (1.0 + exp(x))) / (1.0 + exp(-x))",
  },
  softplus: {
    value: "larger(F(0.0), x) + log_one_plus(exp_or_nan(-abs(params.a * x))) / params.a",
    slope: "1.0 / (1.0 + exp_or_nan(-params.a * x))",
    uses: lib_series,
  },
  sqrt: { value: "sqrt(x)", slope: "0.5 / sqrt(x)" },
  square: { value: "x * x", slope: "2.0 * x" },
  // WGSL's tanh may overflow for large |x|, and is a difference of exponentials for small ones; its slope is 1 - tanh².
  tanh: {
    value: "select(select(large_tanh(x), small_tanh(x), abs(x) < F(0.25)), x, is_nan(x))",
    slope: "1.0 - value(x) * value(x)",
    uses: lib_series,
  },
} as const satisfies Record<string, Row>;
