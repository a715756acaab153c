import type { Communicator } from "../../distributed/mod.ts";
import type { Checkpoint } from "../../checkpoints/mod.ts";
import { findCheckpoint, type FoundCheckpoint, type RunFolder } from "./run_folder.ts";
import type { JobInput } from "./events.ts";
import { dataFacts } from "./data_facts.ts";
import { neededState } from "./needed_state.ts";
import { differences } from "./settings.ts";

/**
 * The checkpoint that a job goes on from; null for a new run. A run that was stopped before its first step has learnt
 * nothing: other settings, such as a smaller batch, begin it anew.
 *
 * @throws {TypeError} If the checkpoint is of another network or of weights only, or of other settings and not asked for,
 *   or of settings under which a run keeps other state.
 */
export async function startingPoint(
  folder: Pick<RunFolder, "path" | "latest">,
  { resume, settings, dataset }: Pick<JobInput, "resume" | "settings" | "dataset">,
  group: Communicator,
): Promise<FoundCheckpoint | null> {
  const found = resume === undefined ? await folder.latest() : await findCheckpoint(resume);
  if (!found) return null;
  const { checkpoint: { network, config, position }, path } = found;
  const changed = differences(config, settings, group.size, dataFacts(dataset));
  if (resume === undefined && changed.length > 0 && hasLearntNothing(found.checkpoint)) return null;
  if (resume !== undefined && network !== null && network !== settings.network) {
    throw new TypeError(
      `Cannot resume from "${path}" as it is of --network ${network}: got --network ${settings.network}`,
    );
  }
  if (position === null) {
    throw new TypeError(`Cannot resume from "${path}" as it holds weights only: it does not say which epoch is next`);
  }
  const notes = [...found.notes, ...found.checkpoint.optimizer ? [] : [withoutOptimizer(path)]];
  if (changed.length === 0) return { ...found, notes };
  const needed = neededState(found.checkpoint, settings);
  const lacking = changed.filter((text) => needed.some((name) => text.startsWith(`--${name} `)));
  if (resume === undefined) {
    const goOn = lacking.length > 0 ? "" : `, or --resume "${path}" to go on with new settings`;
    const others = changed.join(", ");
    throw new TypeError(
      `Cannot go on with the run in "${folder.path}" as its settings were others: ${others}; give another --save_dir ` +
        `for a new run${goOn}`,
    );
  }
  if (lacking.length === 0) return { ...found, notes: [...notes, `Settings changed: ${changed.join(", ")}`] };
  throw new TypeError(`Cannot resume from "${path}" as it lacks what other settings need: ${lacking.join(", ")}`);
}

function withoutOptimizer(path: string): string {
  return `"${path}" has no state of the optimizer, which begins anew`;
}

/** Whether a checkpoint is that of before the first step. */
function hasLearntNothing({ position, optimizer }: Checkpoint): boolean {
  return position?.epoch === 0 && position.step === 0 && optimizer?.steps === 0;
}
