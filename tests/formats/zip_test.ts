import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { crc32 } from "../../src/formats/crc32.ts";
import { inflate } from "../../src/formats/deflate.ts";
import type { Bytes, ByteSource } from "../../src/formats/mod.ts";
import { openZip, writeZip, zipChunks, type ZipMember } from "../../src/formats/internal.ts";
import { concatBytes } from "../../src/formats/source.ts";
import { damages, fixture, latin1, little, random, survives, truncations } from "./_helpers.ts";

const MEMBERS: ZipMember[] = [{ name: "a.txt", bytes: latin1("first") }, {
  name: "folder/b",
  bytes: new Uint8Array(500),
}];

async function readAllMembers(bytes: Bytes, checkCrc = true): Promise<Map<string, Bytes>> {
  const zip = await openZip(bytes, { checkCrc });
  const result = new Map<string, Bytes>();
  for (const name of zip.entries.keys()) result.set(name, await zip.read(name));
  return result;
}

/** A zip of one stored member, each field of whose headers can be set. */
function handMade(
  fields: { name?: string; flags?: number; method?: number; size?: number; packed?: number; offset?: number } = {},
): Bytes {
  const { name = "a", flags = 0, method = 0, size = 3, packed = 3, offset = 0 } = fields;
  const crc = crc32(latin1("abc"));
  const common = little(20, 2) + little(flags, 2) + little(method, 2) + little(0, 4) + little(crc, 4) +
    little(packed, 4) +
    little(size, 4) + little(name.length, 2) + little(0, 2);
  const local = `PK\x03\x04${common}${name}abc`;
  const central = `PK\x01\x02${little(20, 2)}${common}${little(0, 10)}${little(offset, 4)}${name}`;
  return latin1(local + central + ending(1, central.length, local.length));
}

function ending(count: number, size: number, offset: number, disk = 0): string {
  return `PK\x05\x06${little(disk, 2)}${little(0, 2)}${little(count, 2)}${little(count, 2)}${little(size, 4)}${
    little(offset, 4)
  }${little(0, 2)}`;
}

Deno.test("crc32() gives the check value of the standard, whole and in pieces", () => {
  assertEquals(crc32(latin1("123456789")), 0xcbf43926);
  const next = random(1);
  const bytes = Uint8Array.from({ length: 1000 }, () => next() * 256);
  for (const cut of [0, 1, 7, 8, 9, 500, 1000]) {
    assertEquals(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut))), crc32(bytes));
  }
});

Deno.test("openZip() reads Python's zip: deflate, ZIP64 sizes, a comment, names beyond ASCII, no directories", async () => {
  const zip = await openZip(await fixture("python.zip"));
  assertEquals([...zip.entries.keys()], ["folder/é.txt"]);
  assertEquals(zip.entries.get("folder/é.txt")?.method, "deflated");
  assertEquals(await zip.read("folder/é.txt"), latin1("hello ".repeat(50)));
});

Deno.test("openZip() reads what writeZip() wrote: stored, deflated, ZIP64, aligned", async () => {
  for (const compressed of [false, true]) {
    for (const zip64 of [false, true]) {
      for (const align of [1, 64]) {
        const read = await readAllMembers(await writeZip(MEMBERS, { compressed, zip64, align }));
        assertEquals([...read], MEMBERS.map(({ name, bytes }) => [name, bytes]));
      }
    }
  }
});

Deno.test("openZip() reads 70,000 members, which takes ZIP64", async () => {
  const members = Array.from({ length: 70_000 }, (_, i) => ({ name: `${i}`, bytes: Uint8Array.of(i & 255) }));
  const zip = await openZip(await writeZip(members));
  assertEquals(zip.entries.size, 70_000);
  assertEquals(await zip.read("69999"), Uint8Array.of(69_999 & 255));
});

Deno.test("openZip() reads a member beyond 4 GiB from a source that is not in memory", async () => {
  const far = 5 * 2 ** 30;
  const small = await writeZip([{ name: "big", bytes: latin1("abc") }], { zip64: true });
  // The same file with a hole of 5 GiB in front: every offset moves by as much.
  const view = new DataView(small.buffer);
  const central = 30 + 3 + 20 + 3;
  const end = central + 46 + 3 + 28;
  view.setBigUint64(end - 8, BigInt(far), true);
  view.setBigUint64(end + 48, BigInt(far + central), true);
  view.setBigUint64(end + 56 + 8, BigInt(far + end), true);
  const reads: number[] = [];
  const source: ByteSource = {
    size: far + small.length,
    read(offset, length) {
      reads.push(length);
      assert(offset >= far - 65577, `read at ${offset}`);
      const part = new Uint8Array(length);
      const from = offset - far;
      part.set(small.subarray(Math.max(0, from), Math.max(0, from + length)), Math.max(0, -from));
      return Promise.resolve(part);
    },
  };
  const zip = await openZip(source);
  assertEquals(zip.entries.get("big")?.offset, far);
  assertEquals(await zip.read("big"), latin1("abc"));
  assert(Math.max(...reads) < 70_000);
});

