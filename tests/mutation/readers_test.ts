import { extractTar, extractZip } from "../../src/data/files/archive.ts";
import { withFolder } from "../data/_helpers.ts";
import { FOLDERS } from "./_folders.ts";
import { ARCHIVES, READERS } from "./_readers.ts";
import { readMutants } from "./_run.ts";

for (const reader of READERS) {
  Deno.test(`${reader.name} reads or refuses damaged files`, () => readMutants(reader));
}

for (const { kind, ...reader } of ARCHIVES) {
  Deno.test(`${reader.name} extracts or refuses damaged archives`, async () => {
    await withFolder(async (folder) => {
      const extract = kind === "tar" ? extractTar : extractZip;
      const read = async (bytes: Uint8Array<ArrayBuffer>) => {
        await Deno.writeFile(`${folder}/a`, bytes);
        try {
          await extract(`${folder}/a`, `${folder}/out`, { maxBytes: 2 ** 24 });
        } finally {
          await Deno.remove(`${folder}/out`, { recursive: true }).catch(() => {});
        }
      };
      await readMutants({ ...reader, read });
    });
  });
}

for (const { name, fill, file, load, damage, share = 0.3 } of FOLDERS) {
  Deno.test(`${name} reads or refuses a damaged ${file}`, async () => {
    await withFolder(async (folder) => {
      await fill(folder);
      await load(folder);
      const path = `${folder}/${file}`;
      const original = await Deno.readFile(path);
      const read = async (bytes: Uint8Array<ArrayBuffer>) => {
        await Deno.writeFile(path, bytes);
        await load(folder);
      };
      await readMutants({ name, originals: () => Promise.resolve([original]), read, damage, share });
    });
  });
}
