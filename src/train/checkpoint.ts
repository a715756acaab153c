import { createHash } from "node:crypto";
import {
  type Bytes,
  ndarray,
  readAll,
  readFrom,
  readSafetensors,
  safetensorsChunks,
  toF32,
  weightsFormat,
  writeWhole,
} from "../formats/mod.ts";
import type { Module } from "../nn/mod.ts";
import type { GradScaler, GradScalerState, Optimizer } from "../optim/mod.ts";
import { torchCheckpoint } from "./checkpoint_torch.ts";
import { fromTorchLayout, loadState, readState, type StateDict, toTorchLayout } from "./model_state.ts";

/** Where training stands. */
export interface TrainingPosition {
  /** Epoch that comes next or is under way, 0-based. */
  readonly epoch: number;
  /** Steps done in it. */
  readonly step: number;
}

/** What an optimizer has learnt beside the weights. */
export interface OptimizerCheckpoint {
  /** `"sgd"` or `"lars"`. */
  readonly kind: string;
  /** Steps taken. */
  readonly steps: number;
  /** Velocity of each parameter by its name, in PyTorch's layout; empty without momentum. */
  readonly velocities: StateDict;
  /** Scale of the loss; in mixed precision only. */
  readonly scaler?: GradScalerState;
}

/** What a checkpoint file holds. */
export interface Checkpoint {
  /** Parameters, buffers and counters in PyTorch's names and layout. */
  readonly weights: StateDict;
  /** Name of the network, such as `resnet18`; null when the file does not say. */
  readonly network: string | null;
  /** Where training stood; null for files of weights only. */
  readonly position: TrainingPosition | null;
  /** State of the optimizer; null when the file has none. */
  readonly optimizer: OptimizerCheckpoint | null;
  /** Settings of the run; empty when the file has none. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** A weight became NaN or infinite. */
export class WeightsNotFiniteError extends RangeError {
  /** Tells it apart in what is printed. */
  override name = "WeightsNotFiniteError";
}

const FORMAT = "uniformity-checkpoint-1";
const VELOCITY = "optimizer.velocity.";

/** What {@linkcode captureCheckpoint} cannot see in the model. */
export interface CheckpointNotes extends Pick<Checkpoint, "network" | "position" | "config"> {
  /** `"sgd"` or `"lars"`. */
  readonly optimizerKind: string;
  /** What scales the loss; none in full precision. */
  readonly scaler?: GradScaler | null;
}

/**
 * Reads a model and its optimizer back into a checkpoint.
 *
 * @throws {WeightsNotFiniteError} If a weight is not finite: such a state is not worth keeping.
 */
export async function captureCheckpoint(
  model: Module,
  optimizer: Optimizer,
  { optimizerKind, scaler, ...notes }: CheckpointNotes,
): Promise<Checkpoint> {
  const [weights, state, scale] = await Promise.all([readState(model), optimizer.state(), scaler?.state()]);
  checkFinite(weights);
  const velocities: StateDict = new Map();
  if (state.velocities.length > 0) {
    [...model.namedParameters()].forEach(([name, parameter], i) => {
      velocities.set(name, toTorchLayout(ndarray([...parameter.shape], "f32", state.velocities[i]!)));
    });
  }
  const kept = { kind: optimizerKind, steps: state.steps, velocities };
  return { ...notes, weights, optimizer: scale ? { ...kept, scaler: scale } : kept };
}

/**
 * Puts a checkpoint into a model and, where it has them, the states of its optimizer and scale of the loss into those.
 * Nothing is changed when the weights are of another architecture.
 *
 * @throws {TypeError} If the checkpoint is of another architecture or another optimizer.
 */
export function restoreCheckpoint(
  checkpoint: Checkpoint,
  model: Module,
  optimizer?: Optimizer,
  scaler?: GradScaler | null,
): void {
  loadState(model, checkpoint.weights);
  if (!optimizer || !checkpoint.optimizer) return;
  const { steps, velocities } = checkpoint.optimizer;
  const names = [...model.namedParameters()].map(([name]) => name);
  const missing = names.filter((name) => !velocities.has(name));
  if (velocities.size > 0 && missing.length > 0) {
    throw new TypeError(`Cannot load the optimizer's state as it has no velocity of ${missing.slice(0, 5).join(", ")}`);
  }
  const own = velocities.size === 0 ? [] : names.map((name) => toF32(fromTorchLayout(velocities.get(name)!)));
  optimizer.loadState({ lr: optimizer.lr, steps, velocities: own });
  if (checkpoint.optimizer.scaler) scaler?.loadState(checkpoint.optimizer.scaler);
}

/**
 * Writes a checkpoint as safetensors, whole or not at all. The tensors have PyTorch's names and layout
 * (`encoder.conv1.weight` `[out, in, kh, kw]`, `head.1.weight` `[out, in]`); those of the optimizer's velocities begin
 * with `optimizer.velocity.` and are there only with momentum. Position, settings, random state and a SHA-256 of
 * everything are in the metadata.
 */
export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  const { weights, network, position, optimizer, config } = checkpoint;
  const tensors: StateDict = new Map(weights);
  for (const [name, velocity] of optimizer?.velocities ?? []) tensors.set(VELOCITY + name, velocity);
  const metadata: Record<string, string> = {
    format: FORMAT,
    config: JSON.stringify(config),
    ...network === null ? {} : { network },
    ...position ? { position: JSON.stringify(position), random: JSON.stringify(randomState(config, position)) } : {},
    ...optimizer ? { optimizer: JSON.stringify({ ...optimizer, velocities: undefined }) } : {},
  };
  metadata.sha256 = digest(tensors, metadata);
  try {
    await writeWhole(path, safetensorsChunks(tensors, metadata));
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new Error(`Cannot save "${path}": ${cause.message}; free some space or choose another --save_dir`, { cause });
  }
}