Deno.test("writeZip() gives the same bytes each time, and aligns", async () => {
  const bytes = await writeZip(MEMBERS, { align: 64 });
  assertEquals(bytes, await writeZip(MEMBERS, { align: 64 }));
  const zip = await openZip(bytes);
  for (const name of zip.entries.keys()) assertEquals((await zip.read(name)).byteOffset % 64, 0);
});

Deno.test("zipChunks() takes members piece by piece, and holds them to their size", async () => {
  const stream = (size: number) => ({
    name: "b",
    size,
    async *chunks() {
      yield latin1("fir");
      yield await Promise.resolve(latin1("st"));
    },
  });
  const members = [{ name: "a", bytes: latin1("x") }, stream(5)];
  const bytes = concatBytes(await Array.fromAsync(zipChunks(members, { align: 64 })));
  const plain = await writeZip([{ name: "a", bytes: latin1("x") }, { name: "b", bytes: latin1("first") }], {
    align: 64,
  });
  assertEquals(bytes, plain);
  await assertRejects(
    () => Array.fromAsync(zipChunks([stream(6)])),
    RangeError,
    'Cannot run writeZip() as "b" must have 6 bytes: got 5',
  );
});

Deno.test("writeZip() throws when a name comes twice", async () => {
  const twice = [...MEMBERS, ...MEMBERS];
  await assertRejects(() => writeZip(twice), TypeError, 'names must differ: got "a.txt" twice');
});

Deno.test("ZipReader.read() shares the memory of stored members", async () => {
  const bytes = await writeZip(MEMBERS);
  assertStrictEquals((await (await openZip(bytes)).read("a.txt")).buffer, bytes.buffer);
});

Deno.test("ZipReader.read() throws for a missing name, a large member and a wrong checksum", async () => {
  const bytes = await writeZip(MEMBERS);
  const zip = await openZip(bytes, { maxBytes: 100 });
  await assertRejects(() => zip.read("none"), RangeError, 'its name must be in the file: got "none"');
  await assertRejects(() => zip.read("folder/b"), RangeError, "maxBytes is 100: it unpacks to 500 bytes");
  bytes[35]! ^= 1; // the first byte of "first"
  await assertRejects(() => zip.read("a.txt"), SyntaxError, "its checksum must be 0x");
  assertEquals(await (await openZip(bytes, { checkCrc: false })).read("a.txt"), latin1("girst"));
  bytes[0]! ^= 1;
  await assertRejects(() => zip.read("a.txt"), SyntaxError, "a local header must be at 0: got 0x04034b51");
});

Deno.test("openZip() refuses a file without a directory at its end", async () => {
  await assertRejects(
    () => openZip(latin1("not a zip file, but long enough")),
    SyntaxError,
    "must end with a directory",
  );
  await assertRejects(() => openZip(new Uint8Array(0)), SyntaxError, "must end with a directory");
  const bytes = await writeZip(MEMBERS);
  await assertRejects(
    () => openZip(concatBytes([bytes, Uint8Array.of(0, 1)])),
    SyntaxError,
    "must end with a directory",
  );
});

Deno.test("openZip() reads a file that zeros fill up, as Python and unzip do", async () => {
  const bytes = await writeZip(MEMBERS);
  const filled = await readAllMembers(concatBytes([bytes, new Uint8Array(512)]));
  assertEquals(filled, await readAllMembers(bytes));
});

Deno.test("openZip() refuses a directory that does not agree with itself", async () => {
  assertEquals(await readAllMembers(handMade()), new Map([["a", latin1("abc")]]));
  const whole = handMade();
  const end = whole.length - 22;
  const changed = (at: number, value: number) => {
    const bytes = whole.slice();
    bytes[at] = value;
    return bytes;
  };
  await assertRejects(() => openZip(changed(end + 4, 1)), SyntaxError, "the file must be in one part: got part 1");
  await assertRejects(
    () => openZip(changed(end + 10, 0)),
    SyntaxError,
    "the directory must hold 0 members: got 47 bytes more",
  );
  await assertRejects(() => openZip(changed(end + 10, 9)), SyntaxError, "the directory must end at");
  await assertRejects(
    () => openZip(changed(34, 0)),
    SyntaxError,
    "each member must begin with a header: got 0x2014b00",
  );
  const wide = await writeZip(MEMBERS, { zip64: true });
  wide[wide.length - 22 - 20 - 56]! ^= 1;
  await assertRejects(() => openZip(wide), SyntaxError, "a ZIP64 end record must be at");
});

