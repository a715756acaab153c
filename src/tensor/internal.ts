// What other folders use beside mod.ts; not part of the package's interface.
export { checkOptions } from "../checks/internal.ts";
export { accumulate, addPair } from "./accumulate.ts";
export { castTo } from "./cast.ts";
export { assign } from "./copy.ts";
export { bytesOf } from "./dtype.ts";
export { checkHalf, elementAliases, floatOf, vectorAliases } from "./half.ts";
export { philox, uniformNumbers } from "./philox.ts";
export { own } from "./scope.ts";
export { checkSetting, checkSizes, describeGiven } from "./given.ts";
export { indented } from "./show.ts";
export { checkShape, normalizeDim, normalizeDims, stridesOf } from "./shape.ts";
