// What other folders use beside mod.ts; not part of the package's interface.
export { own } from "./scope.ts";
export { checkSetting } from "./setting.ts";