Deno.test("openZip() refuses names that leave the folder", async () => {
  for (const name of ["../evil", "a/../../b", "/etc/passwd", "C:/x", "a\\..\\..\\b", "..", "a\0b", ""]) {
    await assertRejects(() => openZip(handMade({ name })), SyntaxError, "names must stay inside a folder: got");
  }
  assertEquals((await openZip(handMade({ name: "a..b/..c" }))).entries.size, 1);
  assertEquals([...(await openZip(handMade({ name: "a\\b" }))).entries.keys()], ["a/b"], "Windows' separator");
});

Deno.test("openZip() reads zips with bytes in front, and names what came in place of one", async () => {
  for (const zip64 of [false, true]) {
    const plain = await writeZip(MEMBERS, { zip64 });
    const zip = await openZip(Uint8Array.from([...new Uint8Array(777).fill(0x50), ...plain]));
    for (const { name, bytes } of MEMBERS) assertEquals(await zip.read(name), bytes);
  }
  const page = new TextEncoder().encode("<!doctype html><title>Sign in</title>");
  await assertRejects(() => openZip(page), SyntaxError, "(is it a zip file, and whole?): got a web page");
});

Deno.test("openZip() refuses encrypted members, other methods and stored members of two sizes", async () => {
  await assertRejects(() => openZip(handMade({ flags: 1 })), SyntaxError, 'must not be encrypted: got "a"');
  await assertRejects(() => openZip(handMade({ method: 12 })), SyntaxError, 'stored or deflated: got method 12 in "a"');
  await assertRejects(() => openZip(handMade({ size: 4 })), SyntaxError, 'must have one size: got 3 and 4 in "a"');
});

Deno.test("openZip() refuses members that overlap, come twice or reach into the directory", async () => {
  const one = handMade();
  const local = one.subarray(0, 34);
  const entry = one.subarray(34, 34 + 47);
  const twice = concatBytes([local, entry, entry, latin1(ending(2, 94, 34))]);
  await assertRejects(() => openZip(twice), SyntaxError, 'no name may come twice: got "a"');
  const renamed = entry.slice();
  renamed[46] = "b".charCodeAt(0);
  const overlapping = concatBytes([local, entry, renamed, latin1(ending(2, 94, 34))]);
  await assertRejects(() => openZip(overlapping), SyntaxError, 'members must not overlap: got "b" at 0 before 33');
  await assertRejects(
    () => openZip(handMade({ packed: 30, size: 30 })),
    SyntaxError,
    "must end before the directory at 34: got one that ends at 60",
  );
});

Deno.test("ZipReader.read() stops a bomb before it unpacks", async () => {
  const claims = await openZip(handMade({ method: 8, size: 2 ** 31 }));
  await assertRejects(
    () => claims.read("a"),
    SyntaxError,
    "deflate unpacks at most 1032 to 1: got 3 bytes for 2147483648",
  );
  const packed = await writeZip([{ name: "a", bytes: new Uint8Array(100_000) }], { compressed: true });
  const view = new DataView(packed.buffer);
  const central = packed.length - 22 - 47;
  view.setUint32(central + 24, 1000, true); // it says 1000 bytes, and gives 100,000
  const lies = await openZip(packed);
  await assertRejects(() => lies.read("a"), SyntaxError, '"a" as it must unpack to 1000 bytes: got more');
  view.setUint32(central + 24, 100_001, true);
  const short = await openZip(packed);
  await assertRejects(() => short.read("a"), SyntaxError, '"a" as it must unpack to 100001 bytes: got 100000');
});

Deno.test("inflate() refuses a damaged stream", async () => {
  await assertRejects(
    () => inflate([latin1("\xff\xff\xff")], { size: 3, what: "x" }),
    SyntaxError,
    "x as its deflate stream is damaged",
  );
  await assertRejects(() => inflate([], { size: 3, what: "x" }), SyntaxError, "x as");
});

Deno.test("openZip() refuses the file cut at every byte, and survives every byte changed", async () => {
  for (const zip64 of [false, true]) {
    const bytes = await writeZip([{ name: "a.txt", bytes: latin1("some text ".repeat(9)) }], {
      compressed: true,
      zip64,
    });
    assertEquals(await survives(truncations(bytes), readAllMembers), bytes.length);
    await survives(damages(bytes), readAllMembers);
    await survives(damages(bytes), (damaged) => readAllMembers(damaged, false));
  }
});

Deno.test("openZip() reads names in UTF-8 where they are, else in code page 437, as Python does", async () => {
  const nameOf = async (name: string, flags = 0) => [...(await openZip(handMade({ name, flags }))).entries.keys()][0];
  assertEquals(await nameOf("Bj\x94rn"), "Björn");
  assertEquals(await nameOf("\x80\xe1\xff"), "Çß\u00a0");
  assertEquals(await nameOf("caf\xc3\xa9"), "café", "without the flag, as macOS writes it");
  assertEquals(await nameOf("caf\xc3\xa9", 0x800), "café");
  await assertRejects(
    () => nameOf("B\x94rn", 0x800),
    SyntaxError,
    "as its text must be UTF-8: got 4 bytes that are not",
  );
});
