import { join } from "@std/path";

/** Runs `body` in a new folder that is removed afterwards. */
export async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "uniformity-test-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A new folder for all tests of a file, removed when they are done. */
export async function folderOfTests(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "uniformity-test-" });
  addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
  return folder;
}

/** An entry of {@linkcode makeTar}: `type` "0" is a file, "5" a folder, "1" and "2" links, "3" a device. */
export interface TarFile {
  name: string;
  data?: Uint8Array | string;
  type?: string;
  target?: string;
}

/** A ustar archive. */
export function makeTar(files: TarFile[]): Uint8Array<ArrayBuffer> {
  const blocks: Uint8Array[] = [];
  for (const { name, data = "", type = "0", target = "" } of files) {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    const header = new Uint8Array(512);
    const put = (at: number, text: string) => header.set(new TextEncoder().encode(text), at);
    put(0, name);
    put(100, "0000644\0");
    put(124, `${bytes.length.toString(8).padStart(11, "0")} `);
    put(136, "00000000000 ");
    put(148, "        ");
    put(156, type);
    put(157, target);
    put(257, "ustar\x0000");
    put(148, `${header.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, "0")}\0 `);
    blocks.push(header, bytes, new Uint8Array((512 - bytes.length % 512) % 512));
  }
  return concat([...blocks, new Uint8Array(1024)]);
}

/** Several arrays of bytes as one. */
export function concat(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Gzipped bytes. */
export async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(
    await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer(),
  );
}

/** Lists every file below a folder with its text, sorted by name. */
export async function listFiles(folder: string, prefix = ""): Promise<[string, string][]> {
  const out: [string, string][] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) out.push(...await listFiles(path, `${prefix}${entry.name}/`));
    else out.push([prefix + entry.name, await Deno.readTextFile(path)]);
  }
  return out.sort(([a], [b]) => a < b ? -1 : 1);
}

/** Writes files given by their paths below a folder. */
export async function writeFiles(folder: string, files: Record<string, string | Uint8Array>): Promise<void> {
  for (const [name, data] of Object.entries(files)) {
    const path = join(folder, name);
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await (typeof data === "string" ? Deno.writeTextFile(path, data) : Deno.writeFile(path, data));
  }
}
