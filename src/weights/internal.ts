// What other folders use beside mod.ts; not part of the package's interface.
export { ownValue, savedValue } from "./model_state.ts";
export { withPrefix } from "./with_prefix.ts";
