// What other folders use beside mod.ts; not part of the package's interface.
export { MethodState } from "./method_state.ts";
export { defaultsOf, halvesOf, METHOD_NAMES, thoseWithPrior } from "./methods.ts";
export { patchOf } from "./models.ts";
