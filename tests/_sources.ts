import { fromFileUrl, join } from "@std/path";

const ROOT = fromFileUrl(new URL("..", import.meta.url));

/** A file and its text. */
export type Source = readonly [path: string, text: string];

/** Files of a folder with their text, by path, without what is generated. */
export async function sources(folder = "src"): Promise<Source[]> {
  const found: Source[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(ROOT, folder))) {
    const path = `${folder}/${name}`;
    if (isDirectory) found.push(...await sources(path));
    else if (path.endsWith(".ts") && !path.startsWith("src/shaders/")) {
      found.push([path, await Deno.readTextFile(join(ROOT, path))]);
    }
  }
  return found.sort(([a], [b]) => a < b ? -1 : 1);
}
