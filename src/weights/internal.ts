// What other folders use beside mod.ts; not part of the package's interface.
export { loadDraws, readDraws, withoutDraws } from "./draws.ts";
export { ownValue, savedValue } from "./model_state.ts";
export { withPrefix } from "./with_prefix.ts";