/**
 * Reads back a checkpoint that was just written.
 *
 * @throws {Error} If it cannot be read or its checksum does not match; the file is removed then.
 */
export async function checkWritten(path: string): Promise<void> {
  try {
    await readCheckpoint(path);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    await Deno.remove(path);
    throw new Error(
      `Cannot save "${path}" as what was written reads back otherwise: ${cause.message}; the checkpoint before it is kept`,
      { cause },
    );
  }
}

/** Philox is counter-based: seed, epoch and step are the whole state. */
function randomState(config: Readonly<Record<string, unknown>>, { epoch, step }: TrainingPosition) {
  return { generator: "philox4x32-10", seed: config.seed ?? 0, epoch, step };
}

/**
 * Reads a checkpoint: one that {@linkcode writeCheckpoint} wrote, any safetensors file of weights, the original's
 * `.pth.tar` (its DataParallel prefix `module.` is taken off) or torchvision's `.pth`, told by its structure, whatever
 * it is called. Nothing in it is executed.
 *
 * @throws {SyntaxError} If the file is damaged or half-written.
 */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  return await readFrom(path, async (source) => {
    const isOwn = await weightsFormat(source, path) === "safetensors";
    return isOwn ? ownCheckpoint(await readAll(source)) : await torchCheckpoint(source);
  });
}

function ownCheckpoint(bytes: Bytes): Checkpoint {
  const { tensors, metadata } = readSafetensors(bytes);
  const { sha256, ...rest } = metadata;
  if (metadata.format === FORMAT && digest(tensors, rest) !== sha256) {
    throw new SyntaxError("its checksum does not match: the file is damaged");
  }
  const weights: StateDict = new Map();
  const velocities: StateDict = new Map();
  for (const [name, array] of tensors) {
    if (name.startsWith(VELOCITY)) velocities.set(name.slice(VELOCITY.length), array);
    else weights.set(name, array);
  }
  const optimizer = metadata.optimizer ? JSON.parse(metadata.optimizer) : null;
  return {
    weights,
    network: metadata.network ?? null,
    position: metadata.position ? JSON.parse(metadata.position) : null,
    optimizer: optimizer ? { ...optimizer, velocities } : null,
    config: metadata.format === FORMAT ? JSON.parse(metadata.config ?? "{}") : {},
  };
}

/** SHA-256 of names, types, shapes, elements and metadata, whatever their order in the file. */
function digest(tensors: StateDict, metadata: Readonly<Record<string, string>>): string {
  const hash = createHash("sha256");
  for (const name of Object.keys(metadata).sort()) hash.update(JSON.stringify([name, metadata[name]]));
  for (const name of [...tensors.keys()].sort()) {
    const { dtype, shape, data } = tensors.get(name)!;
    hash.update(JSON.stringify([name, dtype, shape]));
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex");
}

function checkFinite(weights: StateDict): void {
  for (const [name, { dtype, data }] of weights) {
    if (dtype !== "f32") continue;
    for (let i = 0; i < data.length; i++) {
      if (!Number.isFinite(data[i])) {
        throw new WeightsNotFiniteError(`Cannot save the model as ${name} is not finite: got ${data[i]}`);
      }
    }
  }
}
