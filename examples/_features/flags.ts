import { ALL_DATASET_FLAGS, DATASET_FLAGS } from "../../src/cli/mod.ts";
import { DATASETS } from "./datasets.ts";

/** Flags that the programs which make features share. */
export function featureFlags(db: (typeof DATASETS)[number]) {
  return {
    db: { type: "string", default: db, choices: DATASETS, help: "data set; custom: a folder of images", group: "Data" },
    root: { type: "string", help: "folder of the data set (default data/DB)", group: "Data" },
    split: { type: "string", default: "train", choices: ["train", "test"], help: "which images", group: "Data" },
    ...ALL_DATASET_FLAGS,
    ...DATASET_FLAGS.custom,
    demo: { type: "boolean", help: "try the program on a small set made of emoji images", group: "Data" },
    limit: { type: "integer", min: 1, help: "first images only, for trying things", group: "Data" },
    out: {
      type: "string",
      help: "file to write (default ROOT/DB_prior.npz; --prior gives it to training)",
      group: "Run",
    },
    batch_size: { type: "integer", default: 32, min: 1, alias: "b", help: "images at once", group: "Run" },
    workers: {
      type: "integer",
      default: Math.min(navigator.hardwareConcurrency, 8),
      min: 1,
      max: 1024,
      alias: "j",
      help: "Workers that decode images",
      group: "Run",
    },
    distributed: { type: "boolean", help: "fail unless an MPI launcher started this process", group: "Run" },
  } as const;
}
