import { assertEquals, assertRejects } from "@std/assert";
import {
  ndarray,
  type PickleDict,
  type PickleValue,
  readTorch,
  type TorchValue,
  writeTorch,
} from "../../src/formats/mod.ts";
import { openZip } from "../../src/formats/internal.ts";

Deno.test("writeTorch() writes what readTorch() reads", async () => {
  const weight = ndarray([2, 3], "f32", new Float32Array([1, 2, 3, 4, 5, 6]));
  const numbers = [
    0,
    255,
    2 ** 31,
    -(2 ** 31) - 1,
    2 ** 53 - 1,
    0.5,
    -0,
    Infinity,
    2n ** 64n,
    -128n,
    -(2n ** 40n),
    2n ** 2000n,
  ];
  const value = {
    nothing: null,
    flags: [true, false],
    numbers,
    text: "é\n\u{1f600}",
    nested: { list: [[], {}], state: new Map([[0, new Map([["step", 1]])]]) },
    weight,
    steps: ndarray([], "i64", new BigInt64Array([7n])),
    half: ndarray([1], "bf16", new Uint16Array([0x3f80])),
  };
  const read = await readTorch(await writeTorch(value)) as PickleDict;
  assertEquals([...read.keys()], Object.keys(value));
  assertEquals((read.get("numbers") as PickleValue[]).map(String), numbers.map(String));
  assertEquals(Object.is((read.get("numbers") as PickleValue[])[6], -0), true);
  assertEquals(
    read.get("nested"),
    new Map<string, PickleValue>([["list", [[], new Map()]], ["state", new Map([[0, new Map([["step", 1]])]])]]),
  );
  for (const name of ["nothing", "flags", "text", "weight", "steps", "half"] as const) {
    assertEquals(read.get(name), value[name]);
  }
  assertEquals(await writeTorch(value), await writeTorch(value));
});

Deno.test("writeTorch() aligns storages, for torch.load(mmap=True)", async () => {
  const zip = await openZip(
    await writeTorch([ndarray([1], "u8", new Uint8Array(1)), ndarray([1], "f32", new Float32Array(1))]),
  );
  for (const key of [0, 1]) assertEquals((await zip.read(`archive/data/${key}`)).byteOffset % 64, 0);
});

Deno.test("writeTorch() throws for what PyTorch has no counterpart of", async () => {
  const rejects = (value: unknown, error: typeof TypeError | typeof RangeError, message: string) =>
    assertRejects(async () => await writeTorch(value as never), error, message);
  await rejects([new Date(0)], TypeError, "values must be plain, lists, dicts or arrays: got Date");
  const loop: unknown[] = [];
  loop.push(loop);
  await rejects(loop, TypeError, "got an object inside itself");
  let deep: TorchValue = 1;
  for (let i = 0; i < 1000; i++) deep = i % 2 ? [deep] : { a: deep };
  await readTorch(await writeTorch(deep)); // as deep as it is read
  await rejects([deep], TypeError, "got more than 1000 inside each other");
  await rejects(
    ndarray([1], "u16", new Uint16Array(1)),
    TypeError,
    "fill its shape with a dtype of PyTorch: got u16 [1]",
  );
  await rejects({ ...ndarray([1], "u8", new Uint8Array(1)), shape: [2] }, TypeError, "got u8 [2]");
  await rejects(2n ** 2048n, RangeError, "whole numbers must take <= 255 bytes: got 257");
  await rejects(() => 1, TypeError, "values must be plain, lists, dicts or arrays: got Function");
  await rejects([undefined], TypeError, "values must be plain, lists, dicts or arrays: got undefined");
});
