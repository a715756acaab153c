// What other folders use beside mod.ts; not part of the package's interface.
export { type BatchPart, joinRows, partsOfBatches } from "./batch_parts.ts";
export { divisionNote } from "./micro_batch.ts";
export { trainingOptions } from "./resolve.ts";
export { withDefaults } from "./setting.ts";
