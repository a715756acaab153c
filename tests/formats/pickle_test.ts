import { assertEquals, assertStrictEquals } from "@std/assert";
import { chainGlobals, stubGlobals, unpickle } from "../../src/formats/internal.ts";
import { ndarray, type PickleDict, type PickleValue } from "../../src/formats/mod.ts";
import { damages, fixture, latin1, little, survives, truncations } from "./_helpers.ts";
import { globals, read, refuses } from "./_pickle.ts";

Deno.test("unpickle() reads the same value from every protocol", async () => {
  const shared = [1, 2];
  const expected = new Map<PickleValue, PickleValue>([
    ["none", null],
    ["true", true],
    ["false", false],
    ["ints", [0, 255, 65535, 2 ** 31 - 1, -(2 ** 31), 2 ** 53 - 1, 2n ** 53n, -(2n ** 63n), 2n ** 100n]],
    ["floats", [0.5, -1e-300, Infinity, -Infinity, 1e22]],
    ["text", "line\nbreak \\ é 中 \u{1f600} 'quoted\""],
    ["long", "x".repeat(300)],
    ["bytes", latin1("\x00\xff\n")],
    ["more", latin1("y".repeat(300))],
    ["tuples", [[], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4]]],
    ["shared", [shared, shared]],
    ["set", new Set([1, 2])],
    ["frozen", new Set([3])],
    ["array", latin1("ab")],
    ["ordered", new Map([["b", 1], ["a", 2]])],
    ["default", new Map([["k", [1]]])],
    ["f4", ndarray([2, 2], "f32", new Float32Array([1, 2, 3, 4]))],
    ["fortran", ndarray([2, 3], "i16", new Int16Array([0, 1, 2, 3, 4, 5]))],
    ["big", ndarray([2], "i32", new Int32Array([1, -2]))],
    ["strings", { shape: [2], dtype: "string", data: ["a", "bcd"] }],
    ["truth", ndarray([2], "bool", new Uint8Array([1, 0]))],
    ["scalar", 1.5],
    ["count", 2n ** 60n],
    ["flag", true],
  ]);
  for (let protocol = 0; protocol <= 5; protocol++) {
    const value = unpickle(await fixture(`protocol${protocol}.pkl`), { globals }) as PickleDict;
    assertEquals(value, expected);
    const [one, other] = value.get("shared") as PickleValue[];
    assertStrictEquals(one, other);
  }
});

Deno.test("unpickle() reads a CIFAR batch of Python 2", async () => {
  const batch = unpickle(await fixture("cifar_batch"), { globals }) as PickleDict;
  assertEquals([...batch.keys()], ["batch_label", "labels", "data", "filenames"]);
  assertEquals(batch.get("labels"), [6, 9, 9, 4]);
  assertEquals(batch.get("filenames"), ["image_0.png", "image_1.png", "image_2.png", "image_3.png"]);
  assertEquals(batch.get("data"), ndarray([4, 12], "u8", Uint8Array.from({ length: 48 }, (_, i) => i + 200)));
});

Deno.test("unpickle() reads keys of Python 3's bytes as text", () => {
  assertEquals(read("\x80\x03}C\x04dataK\x01s."), new Map([["data", 1]]));
});

Deno.test("unpickle() reads persistent ids with persistentLoad, and refuses them without", () => {
  const persistentLoad = (id: PickleValue) => `<${id}>`;
  assertEquals(read("K\x07Q.", { persistentLoad }), "<7>");
  assertEquals(read("Pseven\n.", { persistentLoad }), "<seven>");
  refuses("K\x07Q.", "persistentLoad is needed: got a persistent id 7");
});

Deno.test("unpickle() reads recursive values", () => {
  const list = read("]q\x00h\x00a.") as PickleValue[];
  assertStrictEquals(list[0], list);
});

Deno.test("unpickle() carries out the operations that pickles rarely use", () => {
  assertEquals(read("K\x01K\x020."), 1); // POP
  assertEquals(read("K\x01(0."), 1); // POP of a mark
  assertEquals(read("K\x01(K\x02K\x031."), 1); // POP_MARK
  assertEquals(read("K\x012\x86."), [1, 1]); // DUP
  assertEquals(read("(K\x01K\x02d."), new Map([[1, 2]]));
  assertEquals(read("I01\n."), true);
  assertEquals(read("L-12L\n."), -12);
  assertEquals(read("Fnan\n."), NaN);
  assertEquals(read("S'a\\x41\\n\\'\\101\\q'\n."), "aA\n'A\\q");
  assertEquals(read('S"it\'s"\n.'), "it's");
  assertEquals(read("V\\u00e9\\U0001f600\n."), "é\u{1f600}");
  assertEquals(read(`T${little(3, 4)}a\xe9b.`), "aéb");
  assertEquals(read(`T${little(400, 4)}${"\xe9\x00".repeat(200)}.`), "é\0".repeat(200));
  assertEquals(read(`\x8b${little(2, 4)}\x00\x80.`), -32768);
  assertEquals(read("\x8a\x00."), 0);
  assertEquals(read("K\x05p3\n0g3\n."), 5);
  assertEquals(read(`K\x05r${little(70000, 4)}0j${little(70000, 4)}.`), 5);
  assertEquals(read(`\x80\x05\x96${little(2, 8)}ab\x98.`), latin1("ab"));
  assertEquals(read(`\x8d${little(1, 8)}a.`), "a");
  assertEquals(read(`\x8e${little(1, 8)}a.`), latin1("a"));
  assertEquals(read(`X${little(3, 4)}\xef\xbb\xbf.`), "\ufeff");
});

