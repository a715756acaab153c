// The list of ops: one line a file.
export { abs, clamp, exp, log, neg, relu, sigmoid, sqrt, square, tanh } from "./unary.ts";
