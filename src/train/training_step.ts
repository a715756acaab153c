import { compile, type Compiled } from "../compile/mod.ts";
import { scope, type Tensor } from "../tensor/mod.ts";
import { DividedStep } from "./divided_step.ts";
import type { StepBatch, StepTools } from "./step_tools.ts";

/** Takes steps: on a batch at once, on one in parts that are normalised together, or on one in parts one by one. */
export class TrainingSteps {
  #tools: StepTools;
  #compiled: Compiled<[Tensor | null, ...Tensor[]], void>;
  #divided: DividedStep;
  #begun = false;

  /** Records nothing yet. */
  constructor(tools: StepTools) {
    this.#tools = tools;
    const { device } = tools.metrics;
    this.#compiled = compile((prior, ...parts) => {
      for (const _ of this.#phases({ parts, prior }));
    }, { device });
    this.#divided = new DividedStep(tools);
  }

  /** Steps so far that were replayed instead of made anew. */
  get replays(): number {
    return this.#compiled.replays + this.#divided.replays;
  }

  /** Takes one step. */
  async run(batch: StepBatch): Promise<void> {
    const { beforeFirstStep, metrics: { device } } = this.#tools;
    if (this.#begun || !beforeFirstStep) return await this.#run(batch);
    this.#begun = true;
    await device.pipelines.hold(() => this.#run(batch, beforeFirstStep));
    await beforeFirstStep();
  }

  async #run(batch: StepBatch, beforeFirst?: () => Promise<unknown>): Promise<void> {
    const { profile, compile, joint, objective: { ranks }, metrics: { device } } = this.#tools;
    await profile?.end(device);
    using _ = scope();
    if (batch.parts.length > 1 && !joint) return await this.#divided.run(batch, beforeFirst);
    if (compile && !profile && ranks.replayable) return this.#compiled(batch.prior, ...batch.parts);
    for (const phase of this.#phases(batch)) {
      await profile?.end(device);
      if (phase === "optimiser") await ranks.finish(profile);
      if (phase) profile?.begin(phase);
    }
  }

  /** Frees what the recordings hold. */
  dispose(): void {
    this.#compiled.dispose();
    this.#divided.dispose();
  }

  /** The parts of a step; what is yielded names the part that comes next. */
  *#phases({ parts, prior, agreed }: Omit<StepBatch, "agreed"> & Partial<StepBatch>): Generator<string | null> {
    const { objective, optimizer, metrics, profile } = this.#tools;
    const { scaler, ranks } = objective;
    profile?.begin("forward");
    const { loss, centroid_square } = objective.losses(objective.embed(parts), prior, agreed);
    yield "backward";
    ranks.backward(scaler?.scale(loss) ?? loss);
    metrics.push([loss, centroid_square]);
    objective.remember();
    yield "optimiser";
    objective.update(optimizer);
    yield null;
  }
}
