/** Names of PyTorch's modules, and what does the same here. */
const INSTEAD: Readonly<Record<string, string>> = {
  to: "{ device } where it is made",
  cuda: "{ device } where it is made",
  cpu: "{ device } where it is made",
  half: "autocast(() => model.forward(x))",
  float: "model as it is: weights are f32",
  double: "model as it is: weights are f32, as there is no f64 here",
  state_dict: "model.stateDict()",
  load_state_dict: "model.loadStateDict(state)",
  named_parameters: "model.namedParameters()",
  named_buffers: "model.namedBuffers()",
  named_modules: "model.namedModules()",
  requires_grad_: "model.requiresGrad(wanted)",
  zero_grad: "optimizer.zeroGrad(), which optimizer.step() spares",
  register_forward_hook: "model.registerForwardHook(hook)",
  children: "model.namedModules()",
  named_children: "model.namedModules()",
  modules: "model.namedModules()",
  buffers: "model.namedBuffers()",
  apply: "for (const [name, module] of model.namedModules())",
  register_buffer: "a field that holds the tensor",
  register_parameter: "a field that holds the Parameter",
  add_module: "a field that holds the module",
  toJSON: "await readState(model) of ./train, whose arrays can be written",
  predict: "model.forward(x)",
  call: "model.forward(x)",
};

/** Makes PyTorch's names of methods throw an error that names ours; a method of a subclass takes precedence. */
export function answerModuleNames(prototype: object): void {
  for (const [name, instead] of Object.entries(INSTEAD)) {
    const value = () => {
      throw new TypeError(`Cannot call ${name}() of a module as it is called otherwise here: use ${instead}`);
    };
    Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
  }
}
