// What other folders use beside mod.ts; not part of the package's interface.
export { improves } from "./improvement.ts";
