import { basename, dirname, join } from "node:path";
import { listDirectories } from "../files/files.ts";

/** The folders of the full version's four zip files, as they are unpacked: images of patients at the top, or below `train`, `valid`. */
const BATCH = /^CheXpert-v1\.0[^/]* batch \d/i;

/**
 * Locates the images of CheXpert: below the folder of the CSV files, or spread over the "batch N" folders.
 *
 * @param roots Folders that may hold "batch N" folders.
 * @param folder The folder of the CSV files, which may be one of the "batch N" folders itself.
 * @returns What turns a path such as `train/patient00001/study1/view1_frontal.jpg` into that of its file.
 */
export async function chexpertPlaces(roots: readonly string[], folder: string): Promise<(path: string) => string> {
  const places = new Map<string, string>();
  const above = BATCH.test(basename(folder)) ? [dirname(folder)] : [];
  for (const root of new Set([...roots, ...above])) {
    for (const name of (await listDirectories(root)).filter((each) => BATCH.test(each))) {
      const batch = join(root, name);
      for (const each of await listDirectories(batch)) {
        if (each !== "train" && each !== "valid") places.set(`train/${each}`, join(batch, each));
        else {for (const patient of await listDirectories(join(batch, each))) {
            places.set(`${each}/${patient}`, join(batch, each, patient));
          }}
      }
    }
  }
  return (path) => {
    const [split = "", patient = "", ...rest] = path.split("/");
    const place = places.get(`${split}/${patient}`);
    return place === undefined ? join(folder, path) : join(place, ...rest);
  };
}
