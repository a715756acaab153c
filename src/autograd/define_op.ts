import { type DType, Tensor, tidy } from "../tensor/mod.ts";
import { castTo, describeGiven } from "../tensor/internal.ts";
import { autocastSums, fullPrecision, withSums } from "./autocast.ts";
import { isGradEnabled, noGrad } from "./mode.ts";
import { TapeNode } from "./node.ts";
import { OpContext } from "./op_context.ts";
import { noteLeaves } from "./recompute.ts";
import { showResult } from "./watch.ts";

/** An op: what it computes, and how its gradient flows back. */
export interface OpDefinition<I extends readonly Tensor[], A> {
  /** Name in errors, profiles and the graph: that of the public function. */
  name: string;
  /** Whether `forward` reads f16 inputs; otherwise they are cast to f32 before it, and their gradients back. */
  half?: boolean;
  /** Computes the output; calls `context.save` for what `backward` needs. */
  forward(context: OpContext, inputs: I, attrs: A): Tensor;
  /**
   * Computes the gradient of each input from that of the output, or null where `context.needsGrad` is false. It sees
   * `context.saved` and `context.shapes`; what else it makes is freed when it returns.
   */
  backward?(context: OpContext, grad: Tensor, attrs: A): readonly (Tensor | null)[];
  /**
   * Tells for which inputs and attributes `backward` adds a second gradient of the output, `context.otherGrad`, to the
   * first itself, where two ops used the output; for none by default: gradients are added before it.
   */
  addsGrads?(context: OpContext, attrs: A): boolean;
  /**
   * Offers to take the gradient of the output in another way, to the op that completes it by adding to what other uses
   * left (`context.soFar`). Where that op took it up, `backward` finds the offer as `context.received`.
   */
  receives?(context: OpContext, attrs: A): Disposable | null;
  /**
   * Makes the output again from `context.saved` (rematerialisation), where that is cheaper than to keep it. Ops that
   * save the output then save this instead, and it runs in their backward.
   */
  remake?(context: OpContext, attrs: A): Tensor;
  /** Tells for which attributes `remake` is used; for all by default. */
  remakes?(attrs: A): boolean;
  /** Reason why there is no `backward`, for example `"it is piecewise constant"`. */
  notDifferentiable?: string;
}

/**
 * Makes a function of tensors that puts itself on the tape for `backward`.
 *
 * @returns A function of the inputs (an array) and the attributes. Its result is of dtype `R` to the type checker: f32 by
 *   default, also where values are f16 in half precision.
 *
 * @example A cube, from existing ops
 * ```ts
 * import { backward, defineOp, Device, mul, sum, tensor, type Tensor } from "@decoupled/uniformity";
 * import { assertEquals } from "@std/assert";
 *
 * const cubeOp = defineOp<[Tensor], null>({
 *   name: "cube",
 *   forward(context, [x]) {
 *     context.save(x);
 *     return mul(mul(x, x), x);
 *   },
 *   backward: ({ saved: [x] }, grad) => [mul(grad, mul(mul(x!, x!), 3))],
 * });
 *
 * await using _device = await Device.open();
 * const x = tensor([1, 2]);
 * x.requiresGrad = true;
 * backward(sum(cubeOp([x], null)));
 * assertEquals(await x.grad!.data(), new Float32Array([3, 12]));
 * ```
 */
export function defineOp<I extends readonly Tensor[], A, R extends DType = "f32">(
  definition: OpDefinition<I, A>,
): (inputs: I, attrs: A) => Tensor<R> {
  const { name } = definition;
  return function op(inputs: I, attrs: A): Tensor<R> {
    const device = checkDevices(name, inputs);
    noteLeaves(name, inputs);
    const wanted = isGradEnabled() ? inputs.map(wantsGrad) : inputs.map(() => false);
    if (device.recordings.active && isGradEnabled()) inputs.forEach(dependOnLeaf);
    if (!definition.backward && wanted.includes(true)) {
      throw new TypeError(
        `Cannot differentiate ${name}() as ${definition.notDifferentiable ?? "it has no gradient"}: ` +
          `call it inside noGrad() or on detach()ed inputs`,
      );
    }
    const context = new OpContext(wanted, inputs);
    // An op may be made of ops: they are not on the tape, and what they made between is freed.
    const forward = definition.half
      ? () => definition.forward(context, inputs, attrs)
      : () => fullPrecision(() => definition.forward(context, inFull(inputs), attrs)); // also where it is made of ops
    const output = device.run(name, context.shapes, () => noGrad(() => tidy(forward))) as Tensor as Tensor<R>;
    showResult({ op: name, pass: "forward", shapes: context.shapes, tensor: output });
    if (!context.taped || !definition.backward) return output;
    const parents = inputs.map((input, i) => wanted[i] ? parentOf(input) : null);
    const { backward } = definition;
    const sums = autocastSums();
    const node = new TapeNode(name, output, parents, context, {
      backward: (grad) => withSums(sums, () => backward(context, grad, attrs)),
      addsGrads: definition.addsGrads?.(context, attrs) ?? false,
      remake: definition.remake && (definition.remakes?.(attrs) ?? true)
        ? () => definition.remake!(context, attrs)
        : null,
      receives: () => definition.receives?.(context, attrs) ?? null,
    });
    output.attach(node);
    return output;
  };
}

/** The inputs, those in f16 cast to f32. */
function inFull<I extends readonly Tensor[]>(inputs: I): I {
  if (inputs.every(({ dtype }) => dtype !== "f16")) return inputs;
  return inputs.map((input) => input.dtype === "f16" ? castTo(input, "f32") : input) as readonly Tensor[] as I;
}

/** Tells whether a gradient would flow to the tensor. */
export function wantsGrad(tensor: Tensor): boolean {
  return tensor.requiresGrad || tensor.link !== null;
}

/** A recorded step depends on which of its leaves want gradients, and on that they have none. */
function dependOnLeaf(x: Tensor): void {
  if (x.link || x.storage.owner) return; // made in the step
  const state = () => !x.requiresGrad ? "fixed" : x.disposed ? "disposed" : x.grad ? "has a gradient" : "learns";
  x.device.recordings.depend(state, x);
}

function parentOf(input: Tensor): TapeNode | Tensor | null {
  return input.link instanceof TapeNode ? input.link : input;
}

function checkDevices(name: string, inputs: readonly Tensor[]): Tensor["device"] {
  const first = inputs[0]!;
  if (inputs.length === 0) throw new TypeError(`Cannot run ${name}() without inputs`);
  for (const input of inputs) {
    if (!(input instanceof Tensor)) {
      throw new TypeError(`Cannot run ${name}() as its inputs must be tensors: got ${describeGiven(input)}`);
    }
    if (input.device !== first.device) {
      throw new TypeError(
        `Cannot run ${name}() as its inputs must be on one device: got ${first.device.info.description} and ` +
          `${input.device.info.description} (opened separately)`,
      );
    }
  }
  return first.device;
}
