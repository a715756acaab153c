/**
 * Weights of networks by name, in PyTorch's layout: this library's, and those that other programs saved under theirs.
 *
 * @module
 */
export { type ConvNextOrigin, type ConvNextState, convnextState } from "./convnext_state.ts";
export { loadState, readState, type StateDict } from "./model_state.ts";
export { type VitChoices, type VitOrigin, type VitState, vitState } from "./vit_state.ts";
