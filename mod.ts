export * from "./src/device/mod.ts";
export * from "./src/tensor/mod.ts";
export * from "./src/autograd/mod.ts";
export * from "./src/compile/mod.ts";
export * from "./src/ops/mod.ts";
export * from "./src/tune/mod.ts";
