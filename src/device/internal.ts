// What other folders use beside mod.ts; not part of the package's interface.
export { bindingsOf, type RecordedDispatch } from "./replay/recording.ts";
export { READ_TEXTURES } from "./adapter.ts";
export type { PipelinePlan } from "./pipelines.ts";
export { compilePlans, plansOf } from "./plans.ts";
export { environment } from "./environment.ts";
export { type Nothing, withParts, withTypes } from "./program.ts";
