import { type Tensor, tensor } from "../tensor/mod.ts";

/** Checks that labels are u32, one a sample. */
export function checkLabels(loss: string, z: Tensor, labels: Tensor): Tensor {
  if (labels.dtype === "u32" && labels.rank === 1 && labels.shape[0] === z.shape[0]) return labels;
  throw new TypeError(
    `Cannot compute ${loss}() as labels must be u32 [${
      z.shape[0]
    }]: got labels ${labels.dtype} [${labels.shape}] and ` +
      `z [${z.shape}]`,
  );
}

/** Uploads labels that are given as numbers. */
export function uploadLabels(loss: string, z: Tensor, labels: ArrayLike<number>): Tensor {
  const values = Array.from(labels);
  if (values.length !== z.shape[0]) {
    throw new TypeError(
      `Cannot compute ${loss}() as there must be one label a sample: got ${values.length} labels and z [${z.shape}]`,
    );
  }
  const bad = values.findIndex((label) => !(Number.isInteger(label) && label >= 0 && label < 2 ** 32));
  if (bad >= 0) {
    throw new RangeError(`Cannot compute ${loss}() as a label must be an integer >= 0: got ${values[bad]} at ${bad}`);
  }
  return tensor<"u32">(Uint32Array.from(values), { device: z.device });
}
