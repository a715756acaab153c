// What other folders use beside mod.ts; not part of the package's interface.
export { loadSharp } from "./sharp.ts";
