import { type ImageDataset, loadFolder } from "../data/mod.ts";

/**
 * Loads a part of a folder of one's own, the same in every program: its subfolder `train`, `test` or `val`; of a folder
 * without `train`, all of it for training. Null where there is no such part.
 */
export async function loadCustom(
  root: string,
  split: "train" | "test",
  flags: Readonly<Record<string, unknown>> = {},
): Promise<ImageDataset | null> {
  const labels = flags.labels === undefined ? undefined : flags.labels === "subfolders";
  if (!await hasFolder(root, "train")) return split === "train" ? await loadFolder(root, { labels }) : null;
  for (const name of split === "train" ? ["train"] : ["test", "val"]) {
    if (await hasFolder(root, name)) return await loadFolder(`${root}/${name}`, { split: name, labels });
  }
  return null;
}

/** Whether a folder holds another of a name. */
export async function hasFolder(root: string, name: string): Promise<boolean> {
  return await Deno.stat(`${root}/${name}`).then((info) => info.isDirectory, () => false);
}
