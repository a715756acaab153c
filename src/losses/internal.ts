// What other folders use beside mod.ts; not part of the package's interface.
export { compareClusters } from "./cl_info_nce.ts";
export { identity } from "./_views.ts";
