import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  type Bytes,
  type NdArray,
  ndarray,
  readSafetensors,
  safetensorsChunks,
  writeSafetensors,
} from "../../src/formats/mod.ts";
import { concatBytes } from "../../src/formats/source.ts";
import { bitsOf, damages, fixture, latin1, little, random, randomArray, survives, truncations } from "./_helpers.ts";

function file(header: string, data = ""): Bytes {
  return latin1(little(header.length, 8) + header + data);
}

Deno.test("readSafetensors() reads a file of the reference implementation", async () => {
  const { tensors, metadata } = readSafetensors(await fixture("tensors.safetensors"));
  assertEquals(metadata, { format: "pt" });
  assertEquals(tensors.get("i64"), ndarray([2], "i64", new BigInt64Array([2n ** 53n + 1n, -(2n ** 63n)])));
  assertEquals(tensors.get("bf16")?.data, new Uint16Array([0, 0x3f80, 0xc000, 0x3f00, 0x4780, 0x7f80]));
  assertEquals(
    tensors.get("transposed"),
    ndarray([4, 3], "f32", new Float32Array([0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11])),
  );
  assertEquals(tensors.get("scalar"), ndarray([], "f32", new Float32Array([2.5])));
  assertEquals(tensors.get("empty"), ndarray([0, 3], "f32", new Float32Array(0)));
  assertEquals(tensors.size, 18);
});

Deno.test("writeSafetensors() writes what the reference implementation writes, byte for byte", async () => {
  const bytes = await fixture("tensors.safetensors");
  const { tensors, metadata } = readSafetensors(bytes);
  assertEquals(writeSafetensors(tensors, metadata), bytes);
});

Deno.test("writeSafetensors() does not depend on the order of tensors and metadata", () => {
  const a = ndarray([3], "u8", new Uint8Array([1, 2, 3]));
  const b = ndarray([1], "f64", new Float64Array([0.5]));
  const one = writeSafetensors({ a, b }, { x: "1", y: "2" });
  assertEquals(one, writeSafetensors(new Map([["b", b], ["a", a]]), { y: "2", x: "1" }));
  assertEquals(one, concatBytes(safetensorsChunks({ a, b }, { x: "1", y: "2" })));
});

Deno.test("safetensorsChunks() does not copy the tensors", () => {
  const a = ndarray([2], "f32", new Float32Array(2));
  const [, chunk] = [...safetensorsChunks({ a })];
  assertStrictEquals(chunk?.buffer, a.data.buffer);
});

Deno.test("readSafetensors() gives back what writeSafetensors() got", () => {
  const next = random(1);
  for (let trial = 0; trial < 50; trial++) {
    const arrays = new Map(Array.from({ length: Math.floor(next() * 6) }, (_, i) => [`${i}é"\\`, randomArray(next)]));
    const { tensors } = readSafetensors(writeSafetensors(arrays));
    assertEquals(tensors.size, arrays.size);
    for (const [name, array] of arrays) assertEquals(bitsOf(tensors.get(name) as NdArray), bitsOf(array));
  }
});

Deno.test("readSafetensors() keeps names that objects use for themselves", () => {
  const a = ndarray([1], "u8", new Uint8Array([9]));
  const { tensors } = readSafetensors(writeSafetensors(new Map([["__proto__", a], ["constructor", a]])));
  assertEquals(tensors.get("__proto__"), a);
  assertEquals([...tensors.keys()].sort(), ["__proto__", "constructor"]);
});

Deno.test("readSafetensors() shares aligned memory", () => {
  const bytes = writeSafetensors({ a: ndarray([2], "f32", new Float32Array([1, 2])) });
  assertStrictEquals(readSafetensors(bytes).tensors.get("a")?.data.buffer, bytes.buffer);
});

Deno.test("readSafetensors() refuses a header that does not fit", () => {
  assertThrows(() => readSafetensors(latin1("short")), SyntaxError, "at least 8 bytes: got 5 bytes");
  assertThrows(
    () => readSafetensors(latin1(little(8387796, 8) + "{}")),
    SyntaxError,
    "a header of 8387796 bytes in a file of 10",
  );
  assertThrows(
    () => readSafetensors(latin1(little(2n ** 64n - 1n, 8))),
    SyntaxError,
    "got a file of 8 bytes that begins as bytes ff ff ff ff ff ff ff ff",
  );
});

