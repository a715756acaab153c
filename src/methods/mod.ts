/** Methods of contrastive learning: their losses, and the models and the state that they need. */
export { type Method, type MethodInput, type MethodName, METHODS } from "./methods.ts";
export { makeModel, type ModelOptions, NETWORKS } from "./models.ts";
