import { assert, assertEquals, assertRejects } from "@std/assert";
import { loadEmoji } from "../../../src/data/sets/emoji.ts";
import { readNpmFile } from "../../../src/data/files/npm.ts";

Deno.test("loadEmoji() returns 1,906 emoji of 9 categories with 503 words", async () => {
  const emoji = await loadEmoji();
  assertEquals(emoji.length, 1906);
  assertEquals(emoji.classes.length, 9);
  assertEquals(emoji.prior.dim, 503);
  assertEquals(emoji.prior.data.length, 1906 * 503);
  assertEquals(emoji.prior.columns?.length, 503);
  assertEquals(Object.keys(emoji.pixels), ["twitter", "google"]);
  assertEquals(emoji.pixels.google.length, 1906 * 32 * 32 * 3);
  assertEquals(new Set(emoji.names).size, 1906);
  assert(emoji.labels.every((label) => label >= 0 && label < 9));
});

Deno.test("loadEmoji() joins names, categories, words and pixels in one order", async () => {
  const emoji = await loadEmoji({ vendors: ["twitter"] });
  const flag = emoji.characters.indexOf("🇯🇵");
  assertEquals(emoji.names[flag], "jp");
  assertEquals(emoji.classes[emoji.labels[flag]!], "Flags");
  assertEquals(emoji.subclasses[emoji.sublabels[flag]!], "country-flag");
  assertEquals(emoji.prior.data[flag * 503 + (emoji.prior.columns?.indexOf("flag") ?? -1)], 1);
  const pixel = (
    i: number,
    y: number,
    x: number,
  ) => [...emoji.pixels.twitter.subarray(i * 3072 + (y * 32 + x) * 3).slice(0, 3)];
  const [red, green, blue] = pixel(flag, 16, 16);
  assert(red! > 200 && green! < 60 && blue! < 90, "the middle of the flag of Japan is red");
  assertEquals(pixel(flag, 0, 0), [255, 255, 255], "what is transparent becomes white");
});

Deno.test("loadEmoji() keeps a word that enough emoji have", async () => {
  const common = await loadEmoji({ vendors: ["twitter"], minKeywordCount: 50 });
  assert(common.prior.dim > 0 && common.prior.dim < 503);
  for (let word = 0; word < common.prior.dim; word++) {
    let count = 0;
    for (let i = 0; i < common.length; i++) count += common.prior.data[i * common.prior.dim + word]!;
    assert(count >= 50, common.prior.columns?.[word]);
  }
});

Deno.test("loadEmoji() throws on no vendor and on words that are too rare", async () => {
  await assertRejects(() => loadEmoji({ vendors: [] }), RangeError, "Cannot load emoji as vendors is empty");
  await assertRejects(
    () => loadEmoji({ vendors: ["twitter"], minKeywordCount: 2000 }),
    RangeError,
    "Cannot load emoji as minKeywordCount leaves no word: current value is 2000",
  );
});

Deno.test("loadEmoji() says what to do when npm cannot be reached", async () => {
  const directory = await Deno.makeTempDir();
  const module = new URL("../../../src/data/sets/emoji.ts", import.meta.url).href;
  const code = `import { loadEmoji } from "${module}";
    await loadEmoji().catch((error) => console.log(error.name, error.message));`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", "--cached-only", code],
    cwd: new URL("../../../", import.meta.url),
    env: { DENO_DIR: directory, NO_COLOR: "1" },
  }).output();
  assertEquals(
    new TextDecoder().decode(stdout).trim(),
    'NotFound Cannot load npm package "emoji-datasource-twitter@16.0.0" as it is neither in Deno\'s cache nor reachable: ' +
      'run "deno cache npm:emoji-datasource-twitter@16.0.0/emoji.json" once where the npm registry can be reached',
  );
  await Deno.remove(directory, { recursive: true });
});

Deno.test("readNpmFile() throws when the package lacks the file", async () => {
  const asset = { spec: "emojilib@4.0.3", json: "dist/emoji-en-US.json" };
  await assertRejects(() => readNpmFile(asset, "absent.png"), Deno.errors.NotFound);
});
