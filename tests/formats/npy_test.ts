import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import {
  type Bytes,
  type NdArray,
  ndarray,
  npzChunks,
  readNpz,
  type StringArray,
  toF64,
  writeNpz,
} from "../../src/formats/mod.ts";
import { readNpy, writeNpy, writeZip } from "../../src/formats/internal.ts";
import { concatBytes } from "../../src/formats/source.ts";
import { bitsOf, damages, fixture, latin1, little, random, randomArray, survives, truncations } from "./_helpers.ts";

function file(header: string, data = "", version = 1): Bytes {
  return latin1(
    `\x93NUMPY${String.fromCharCode(version)}\0${little(header.length, version === 1 ? 2 : 4)}${header}${data}`,
  );
}

function dict(descr: string, shape: string, fortran = "False"): string {
  return `{'descr': ${descr}, 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`;
}

Deno.test("readNpz() reads NumPy's arrays of every dtype and byte order", async () => {
  const arrays = await readNpz(await fixture("arrays.npz"));
  const floats = [0, 1, -2, 0.5, 65504, Infinity];
  const numbers = (name: string) => [...toF64(arrays.get(name) as NdArray)];
  for (const name of ["f2", "f4", "f8", "big_f4"]) assertEquals(numbers(name), floats);
  for (const bits of [1, 2, 4]) {
    assertEquals(numbers(`i${bits}`), [-(2 ** (8 * bits - 1)), 0, 2 ** (8 * bits - 1) - 1]);
    assertEquals(numbers(`u${bits}`), [0, 2 ** (8 * bits) - 1]);
  }
  for (const name of ["i8", "big_i8"]) {
    assertEquals(arrays.get(name)?.data, new BigInt64Array([-(2n ** 63n), 0n, 2n ** 63n - 1n]));
  }
  assertEquals(arrays.get("u8")?.data, new BigUint64Array([0n, 2n ** 64n - 1n]));
  assertEquals(numbers("big_u2"), [0, 65535]);
  assertEquals(arrays.get("bool"), ndarray([2, 1], "bool", new Uint8Array([1, 0])));
  assertEquals(arrays.get("scalar"), ndarray([], "f64", new Float64Array([3.5])));
  assertEquals(arrays.get("empty"), ndarray([0, 4], "f32", new Float32Array(0)));
});

Deno.test("readNpz() puts Fortran order into C order, for numbers and for text", async () => {
  const arrays = await readNpz(await fixture("arrays.npz"));
  assertEquals(arrays.get("fortran"), ndarray([2, 3, 4], "f32", Float32Array.from({ length: 24 }, (_, i) => i)));
  assertEquals(arrays.get("fortran_text"), { shape: [2, 3], dtype: "string", data: ["a", "b", "c", "d", "e", "f"] });
});

Deno.test("readNpz() reads text as strings", async () => {
  const arrays = await readNpz(await fixture("arrays.npz"), { names: ["text", "bytes"] });
  assertEquals(arrays.get("text"), { shape: [2, 2], dtype: "string", data: ["a", "é中", "", "\u{1f600}"] });
  assertEquals(arrays.get("bytes"), { shape: [2], dtype: "string", data: ["ab", "c"] });
  assertEquals(arrays.size, 2);
});

Deno.test("readNpz() reads a compressed prior with its labels", async () => {
  const arrays = await readNpz(await fixture("prior.npz"));
  assertEquals(arrays.get("prior"), ndarray([10, 4], "f32", Float32Array.from({ length: 40 }, (_, i) => i % 3)));
  assertEquals(arrays.get("labels"), ndarray([10], "i64", BigInt64Array.from({ length: 10 }, (_, i) => BigInt(i))));
});

Deno.test("readNpz() throws for a missing name and for more than maxBytes", async () => {
  const bytes = await fixture("prior.npz");
  await assertRejects(
    () => readNpz(bytes, { names: ["priors"] }),
    RangeError,
    'it has no array "priors": got "prior", "labels"',
  );
  await assertRejects(() => readNpz(bytes, { maxBytes: 400 }), RangeError, "maxBytes is 400: it unpacks to 496 bytes");
});

Deno.test("readNpy() reads versions 2 and 3", async () => {
  for (const version of [2, 3]) {
    assertEquals(readNpy(await fixture(`version${version}.npy`)), ndarray([3], "f64", new Float64Array([0, 1, 2])));
  }
});

