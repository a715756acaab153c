/** Names that users of other libraries read of a tensor, parted by spaces, and what gives it here. */
const INSTEAD: Readonly<Record<string, string>> = {
  "T t": "transpose(x)",
  view: "reshape(x, shape)",
  flatten: "reshape(x, [-1])",
  "ndim dim": "x.rank",
  length: "x.shape[0]",
  numel: "x.size",
  "numpy tolist array arraySync dataSync cpu map forEach toJSON": "await x.data()",
  cuda: "{ device } where it is made",
  to: "{ device } where it is made, or cast(x, dtype)",
  float: 'cast(x, "f32")',
  half: 'cast(x, "f16")',
  clone: "mul(x, 1)",
  backward: "backward(x)",
  detach: "detach(x)",
  "requires_grad requires_grad_": "requireGrad(x)",
  "mm bmm": "matmul(x, y)",
  argmax: "argMax(x)",
  softmax: "softmax(x, dim)",
  std: "sqrt(variance(x))",
  var: "variance(x)",
  norm: "sqrt(sum(square(x)))",
  "long int": 'cast(x, "i32")',
  double: "f32, as there is no f64 here",
  contiguous: "x as it is: every tensor is contiguous",
  expand: "broadcastTo(x, shape)",
  repeat: "concat([x, x], dim)",
  "chunk split": "slice(x, [{ start, stop }])",
  unbind: "indexSelect(x, 0, [i])",
  masked_fill: "where(mask, value, x)",
  eq: "equal(x, y)",
  is_cuda: "x.device",
  is_leaf: "x.requiresGrad",
  grad_fn: "x.link",
  "-1": "indexSelect(x, 0, [-1])",
  "0 1 2": "slice(x, [{ start: i, stop: i + 1 }]) or indexSelect(x, 0, [i])",
};

/** Functions of the same name: `x.sum()` is `sum(x)`, `x.add(y)` is `add(x, y)`. */
const OF_ONE =
  "abs argMax clamp exp log max mean min neg permute relu reshape sigmoid sqrt square squeeze sum tanh transpose unsqueeze";
const OF_TWO = "add div gather matmul mul pow sub";
/** Names that change a tensor in place elsewhere, and what makes a new one here or writes. */
const IN_PLACE = "add_ sub_ mul_ div_ pow_ clamp_ relu_ exp_ sqrt_ zero_ fill_ copy_ normal_ uniform_";

/** Makes the names of members that tensors of other libraries have throw an error that says what to call here. */
export function answerOtherNames(prototype: object): void {
  const ofOne = OF_ONE.split(" ").map((name): [string, string] => [name, `${name}(x)`]);
  const ofTwo = OF_TWO.split(" ").map((name): [string, string] => [name, `${name}(x, y)`]);
  const inPlace = IN_PLACE.split(" ").map((name): [string, string] => [
    name,
    /^(zero|fill|copy|normal|uniform)_$/.test(name)
      ? "fill(x, value) or x.write(values)"
      : `y = ${name.slice(0, -1)}(x, …)`,
  ]);
  const others = Object.entries(INSTEAD).flatMap(([names, use]) =>
    names.split(" ").map((name) => [name, use] as const)
  );
  for (const [name, instead] of [...others, ...ofOne, ...ofTwo, ...inPlace]) {
    const shown = /^-?\d/.test(name) ? `x[${name}]` : `x.${name}`;
    const refuse = (verb: string) => () => {
      throw new TypeError(`Cannot ${verb} ${shown} as functions are given tensors here: use ${instead}`);
    };
    Object.defineProperty(prototype, name, { get: refuse("read"), set: refuse("set"), configurable: true });
  }
  Object.defineProperty(prototype, Symbol.iterator, { value: refuseIteration, configurable: true });
}

/** Answers `for (const row of x)`, `[...x]` and `Array.from(x)`: which would have to wait for the device at each row. */
function refuseIteration(this: { readonly shape: readonly number[] }): never {
  throw new TypeError(
    `Cannot iterate over a tensor [${this.shape}] as its elements are on the device: use indexSelect(x, 0, [i]) for row ` +
      "i of x.shape[0], or await x.data() for the elements",
  );
}