Deno.test("unpickle() refuses a damaged pickle, and says what is wrong", () => {
  const huge = little(2n ** 63n, 8);
  const cases: [string, string][] = [
    ["", "it ends early: 1 bytes wanted at 0 of 0"],
    [".", "a value must be on the stack"],
    ["(.", "a value must be on the stack"],
    ["2.", "a value must be on the stack"],
    ["0.", "a mark must be on the stack"],
    ["t.", "a mark must be on the stack"],
    ["K\x01\x86.", "2 values must be on the stack"],
    ["K\x01K\x02.", "one value must be left at its end"],
    ["K\x01(K\x02.", "one value must be left at its end"],
    ["K\x01.K", "it must end at its STOP, not 1 bytes later"],
    ["h\x00.", "memo 0 must hold a value"],
    ["g1.5\n.", "a memo's number must be a whole number"],
    ["gx", "no end of the line at 1"],
    ["\xff.", "each operation must be known, not 0xff at 0"],
    ["K\x01K\x02a.", "elements must go to a list, not to 1"],
    ["](K\x01\x90.", "elements must go to a set, not to a list of 0"],
    ["]K\x01K\x02s.", "items must go to a dict, not to a list of 0"],
    ["}(K\x01u.", "a dict must have a value for each key"],
    ["K\x01K\x02\x93.", "a global must be named by text"],
    ["NNR.", "arguments must be a tuple and a dict"],
    ["N)N\x92.", "arguments must be a tuple and a dict"],
    ["(o.", "a class must come before its arguments"],
    ["\x80\x06N.", "its protocol must be <= 5: got 6"],
    [`\x95${little(9, 8)}N.`, "a frame must end inside it, not 9 bytes on"],
    [`\x95${huge}N.`, "its lengths must be below 2^53: got 9223372036854775808"],
    [`X${little(2 ** 32 - 1, 4)}ab.`, "it ends early: 4294967295 bytes wanted"],
    [`T${little(-1, 4)}ab.`, "a length must be >= 0, not -1"],
    [`\x8b${little(-1, 4)}.`, "a length must be >= 0, not -1"],
    [`\x8b${little(2000, 4)}${"\x01".repeat(2000)}.`, "a whole number must take at most 1024 bytes"],
    ["X\x01\x00\x00\x00\xff.", "its text must be UTF-8"],
    ["Iten\n.", 'a whole number must be digits, not "ten"'],
    [`L${"9".repeat(5000)}L\n.`, "a whole number must be digits"],
    ["F0x10\n.", 'a float must be decimal, not "0x10"'],
    ["Sabc\n.", 'a string must be in quotes, not "abc"'],
    ["S'\n.", "a string must be in quotes"],
    ["V\\Uffffffff\n.", "a character must be <= 0x10FFFF, not 4294967295"],
    ["\x82\x01.", "the extension registry of copyreg is empty"],
    ["\x97.", "its buffers must be inside"],
  ];
  for (const [pickle, message] of cases) refuses(pickle, message);
});

Deno.test("unpickle() adds nothing to a tuple or a frozenset, however they were made: what shares them would change", () => {
  for (const tuple of [")", "(t", "N\x85", "NN\x86", "NNN\x87", "c__builtin__\ntuple\n)R"]) {
    for (const add of ["K\x01a.", "(K\x01e."]) {
      refuses(tuple + add, "elements must go to a list, not to a tuple", { globals });
    }
  }
  for (const set of ["(N\x91", "c__builtin__\nfrozenset\n)R"]) {
    refuses(`${set}(K\x01\x90.`, "elements must go to a set, not to a frozenset", { globals });
  }
  assertEquals(read("](K\x01eK\x02a."), [1, 2]);
});

Deno.test("unpickle() stops after maxSteps", () => {
  refuses("(((((N.", "maxSteps is 4: the pickle takes more", { maxSteps: 4 });
});

Deno.test("unpickle() refuses every pickle cut at every byte, and survives every byte changed", async () => {
  for (const name of ["protocol0.pkl", "protocol2.pkl", "protocol5.pkl", "cifar_batch"]) {
    const bytes = await fixture(name);
    const options = { globals: chainGlobals(globals, stubGlobals([""])) };
    assertEquals(await survives(truncations(bytes), (cut) => unpickle(cut, options)), bytes.length);
    await survives(damages(bytes), (damaged) => unpickle(damaged, options));
  }
});