Deno.test("readNpy() gives back what writeNpy() got, and shares its memory", () => {
  const next = random(2);
  for (let trial = 0; trial < 100; trial++) {
    const array = randomArray(next);
    if (array.dtype === "bf16") continue;
    const bytes = writeNpy(array);
    assertEquals(bytes.length % 64, array.data.byteLength % 64);
    const read = readNpy(bytes) as NdArray;
    assertEquals(bitsOf(read), bitsOf(array));
    assertStrictEquals(read.data.buffer, bytes.buffer);
  }
});

Deno.test("readNpz() gives back what writeNpz() got, stored and compressed", async () => {
  const next = random(4);
  const text: StringArray = { shape: [3], dtype: "string", data: ["", "é中", "\u{1f600}!"] };
  for (const compressed of [false, true]) {
    const numbers = new Map(Array.from({ length: 8 }, (_, i) => [`${i}`, randomArray(next, i % 2 ? "f32" : "i64")]));
    const bytes = await writeNpz(new Map<string, NdArray | StringArray>([...numbers, ["text", text]]), { compressed });
    const read = await readNpz(bytes);
    assertEquals([...read.keys()], [...numbers.keys(), "text"]);
    for (const [name, array] of numbers) assertEquals(bitsOf(read.get(name) as NdArray), bitsOf(array));
    assertEquals(read.get("text"), text);
  }
});

Deno.test("npzChunks() gives the bytes of writeNpz(), the same each time", async () => {
  const arrays = { a: ndarray([3], "f32", new Float32Array([1, 2, 3])), b: ndarray([], "u8", new Uint8Array(1)) };
  const bytes = await writeNpz(arrays);
  assertEquals(concatBytes(await Array.fromAsync(npzChunks(arrays))), bytes);
});

Deno.test("readNpy() refuses what is no array of numbers or text", async () => {
  assertThrows(() => readNpy(latin1("PK\x03\x04..")), SyntaxError, 'must begin with "\\x93NUMPY": got');
  const read = (name: string) => fixture(name).then((bytes) => readNpy(bytes));
  await assertRejects(() => read("objects.npy"), SyntaxError, "object arrays hold pickled Python objects");
  await assertRejects(() => read("records.npy"), SyntaxError, "records are not read: got a type of 2 fields");
  await assertRejects(() => read("complex.npy"), SyntaxError, 'floats of 2, 4 or 8 bytes, or text: got "<c8"');
  for (const descr of ["<U0", "<f16", "M8[ns]", "<f3", "constructor", "4f", "|V4", "U"]) {
    assertThrows(() => readNpy(file(dict(`'${descr}'`, "(1,)"), "1234")), SyntaxError, `got "${descr}"`);
  }
});

Deno.test("readNpy() refuses versions and headers that it does not know", () => {
  assertThrows(() => readNpy(file("", "", 4)), SyntaxError, "its version must be 1.0, 2.0 or 3.0: got 4.0");
  assertThrows(
    () => readNpy(latin1(`\x93NUMPY\x02\0${little(2 ** 31, 4)}`)),
    SyntaxError,
    "at most 65536 bytes: got 2147483648",
  );
  const wrong = [
    "{}",
    "1",
    "None",
    dict("'<f4'", "(-1,)"),
    dict("'<f4'", "3"),
    dict("'<f4'", "(1.5,)"),
    dict("'<f4'", "('a',)"),
    dict("4", "(1,)"),
    dict("'<f4'", "(1,)", "0"),
  ];
  for (const header of wrong) assertThrows(() => readNpy(file(header, "1234")), SyntaxError);
  assertThrows(
    () => readNpy(file("{}")),
    SyntaxError,
    "its header must hold descr, fortran_order and shape, of at most 64 sizes: got nothing, nothing",
  );
});

Deno.test("readNpy() refuses data that does not fit the shape", () => {
  assertThrows(() => readNpy(file(dict("'<f4'", "(2,)"), "1234")), SyntaxError, "shape [2] must take 8 bytes: got 4");
  assertThrows(() => readNpy(file(dict("'<f4'", "(1,)"), "12345")), SyntaxError, "shape [1] must take 4 bytes: got 5");
  assertThrows(() => readNpy(file(dict("'<f4'", "(9007199254740991, 9007199254740991)"))), SyntaxError, "must take");
  assertThrows(
    () => readNpy(file(dict("'<U1'", "(1,)"), "\xff\xff\xff\xff")),
    SyntaxError,
    "characters must be <= 0x10FFFF: got 4294967295",
  );
});

