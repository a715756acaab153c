// What all other folders use; not part of the package's interface.
export { checkOptions } from "./options.ts";
export { answerOtherNames } from "./other_names.ts";
