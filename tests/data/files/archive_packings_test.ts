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
    await Deno.writeFile(`${folder}/b.zip`, await writeZip([{ name: "__MACOSX/set/._a.txt", bytes }]));
    await assertRejects(
      () => extractZip(`${folder}/b.zip`, `${folder}/none`),
      SyntaxError,
      `Cannot extract "${folder}/b.zip" as an archive must hold files: got none`,
    );
  });
});

Deno.test("extractZip() makes a link of a link, and no file that holds its target", async () => {
  await withFolder(async (folder) => {
    const text = (content: string) => new TextEncoder().encode(content);
    const pack = async (target: string) => {
      const members = [{ name: "set/a.txt", bytes: text("good") }, { name: "set/b.txt", bytes: text(target) }];
      const zip = await writeZip(members);
      const at = zip.length - 22 - 46 - "set/b.txt".length; // of the last member's place in the directory
      zip[at + 5] = 3; // made on Unix
      new DataView(zip.buffer).setUint32(at + 38, 0o120777 * 2 ** 16, true);
      await Deno.writeFile(`${folder}/a.zip`, zip);
    };
    await pack("a.txt");
    await extractZip(`${folder}/a.zip`, `${folder}/out`);
    assertEquals(await Deno.readLink(`${folder}/out/set/b.txt`), "a.txt");
    assertEquals(await Deno.readTextFile(`${folder}/out/set/b.txt`), "good");
    await pack("../../secret");
    await assertRejects(
      () => extractZip(`${folder}/a.zip`, `${folder}/other`),
      SyntaxError,
      'links must be to what is in the same folder of the archive: got "set/b.txt" to "../../secret"',
    );
  });
});

Deno.test("extractTar() leaves out the label of a volume, and refuses holes and zeros", async () => {
  await withFolder(async (folder) => {
    const extract = async (bytes: Uint8Array<ArrayBuffer>, to: string) => {
      await Deno.writeFile(`${folder}/a.tar`, bytes);
      await extractTar(`${folder}/a.tar`, `${folder}/${to}`);
      return await listFiles(`${folder}/${to}`);
    };
    const labelled = makeTar([{ name: "/the label", type: "V" }, { name: "set/a.txt", data: "good" }]);
    assertEquals(await extract(labelled, "out"), [["set/a.txt", "good"]]);
    const holes = makeTar([{ name: "set/a.bin", type: "S" }]);
    await assertRejects(() => extract(holes, "holes"), SyntaxError, "sparse files are not read (pack them without");
    const zeros = concat([new Uint8Array(2048), new Uint8Array(512).fill(7)]); // what a disk holds for a download
    await assertRejects(() => extract(zeros, "zeros"), SyntaxError, "as an archive must hold files: got none");
  });
});
