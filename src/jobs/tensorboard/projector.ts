import type { Features, ImageDataset } from "../../data/mod.ts";
import { PICTURE, picturesOf } from "../../eval/internal.ts";
import type { OutputFolder } from "../../formats/mod.ts";
import { spriteSheet } from "../../report/mod.ts";

/** Features of some images of a data set. */
export interface ProjectedImages {
  /** Features `[rows, dim]`. */
  readonly features: Features;
  /** Rows of the data set. */
  readonly rows: ArrayLike<number>;
  /** The data set. */
  readonly dataset: ImageDataset;
}

const CONFIG = `embeddings {
  tensor_name: "features"
  tensor_path: "tensors.tsv"
  metadata_path: "metadata.tsv"
  sprite {
    image_path: "sprite.png"
    single_image_dim: ${PICTURE}
    single_image_dim: ${PICTURE}
  }
}
`;

/** Writes features with pictures and classes for TensorBoard's projector; what was there is replaced. */
export async function writeProjector(output: OutputFolder, images: ProjectedImages): Promise<void> {
  const { features, rows, dataset } = images;
  const pictures = await picturesOf(dataset, Array.from(rows));
  await output.write("tensors.tsv", tensorLines(features));
  await output.write(
    "metadata.tsv",
    ["row\tclass\tpath", ...Array.from(rows, (row) => nameOf(dataset, row)), ""].join("\n"),
  );
  await output.write("sprite.png", [await spriteSheet(Array.from(rows, (row) => pictures.get(row)), PICTURE)]);
  await output.write("projector_config.pbtxt", CONFIG);
}

function tensorLines({ data, dim }: Features): string {
  const line = (i: number) =>
    Array.from(data.subarray(i * dim, (i + 1) * dim), (value) => `${Number(value.toPrecision(6))}`).join("\t");
  return Array.from({ length: data.length / dim }, (_, i) => `${line(i)}\n`).join("");
}

/** Row, class (or the labels that hold) and path of an image. */
function nameOf({ labels, classes, paths }: ImageDataset, row: number): string {
  const names = labels === null
    ? []
    : labels instanceof Int32Array
    ? [classes[labels[row]!] ?? `${labels[row]}`]
    : classes.filter((_, c) => labels[row * classes.length + c] === 1);
  return [`${row}`, names.join(", "), paths?.[row] ?? ""].map((text) => text.replaceAll(/[\t\r\n]/g, " ")).join("\t");
}
