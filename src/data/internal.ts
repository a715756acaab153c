// What other folders use beside mod.ts; not part of the package's interface.
export { applySpec, toGray } from "./resize.ts";
export { bindingBytes, imagesAtOnce, largestFitting, leastOf, partSizes, rowsAtOnce, split } from "./views/fitting.ts";
