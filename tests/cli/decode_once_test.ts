import { assert, assertEquals } from "@std/assert";
import { Device } from "../../mod.ts";
import { loadUtZappos, writeDemo } from "../../src/data/mod.ts";
import { decodeOnce } from "../../src/cli/decode_once.ts";
import { withFolder } from "../data/_helpers.ts";

const device = await Device.open();

Deno.test("decodeOnce() keeps images of the size that is said in memory, and leaves others in their files", async () => {
  await withFolder(async (folder) => {
    await writeDemo("utzappos", `${folder}/data`, { train: 18, test: 18 });
    const shoes = await loadUtZappos(`${folder}/data`);
    let done = 0;
    const options = { imageSize: { height: 102, width: 136 }, workers: 1, onProgress: (count: number) => done = count };
    const kept = await decodeOnce(device, shoes, options);
    assertEquals([kept.pixels?.height, kept.pixels?.width, kept.length, done], [102, 136, 18, 18]);
    assertEquals(await decodeOnce(device, kept, options), kept);
    const square = await decodeOnce(device, shoes, { imageSize: { height: 128, width: 128 }, workers: 1 });
    assert(square === shoes);
    assert(await decodeOnce(device, shoes, { workers: 1 }) === shoes);
    const many = { ...shoes, length: 1e9 };
    assert(await decodeOnce(device, many, options) === many);
  });
});
