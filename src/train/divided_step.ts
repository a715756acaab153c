import { FirstPass, runPass } from "../autograd/internal.ts";
import { backward, noGrad } from "../autograd/mod.ts";
import { compile, type Compiled } from "../compile/mod.ts";
import { slice } from "../ops/mod.ts";
import { copyInto, keep, Tensor, zeros } from "../tensor/mod.ts";
import { accumulate, assign } from "../tensor/internal.ts";
import type { StepAgreement } from "./ranks.ts";
import type { StepBatch, StepTools } from "./step_tools.ts";

/**
 * A step on a batch that is too large to be encoded at once, with the loss and the gradient of the whole batch
 * (GradCache): its parts are encoded without a graph, the loss and its gradient are those of all embeddings, then each
 * part is encoded again and differentiated from its embeddings' gradient on. So one part's activations are held at a
 * time, for one more forward pass. Batch normalisation has the statistics of each part, and moves the running ones in
 * the first pass only; dropout and stochastic depth draw in the second pass what they drew in the first.
 *
 * @see Gao et al., "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup", arXiv:2101.06983.
 */
export class DividedStep {
  #tools: StepTools;
  #encode: Compiled<[Tensor], Tensor>;
  #lossGradient: Compiled<[Tensor, Tensor | null], Tensor>;
  #addGradients: Compiled<[Tensor, Tensor, boolean], void>;
  #update: Compiled<[], void>;
  #sums = new Map<Tensor, Tensor>();
  #first = new FirstPass();
  /** Steps so far that were replayed. */
  replays = 0;

  /** Records nothing yet. */
  constructor(tools: StepTools) {
    this.#tools = tools;
    const { metrics: { device } } = tools;
    this.#encode = compile((views) => this.#encodePart(views), { device });
    this.#lossGradient = compile((z, prior) => this.#differentiateLoss(z, prior), { device });
    this.#addGradients = compile((views, grad, first) => this.#differentiatePart(views, grad, first), { device });
    this.#update = compile(() => this.#takeStep(), { device, check: "never" });
  }

  /**
   * Takes one step. `beforeFirst` is awaited where new kinds of work are recorded and few of them: all parts of a large
   * network are more than the device holds back.
   */
  async run({ parts, prior, agreed }: StepBatch, beforeFirst?: () => Promise<unknown>): Promise<void> {
    const { objective: { ranks }, optimizer, metrics: { device }, profile } = this.#tools;
    const replayed = this.#tools.compile && !profile && ranks.replayable;
    const before = this.#update.replays;
    this.#openSums();
    profile?.begin("forward");
    const encode = (views: Tensor) => replayed ? this.#encode(views) : this.#encodePart(views);
    const z = await this.#embedAll(parts, encode, beforeFirst);
    const grad = replayed ? this.#lossGradient(z, prior) : this.#differentiateLoss(z, prior, agreed);
    await profile?.end(device);
    profile?.begin("backward");
    let at = 0;
    for (const [i, views] of parts.entries()) {
      const own = slice(grad, [{ start: at, stop: at += views.shape[0]! }]);
      this.#first.choosePart(i);
      if (replayed) this.#addGradients(views, own, i === 0);
      else this.#differentiatePart(views, own, i === 0);
      if (i === 0) await beforeFirst?.();
    }
    await profile?.end(device);
    if (replayed) this.#update();
    else await this.#updateTogether();
    this.replays += this.#update.replays - before;
    optimizer.zeroGrad();
  }

  /** Frees sums and recordings. */
  dispose(): void {
    for (const each of [this.#encode, this.#lossGradient, this.#addGradients, this.#update]) each.dispose();
    for (const sum of this.#sums.values()) sum.dispose();
    this.#sums.clear();
  }

  /** Embeddings of all parts, below one another. */
  async #embedAll(
    parts: readonly Tensor[],
    encode: (views: Tensor) => Tensor,
    beforeFirst?: () => Promise<unknown>,
  ): Promise<Tensor> {
    const batch = parts.reduce((sum, { shape }) => sum + shape[0]!, 0);
    let all: Tensor | null = null;
    let at = 0;
    for (const [i, views] of parts.entries()) {
      this.#first.choosePart(i);
      const z = encode(views);
      all ??= new Tensor(z.device, [batch, ...z.shape.slice(1)]);
      copyInto(all, z, at);
      at += z.size;
      if (i === 0) await beforeFirst?.();
    }
    return all!;
  }

  /** Embeds the part that was chosen, the first time. */
  #encodePart(views: Tensor): Tensor {
    return runPass(this.#first, false, () => noGrad(() => this.#tools.objective.embed([views])));
  }

  /** The gradient of the loss with respect to all embeddings of this rank. */
  #differentiateLoss(z: Tensor, prior: Tensor | null, agreed?: StepAgreement): Tensor {
    const { objective, metrics } = this.#tools;
    const leaf = new Tensor(z.device, z.shape);
    assign(leaf, z);
    leaf.requiresGrad = true;
    const { loss, centroid_square } = objective.losses(leaf, prior, agreed);
    backward(objective.scaler?.scale(loss) ?? loss);
    metrics.push([loss, centroid_square]);
    objective.remember();
    const grad = leaf.grad!.alias();
    leaf.grad!.dispose();
    leaf.grad = null;
    return grad;
  }

  /** Encodes a part again and adds its gradients to the sums, or begins these with them. */
  #differentiatePart(views: Tensor, grad: Tensor, first: boolean): void {
    backward(runPass(this.#first, true, () => this.#tools.objective.embed([views])), { grad });
    for (const [parameter, sum] of this.#sums) {
      if (!parameter.grad) {
        throw new Error(`Cannot train in parts as every parameter must be used: got one that is not`);
      }
      if (first) assign(sum, parameter.grad);
      else accumulate(sum, parameter.grad);
      parameter.grad.dispose();
      parameter.grad = null;
    }
  }

  #takeStep(): void {
    const { optimizer, objective } = this.#tools;
    for (const [parameter, sum] of this.#sums) parameter.grad = keep(sum.alias());
    objective.update(optimizer);
  }

  /** The step with the gradients of all ranks. */
  async #updateTogether(): Promise<void> {
    const { objective, objective: { ranks }, optimizer, profile, metrics: { device } } = this.#tools;
    for (const [parameter, sum] of this.#sums) parameter.grad = keep(sum.alias());
    await ranks.finish(profile, [...this.#sums.keys()]);
    profile?.begin("optimiser");
    objective.update(optimizer);
    await profile?.end(device);
  }

  /** Makes room for the gradients of the parameters that learn. */
  #openSums(): void {
    for (const parameter of this.#tools.optimizer.parameters) {
      if (parameter.requiresGrad && !this.#sums.has(parameter)) {
        this.#sums.set(parameter, keep(zeros(parameter.shape, { device: parameter.device })));
      }
    }
  }
}