Deno.test("readNpy() evaluates nothing in a header", () => {
  const cases: [string, string][] = [
    ["__import__('os').system('true')", "a literal must be at 0"],
    ["{'descr': '<f4' + ''}", '"," or "}" must be at 16'],
    ["{'descr' '<f4'}", '":" must be at 9'],
    ["{1: 2}", "a new key in quotes must be at 2"],
    ["{'a': 1, 'a': 2}", "a new key in quotes"],
    ["(1 2)", '"," or ")" must be at 3'],
    ["1 2", "the end must be at 2"],
    [`${"(".repeat(40)}`, "at most 16 brackets inside each other"],
    ["'open", "a literal must be at 0"],
    ["99999999999999999999", "a literal must be at 0"],
    ["(1, ", "a literal must be at 4"],
  ];
  for (const [header, message] of cases) assertThrows(() => readNpy(file(header)), SyntaxError, message);
});

Deno.test("readNpy() reads the header's other spellings", () => {
  const spelt = `{ "shape" : [ 2L ], u'fortran_order':False, b'descr':'\\x7c\\165\x31' }`;
  for (const header of [spelt, dict("'|u1'", "(2L,)"), dict("b'u1'", "[2]"), dict("'=u1'", "(2,)")]) {
    assertEquals(readNpy(file(header, "12")), ndarray([2], "u8", latin1("12")));
  }
});

Deno.test("writeNpy() throws for bfloat16 and for data that does not fill the shape", () => {
  const half = ndarray([1], "bf16", new Uint16Array(1));
  assertThrows(() => writeNpy(half), TypeError, "NumPy has no type for it (convert with toF32()): got bf16");
  assertThrows(() => writeNpy({ ...half, shape: [2] }), TypeError, "the array must fill its shape: got shape [2]");
  assertThrows(
    () => writeNpy({ shape: [2], dtype: "string", data: ["a"] }),
    TypeError,
    "the array must fill its shape",
  );
  assertThrows(() => writeNpy(undefined as never), TypeError, "the array must fill its shape: got shape [undefined]");
});

Deno.test("readNpz() refuses a member that leaves the folder", async () => {
  const bytes = await writeZip([{ name: "../evil.npy", bytes: writeNpy(ndarray([], "u8", new Uint8Array(1))) }]);
  await assertRejects(() => readNpz(bytes), SyntaxError, 'names must stay inside a folder: got "../evil.npy"');
});

Deno.test("readNpy() refuses the file cut at every byte, and survives every byte changed", async () => {
  const bytes = await fixture("version2.npy");
  assertEquals(await survives(truncations(bytes), (cut) => readNpy(cut)), bytes.length);
  await survives(damages(bytes), (damaged) => readNpy(damaged));
});

Deno.test("readNpz() refuses the file cut at every byte, and survives every byte changed", async () => {
  const bytes = await fixture("prior.npz");
  assertEquals(await survives(truncations(bytes), (cut) => readNpz(cut)), bytes.length);
  await survives(damages(bytes), (damaged) => readNpz(damaged));
});

Deno.test("readNpy() reads 64 dimensions and no more, in either order", () => {
  for (const order of ["False", "True"]) {
    const header = (rank: number) => `{'descr':'<f4','fortran_order':${order},'shape':(${"1,".repeat(rank)})}`;
    assertEquals(readNpy(file(header(64), "\0\0\x80\x3f")).shape.length, 64);
    assertThrows(() => readNpy(file(header(65), "\0\0\x80\x3f")), SyntaxError, 'of at most 64 sizes: got "<f4", ');
    assertThrows(() => readNpy(file(header(30_000), "\0\0\x80\x3f")), SyntaxError, "and a list of 30000");
  }
});

Deno.test("readNpz() leaves out what macOS and people add to a zip file", async () => {
  const prior = ndarray([2], "f32", Float32Array.of(1, 2));
  const members = [
    { name: "prior.npy", bytes: writeNpy(prior) },
    { name: "__MACOSX/._prior.npy", bytes: new Uint8Array(3) },
    { name: ".DS_Store", bytes: new Uint8Array(3) },
    { name: "README.txt", bytes: new Uint8Array(3) },
  ];
  assertEquals([...(await readNpz(await writeZip(members))).keys()], ["prior"]);
});

Deno.test("readNpz() refuses two arrays of one name", async () => {
  const bytes = writeNpy(ndarray([1], "u8", Uint8Array.of(1)));
  const zip = await writeZip([{ name: "a.npy", bytes }, { name: "a", bytes }]);
  await assertRejects(() => readNpz(zip), SyntaxError, 'names of their own: got "a.npy", "a"');
});
