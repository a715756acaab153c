import { isRecord, parseJson, quoted } from "../formats/internal.ts";
import type { GradScalerState } from "../optim/mod.ts";
import type { Checkpoint, OptimizerCheckpoint, TrainingPosition } from "./types.ts";

/** Contents of a checkpoint's metadata. */
export interface Notes extends Pick<Checkpoint, "network" | "position" | "config"> {
  /** The optimizer, with the names of its states alone. */
  readonly optimizer: Omit<OptimizerCheckpoint, "states"> & { readonly states: readonly string[] } | null;
}

/**
 * Reads the metadata of a checkpoint.
 *
 * @throws {SyntaxError} If a value is not what its name says.
 */
export function parseNotes({ network, position, optimizer, config }: Readonly<Record<string, string>>): Notes {
  const settings = parse("config", config ?? "{}");
  return {
    network: network ?? null,
    position: position === undefined ? null : checkPosition(parse("position", position)),
    optimizer: optimizer === undefined ? null : checkOptimizer(parse("optimizer", optimizer)),
    config: isRecord(settings) ? settings : fail("its config must be settings by name", settings),
  };
}

function checkPosition(value: unknown): TrainingPosition {
  if (isRecord(value) && isCount(value.epoch) && isCount(value.step)) return { epoch: value.epoch, step: value.step };
  return fail("its position must be an epoch and a step, integers >= 0", value);
}

function checkOptimizer(value: unknown): Notes["optimizer"] {
  const isRight = isRecord(value) && typeof value.kind === "string" && isCount(value.steps);
  if (!isRight) return fail("its optimizer must have a kind and steps, an integer >= 0", value);
  const states = checkStates(value.states ?? ["velocity"]); // files of before Adam do not name theirs
  const kept = { kind: value.kind as string, steps: value.steps as number, states };
  return value.scaler === undefined ? kept : { ...kept, scaler: checkScaler(value.scaler) };
}

function checkStates(value: unknown): string[] {
  if (Array.isArray(value) && value.every((name) => typeof name === "string" && /^\w+$/.test(name))) return value;
  return fail("its optimizer's states must be names", value);
}

function checkScaler(value: unknown): GradScalerState {
  if (isRecord(value) && typeof value.scale === "number" && value.scale > 0) {
    const { scale, growthTracker, skipped } = value;
    if (isCount(growthTracker) && isCount(skipped)) return { scale, growthTracker, skipped };
  }
  return fail("its scaler must have a scale > 0 and two counts", value);
}

function parse(name: string, text: string): unknown {
  return parseJson(text, `a checkpoint's ${name}`);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && value as number >= 0;
}

function fail(rule: string, got: unknown): never {
  throw new SyntaxError(`Cannot read a checkpoint as ${rule}: got ${quoted(got, 80)}`);
}
