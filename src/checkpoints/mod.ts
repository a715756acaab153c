/** Checkpoints of training: their content, and their files, this library's and PyTorch's. */
export {
  captureCheckpoint,
  type CheckpointNotes,
  readCheckpoint,
  restoreCheckpoint,
  WeightsNotFiniteError,
  writeCheckpoint,
} from "./capture.ts";
export { decodeCheckpoint, encodeCheckpoint, type ReadCheckpointOptions } from "./bytes.ts";
export { type TorchGroup, writeTorchCheckpoint } from "./to_torch.ts";
export type { Checkpoint, OptimizerCheckpoint, TrainingPosition } from "./types.ts";