Deno.test("readSafetensors() takes metadata of null for none, as the reference implementation does", () => {
  const { tensors, metadata } = readSafetensors(file(`{"__metadata__":null,"a":${ENTRY}}`, "1234"));
  assertEquals([metadata, [...tensors.keys()]], [{}, ["a"]]);
  assertThrows(() => readSafetensors(file('{"__metadata__":{"a":null}}')), SyntaxError, "must map text to text");
});

Deno.test("readSafetensors() refuses a header that is no JSON object", () => {
  assertThrows(() => readSafetensors(file("{oops}")), SyntaxError, 'header as it must be JSON: got "{oops}"');
  assertThrows(() => readSafetensors(file("")), SyntaxError, "header as it must be JSON");
  assertThrows(() => readSafetensors(file("[]")), SyntaxError, 'must be a JSON object: got "[]"');
  assertThrows(() => readSafetensors(file(" {}")), SyntaxError, "must be a JSON object");
  assertThrows(() => readSafetensors(file('{"a":"\xff"}')), SyntaxError, "must be UTF-8");
  assertThrows(() => readSafetensors(file('{"a":{"shape":[NaN]}}')), SyntaxError, "header as it must be JSON");
});

const ENTRY = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}';

Deno.test("readSafetensors() refuses keys that come twice, however they are spelt", () => {
  assertThrows(
    () => readSafetensors(file(`{"a":${ENTRY},"\\u0061":${ENTRY}}`, "1234")),
    SyntaxError,
    'no key may come twice: got "a"',
  );
  const inner = '{"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}';
  assertThrows(() => readSafetensors(file(inner, "1234")), SyntaxError, 'no key may come twice: got "shape"');
});

Deno.test("readSafetensors() refuses entries that break the format", () => {
  const cases: [string, string][] = [
    ['{"a":1}', '"a" must be a JSON object: got 1'],
    ['{"__metadata__":{"a":1}}', '"__metadata__" must map text to text'],
    ['{"__metadata__":[]}', '"__metadata__" must map text to text'],
    ['{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}', 'the dtype of "a" must be one of BOOL,U8'],
    ['{"a":{"dtype":["F32"],"shape":[1],"data_offsets":[0,4]}}', 'the dtype of "a" must be one of'],
    [
      '{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}',
      'the shape of "a" must be a list of at most 64 sizes: got [-1]',
    ],
    ['{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,6]}}', 'the shape of "a" must be a list of at most 64 sizes'],
    ['{"a":{"dtype":"F32","shape":"1","data_offsets":[0,4]}}', 'the shape of "a" must be a list of at most 64 sizes'],
    ['{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}', 'the data_offsets of "a" must be two offsets: got [0]'],
    ['{"a":{"dtype":"F32","shape":[1]}}', 'the data_offsets of "a" must be two offsets: got nothing'],
    ['{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,1e99]}}', 'the data_offsets of "a" must be two offsets'],
    [
      '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}',
      'the bytes of "a" must fit its shape: got F32 [2] and 4 bytes',
    ],
    ['{"a":{"dtype":"F32","shape":[9007199254740991,9007199254740991],"data_offsets":[0,4]}}', "must fit its shape"],
    ['{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}', "must fit its shape"],
  ];
  for (const [header, message] of cases) {
    assertThrows(() => readSafetensors(file(header, "1234")), SyntaxError, message);
  }
});

Deno.test("readSafetensors() refuses tensors that overlap, leave gaps or leave the file", () => {
  const entry = (start: number, end: number) =>
    `{"dtype":"U8","shape":[${end - start}],"data_offsets":[${start},${end}]}`;
  const header = (a: string, b: string) => `{"a":${a},"b":${b}}`;
  const read = (a: string, b: string) => () => readSafetensors(file(header(a, b), "12345678"));
  assertThrows(
    read(entry(0, 4), entry(2, 8)),
    SyntaxError,
    '"b" must begin where the tensor before it ends (4): got 2',
  );
  assertThrows(
    read(entry(0, 2), entry(4, 8)),
    SyntaxError,
    '"b" must begin where the tensor before it ends (2): got 4',
  );
  assertThrows(read(entry(0, 4), entry(4, 9)), SyntaxError, "must fill the 8 bytes after the header: got 9 bytes");
  assertThrows(read(entry(0, 4), entry(4, 7)), SyntaxError, "must fill the 8 bytes after the header: got 7 bytes");
  assertThrows(
    read(entry(1, 4), entry(4, 8)),
    SyntaxError,
    '"a" must begin where the tensor before it ends (0): got 1',
  );
});

