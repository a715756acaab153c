// What all other folders use; not part of the package's interface.
export { checkOptions } from "./options.ts";
export { answerNames } from "./answer_names.ts";
