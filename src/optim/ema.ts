import { ema as code } from "../shaders/optim.ts";
import type { Tensor } from "../tensor/mod.ts";
import { assign, checkOptions } from "../tensor/internal.ts";
import { tensorsOf } from "./_tensors.ts";
import { batches, manyProgram, type ManyShader } from "./_many.ts";

/** Settings of an {@linkcode EMA}. */
export interface EMAOptions {
  /** Weight of what was before, in [0, 1]. */
  decay: number;
}

const SHADER = {
  name: "ema",
  code,
  scalars: { decay: "f32", rest: "f32" },
  extra: [],
  states: [],
  update: "ema(w, g)",
} as const satisfies ManyShader;

/**
 * Exponential moving average of tensors, such as the parameters and the running statistics of a module:
 * `target ← decay · target + (1 − decay) · source`, on the device, a dispatch for as many tensors as it binds. It reads
 * nothing back and takes part in `compile`; `decay` may change between steps.
 *
 * @example Weights of a network, averaged over steps
 * ```ts
 * import { Device, tensor, zeros } from "@decoupled/uniformity";
 * import { Linear } from "@decoupled/uniformity/nn";
 * import { EMA } from "@decoupled/uniformity/optim";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const model = new Linear({ inFeatures: 2, outFeatures: 1 });
 * const average = new Linear({ inFeatures: 2, outFeatures: 1 });
 * const ema = new EMA(average.stateDict().values(), model.stateDict().values(), { decay: 0.75 }); // begins as a copy
 * model.weight.write(Float32Array.of(8, 8));
 * average.weight.write(Float32Array.of(0, 4));
 * ema.update();
 * assertEquals(await average.weight.data(), Float32Array.of(2, 5));
 * ```
 *
 * @see `torch.optim.swa_utils.AveragedModel` with an averaging function; He et al., "Momentum Contrast", arXiv:1911.05722.
 */
export class EMA {
  /** Weight of what was before in the next update, in [0, 1]. */
  decay: number;
  #slots: { weight: Tensor; grad: Tensor; states: [] }[];

  /**
   * Copies the sources into the targets, which are the caller's, as all that follows.
   *
   * @param targets f32, of the sources' shapes; one that comes again, as a shared parameter, is averaged once.
   * @param sources What is averaged.
   * @param options `decay`.
   * @throws {TypeError} If targets and sources do not pair up.
   * @throws {RangeError} If `decay` is not in [0, 1].
   */
  constructor(targets: Iterable<Tensor>, sources: Iterable<Tensor>, options: EMAOptions) {
    checkOptions("make EMA", options, ["decay"]);
    const to = tensorsOf("make an EMA", "targets", targets);
    const from = tensorsOf("make an EMA", "sources", sources);
    const wrong = to.findIndex((each, i) => `${each.shape}` !== `${from[i]?.shape}`);
    if (to.length === 0 || to.length !== from.length || wrong >= 0) {
      const shapes = wrong < 0 ? "" : `, [${to[wrong]!.shape}] for [${from[wrong]?.shape}] at ${wrong}`;
      throw new TypeError(
        "Cannot make an EMA as targets must be as many as sources, at least one, of the same shapes: " +
          `got ${to.length} and ${from.length}${shapes}`,
      );
    }
    const shared = to.findIndex(({ storage }) => from.some((each) => each.storage === storage));
    if (shared >= 0) {
      throw new TypeError(
        `Cannot make an EMA as targets must be other tensors than the sources: got [${
          to[shared]!.shape
        }] at ${shared} twice`,
      );
    }
    const other = [...to, ...from].find(({ dtype }) => dtype !== "f32");
    if (other) throw new TypeError(`Cannot make an EMA as tensors must be f32: got ${other.dtype} [${other.shape}]`);
    checkDecay("make an EMA", options.decay);
    this.decay = options.decay;
    const isFirst = ({ storage }: Tensor, i: number) => to.findIndex((each) => each.storage === storage) === i;
    this.#slots = to.map((weight, i) => ({ weight, grad: from[i]!, states: [] as [] })).filter(({ weight }, i) =>
      isFirst(weight, i)
    );
    for (const { weight, grad } of this.#slots) assign(weight, grad);
  }

  /**
   * Moves the targets towards the sources.
   *
   * @throws {RangeError} If `decay` is not in [0, 1].
   */
  update(): void {
    const { device } = this.#slots[0]!.weight;
    checkDecay("update() an EMA", this.decay);
    const scalars = { decay: () => this.decay, rest: () => 1 - this.decay };
    device.run("ema", [], () => {
      for (const { slots, params, buffers, workgroups } of batches(device, this.#slots, SHADER)) {
        const program = manyProgram(device, SHADER, "step", slots.length, false);
        device.dispatch(program, { params: { ...scalars, ...params }, buffers, workgroups });
      }
    });
  }
}

function checkDecay(task: string, decay: number): void {
  if (typeof decay === "number" && decay >= 0 && decay <= 1) return;
  throw new RangeError(`Cannot ${task} as decay must be in [0, 1]: got ${decay}`);
}