Deno.test("readSafetensors() refuses the file cut at every byte, and survives every byte changed", async () => {
  const bytes = await fixture("tensors.safetensors");
  assertEquals(await survives(truncations(bytes), readSafetensors), bytes.length);
  await survives(damages(bytes), readSafetensors);
});

Deno.test("writeSafetensors() throws when a value is no array", () => {
  const a = ndarray([1], "u8", new Uint8Array(1));
  assertThrows(() => writeSafetensors({ __metadata__: a }), TypeError, '"__metadata__" is the format\'s own');
  assertThrows(
    () => writeSafetensors({ a: 3 as never }),
    TypeError,
    '"a" must be an array that fills its shape: got number',
  );
  assertThrows(() => writeSafetensors({ a: { ...a, shape: [2] } }), TypeError, "got shape [2] and 1 elements");
});

Deno.test("readSafetensors() reads long headers, and refuses deep ones without a stack overflow", () => {
  const count = 50_000;
  const names = Array.from(
    { length: count },
    (_, i) => `"${i}":{"dtype":"U8","shape":[],"data_offsets":[${i},${i + 1}]}`,
  );
  assertEquals(readSafetensors(file(`{${names}}`, "x".repeat(count))).tensors.size, count);
  const long = "\\\\n".repeat(5_000_000);
  assertEquals(readSafetensors(file(`{"__metadata__":{"a":"${long}"}}`)).metadata.a?.length, 10_000_000);
  const deep = `${"[".repeat(500_000)}${"]".repeat(500_000)}`;
  for (
    const header of [
      `{"a":${deep}}`,
      `{"__metadata__":${deep}}`,
      `{"a":{"dtype":${deep},"shape":[1],"data_offsets":[0,4]}}`,
      `{"a":{"dtype":"F32","shape":${deep},"data_offsets":[0,4]}}`,
    ]
  ) {
    assertThrows(
      () => readSafetensors(file(header, "1234")),
      SyntaxError,
      "at most 100 brackets may be inside each other",
    );
  }
});

Deno.test("readSafetensors() names values of the wrong kind by their kind", () => {
  const cases: [string, string][] = [
    ['{"a":null}', '"a" must be a JSON object: got null'],
    ['{"a":{"dtype":{"toString":null},"shape":[1],"data_offsets":[0,4]}}', 'I64,U64: got {"toString":null}'],
    ['{"a":{"dtype":null,"shape":[1],"data_offsets":[0,4]}}', "I64,U64: got null"],
    [`{"a":{"dtype":"F32","shape":[${"1,".repeat(64)}1],"data_offsets":[0,4]}}`, "at most 64 sizes: got a list of 65"],
    [`{"a":{"dtype":"F32","shape":[1],"data_offsets":[${"1,".repeat(99_999)}1]}}`, "two offsets: got a list of 100000"],
    ['{"\\u001b[2J":1}', '"\\x1b[2J" must be a JSON object'],
  ];
  for (const [header, message] of cases) {
    assertThrows(() => readSafetensors(file(header, "1234")), SyntaxError, message);
  }
});

Deno.test("readSafetensors() says what another file is, not how long its header would be", () => {
  for (
    const [start, content] of [["\xff\xd8\xff\xe0\0\x10JFIF", "a JPEG picture"], ["\x89PNG\r\n\x1a\n", "a PNG picture"]]
  ) {
    const bytes = Uint8Array.from(start!.padEnd(64, "."), (letter) => letter.charCodeAt(0));
    assertThrows(
      () => readSafetensors(bytes),
      SyntaxError,
      `as the header must fit in the file and in 100000000 bytes: got a file of 64 bytes that begins as ${content}`,
    );
  }
  const cut = new Uint8Array(64);
  cut[0] = 200;
  assertThrows(() => readSafetensors(cut), SyntaxError, "got a header of 200 bytes in a file of 64 (is it whole?)");
});
