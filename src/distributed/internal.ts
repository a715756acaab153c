// What other folders use beside mod.ts; not part of the package's interface.
export { groupOf } from "./single_process.ts";
