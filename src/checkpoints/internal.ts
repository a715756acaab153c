// What other folders use beside mod.ts; not part of the package's interface.
export { checkWritten } from "./file.ts";
