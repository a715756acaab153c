/** Names of PyTorch's modules, parted by spaces, and what does the same here. */
export const OTHER_NAMES: Readonly<Record<string, string>> = {
  "children named_children modules named_modules apply": "model.namedModules()",
  "buffers named_buffers": "model.namedBuffers()",
  "to cuda cpu": "{ device } where it is made",
  half: "autocast(() => model.forward(x))",
  "float double": "model as it is: weights are f32",
  state_dict: "model.stateDict()",
  load_state_dict: "model.loadStateDict(state)",
  named_parameters: "model.namedParameters()",
  requires_grad_: "model.requiresGrad(wanted)",
  zero_grad: "optimizer.zeroGrad()",
  register_forward_hook: "model.registerForwardHook(hook)",
  toJSON: "await readState(model) of ./train",
  "predict call": "model.forward(x)",
};
