import { assertEquals, assertRejects } from "@std/assert";
import { extractTar, extractZip } from "../../../src/data/files/archive.ts";
import { writeZip } from "../../../src/formats/internal.ts";
import { concat, gzip, listFiles, makeTar, withFolder } from "../_helpers.ts";

Deno.test("extractTar() copies what a hard link is to", async () => {
  await withFolder(async (folder) => {
    const files = [{ name: "set/a.txt", data: "good" }, { name: "set/b.txt", type: "1", target: "set/a.txt" }];
    await Deno.writeFile(`${folder}/a.tar`, makeTar(files));
    await extractTar(`${folder}/a.tar`, `${folder}/out`);
    assertEquals(await listFiles(`${folder}/out`), [["set/a.txt", "good"], ["set/b.txt", "good"]]);
    await Deno.writeFile(
      `${folder}/a.tar`,
      makeTar([{ name: "two/a", data: "x".repeat(60) }, { ...files[1]!, target: "two/a" }]),
    );
    await assertRejects(
      () => extractTar(`${folder}/a.tar`, `${folder}/o`, { maxBytes: 100 }),
      RangeError,
      "maxBytes is 100",
    );
  });
});

Deno.test("extractTar() reads gzip of several members, with zeros behind, xz, and tar without an end", async () => {
  await withFolder(async (folder) => {
    const whole = makeTar([{ name: "set/a.txt", data: "good" }]);
    const parts = [await gzip(whole.slice(0, 700)), await gzip(whole.slice(700))];
    const forms = {
      "members.tgz": concat(parts),
      "zeros.tar.gz": concat([await gzip(whole), new Uint8Array(1024)]),
      "named.tar.gz": Uint8Array.fromBase64(XZ), // xz, whatever it is called
      "no_end.tar": whole.slice(0, 1024),
    };
    for (const [name, bytes] of Object.entries(forms)) {
      await Deno.writeFile(`${folder}/${name}`, bytes);
      await extractTar(`${folder}/${name}`, `${folder}/out_${name}`);
      assertEquals(await listFiles(`${folder}/out_${name}`), [["set/a.txt", "good"]], name);
    }
    for (const bytes of [concat(parts).subarray(0, -9), Uint8Array.fromBase64(XZ).subarray(0, -30)]) {
      await Deno.writeFile(`${folder}/cut`, bytes);
      await assertRejects(() => extractTar(`${folder}/cut`, `${folder}/out`), SyntaxError, "is cut off or damaged");
    }
  });
});

/** Archive of `set/a.txt`: a tar archive of Python's, packed by xz 5.4. */
const XZ =
  "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4Cf/AF9dADmZSusjTMpPo7Zxkns+eBnrnDJC7PkSLeIMGCkbehNCdwCZx6kFuluYvt+LyYu8HTk9tGcR/su+lkVvEqXpJTD0NHKXvXUuZcarxb25RXxo8iquGt3yAMTifSwy3WEAAAAzLbQGBN296QABe4BQAAAA75Zb2LHEZ/sCAAAAAARZWg==";

Deno.test("extractTar() says how to unpack an xz file that SHA-256 checks", async () => {
  await withFolder(async (folder) => {
    const bytes = Uint8Array.fromBase64(XZ);
    bytes[7] = 10; // the unpacker would say that the file is damaged
    await Deno.writeFile(`${folder}/a.tar.xz`, bytes);
    await assertRejects(
      () => extractTar(`${folder}/a.tar.xz`, `${folder}/out`),
      SyntaxError,
      `Cannot read "${folder}/a.tar.xz" as an xz file must be checked by a CRC here: got SHA-256; unpack it with ` +
        `unxz "${folder}/a.tar.xz"`,
    );
  });
});

Deno.test("extractZip() leaves out what macOS adds", async () => {
  await withFolder(async (folder) => {
    const bytes = new TextEncoder().encode("good");
    await Deno.writeFile(
      `${folder}/a.zip`,
      await writeZip([{ name: "set/a.txt", bytes }, { name: "__MACOSX/set/._a.txt", bytes }]),
    );
    assertEquals(await extractZip(`${folder}/a.zip`, `${folder}/out`), ["set"]);
  });
});
