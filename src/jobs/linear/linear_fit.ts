import { encodeForFrozenSgd, inOrderOf } from "../../eval/internal.ts";
import { frozenSgd, type FrozenSgdOptions, type LinearClassifier, searchLinear, type Task } from "../../eval/mod.ts";
import type { LinearEvent, LinearInput } from "./events.ts";
import type { TaskResult } from "./task_result.ts";
import { withProgress } from "./progress_events.ts";

/** A classifier and how it came about. */
export type Fitted = Pick<TaskResult, "search" | "epochs"> & { classifier: LinearClassifier };

/** Takes the given classifier, or fits one. */
export async function* fitLinear(input: LinearInput, task: Task): AsyncGenerator<LinearEvent, Fitted> {
  if (!input.classifiers) {
    return input.settings.augmented ? yield* fitFrozen(input, task) : yield* fitFeatures(input, task);
  }
  const found = input.classifiers.find(({ name }) => name === task.name);
  if (!found) {
    throw new TypeError(
      `Cannot evaluate ${task.name} as there must be a classifier for it: got ${
        input.classifiers.map(({ name }) => name).join(", ")
      }`,
    );
  }
  return { classifier: inOrderOf(found, task.classes), search: null, epochs: null };
}

async function* fitFeatures({ device, settings }: LinearInput, task: Task): AsyncGenerator<LinearEvent, Fitted> {
  const { features, labels } = task.train;
  const search = yield* withProgress(`fit ${task.name}`, (tell) =>
    searchLinear(features, labels, {
      ...{ device, classes: task.classes.length, batchSize: settings.batch_size, lr: settings.lr, seed: settings.seed },
      method: settings.method ?? undefined,
      epochs: 2 * settings.epochs,
      onProgress: (done) => tell(done, `${labels.length} samples`),
    }));
  return { search, epochs: null, classifier: search.classifier };
}

async function* fitFrozen(input: LinearInput, task: Task): AsyncGenerator<LinearEvent, Fitted> {
  const { device, loaded, train, settings: { epochs } } = input;
  const fitted = yield* withProgress("train", (tell) =>
    frozenSgd(device, loaded.encoder, train, task.test, {
      ...frozenOptions(input),
      onEpoch: ({ epoch, loss, top1 }) =>
        tell(epoch / epochs, `epoch ${epoch}, loss ${loss.toFixed(4)}, top-1 ${(100 * top1).toFixed(1)} %`, {
          ...{ epoch, loss, top1 },
        }),
    }));
  return { search: null, epochs: fitted.epochs, classifier: fitted.classifier };
}

/** Runs on the other ranks while rank 0 fits: encodes their part where rank 0 trains on augmented images. */
export async function assistLinear(input: LinearInput): Promise<void> {
  const { device, loaded, train, settings, classifiers } = input;
  if (classifiers || !settings.augmented) return;
  await encodeForFrozenSgd(device, loaded.encoder, train, frozenOptions(input));
}

function frozenOptions({ settings, group }: LinearInput): FrozenSgdOptions {
  const { feature, epochs, batch_size: batchSize, lr, momentum, wd: weightDecay, resolution, workers, seed } = settings;
  return { feature, epochs, lr, momentum, resolution, workers, seed, batchSize, weightDecay, group };
}
