import {
  type ByteSource,
  isNdArray,
  type PickleDict,
  PickleOpaque,
  type PickleValue,
  readTorch,
  stateDict,
} from "../formats/mod.ts";
import { describeValue } from "../formats/internal.ts";
import type { Checkpoint, OptimizerCheckpoint } from "./types.ts";
import type { StateDict } from "../weights/mod.ts";

/**
 * A checkpoint of the original (`{ epoch, arch, state_dict, optimizer }`) or a bare state dict such as torchvision's.
 * `epoch` in the original's files counts the epochs that are done.
 */
export async function torchCheckpoint(source: ByteSource): Promise<Checkpoint> {
  const value = await readTorch(source, { stubs: [""] }); // what is no tensor is not needed: it stays an inert record
  const weights = stateDict(tensorsOf(value), { prefixes: ["module."] });
  const top = value instanceof Map ? value : new Map<PickleValue, PickleValue>();
  const isTraining = top.get("state_dict") instanceof Map;
  const epoch = isTraining ? top.get("epoch") : undefined;
  const arch = isTraining ? top.get("arch") : undefined;
  return {
    weights,
    network: typeof arch === "string" ? arch : null,
    position: typeof epoch === "number" && Number.isSafeInteger(epoch) && epoch >= 0 ? { epoch, step: 0 } : null,
    optimizer: isTraining ? optimizerOf(top.get("optimizer"), weights) : null,
    config: {},
  };
}

/** Keys under which programs keep the weights, the likelier first. */
const PLACES = ["state_dict", "model_state_dict", "model", "net", "network", "encoder", "teacher", "student"];

/**
 * The dict of weights in what was saved, without what is beside tensors in it, such as an epoch.
 *
 * @throws {SyntaxError} If there is none: what was saved is a whole model, or something else.
 */
function tensorsOf(value: PickleValue): PickleDict {
  const top = value instanceof Map ? value : null;
  const places = top ? PLACES.map((name) => top.get(name)) : [];
  const dict = places.find((each) => each instanceof Map) ?? top;
  const whole = [value, ...places].find((each) => each instanceof PickleOpaque);
  if (!(dict instanceof Map) || (dict === top && whole)) {
    throw new SyntaxError(
      `Cannot read weights as they must be a dict of tensors: got ${
        describeValue(whole ?? value)
      }; save them in Python by ` +
        "torch.save(model.state_dict(), path)",
    );
  }
  const isKept = (each: PickleValue) => isNdArray(each) || each instanceof Map || each instanceof PickleOpaque;
  return new Map([...dict].filter(([, each]) => isKept(each)));
}

/** PyTorch's names of what optimizers keep. */
export const TORCH_STATES: Readonly<Record<string, string>> = {
  velocity: "momentum_buffer",
  expAvg: "exp_avg",
  expAvgSq: "exp_avg_sq",
};

/** Whether a name is that of a statistic, which no optimizer knows. */
export function isBuffer(name: string): boolean {
  return /\.(running_mean|running_var|num_batches_tracked)$/.test(name);
}

/** Reads an optimizer's states, which are numbered in the order of the parameters. */
function optimizerOf(value: PickleValue | undefined, weights: StateDict): OptimizerCheckpoint | null {
  const state = value instanceof Map ? value.get("state") : undefined;
  if (!(state instanceof Map)) return null;
  const names = [...weights.keys()].filter((name) => !isBuffer(name));
  const states: Record<string, StateDict> = {};
  let steps = 0;
  for (const [index, each] of state) {
    const name = names[Number(index)];
    if (name === undefined || !(each instanceof Map)) continue;
    for (const [own, theirs] of Object.entries(TORCH_STATES)) {
      const array = each.get(theirs);
      if (isNdArray(array)) (states[own] ??= new Map()).set(name, array);
    }
    const step = each.get("step"); // a number up to PyTorch 1.11, a tensor since
    steps = Math.max(steps, Number(isNdArray(step) ? step.data[0] : step ?? 0) || 0);
  }
  return { kind: "", steps, states };
}
