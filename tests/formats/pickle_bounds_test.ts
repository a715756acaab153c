import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { chainGlobals, numpyGlobals, pythonGlobals, stubGlobals, unpickle } from "../../src/formats/internal.ts";
import { type PickleValue, readTorch } from "../../src/formats/mod.ts";
import { heldBytes } from "../../src/formats/pickle_bounds.ts";
import { latin1, little } from "./_helpers.ts";

const globals = chainGlobals(numpyGlobals, pythonGlobals, stubGlobals([""]));

function read(pickle: string, maxBytes?: number): PickleValue {
  return unpickle(latin1(pickle), { globals, maxBytes });
}

function refuses(pickle: string, message: string, maxBytes?: number): void {
  const start = performance.now();
  assertThrows(() => read(pickle, maxBytes), SyntaxError, message);
  assert(performance.now() - start < 10_000, "a bound is soon reached");
}

Deno.test("unpickle() refuses what shared parts blow up", () => {
  // Each step makes a pair of the last value twice: 2^60 leaves for whoever walks it, 60 pairs in memory.
  refuses(`N${"2\x86".repeat(60)}.`, "at most 10000000 values may be in it, a shared one counted at each place");
  refuses(`]${"q\x00](h\x00h\x00e".repeat(60)}.`, "one value must be left at its end");
  const dicts = "}q\x00(K\x00h\x00K\x01h\x00u";
  assertEquals((read(`${dicts}.`) as Map<PickleValue, PickleValue>).size, 2); // holds itself
  const value = read(`N${"2\x86".repeat(20)}.`) as PickleValue[];
  assertStrictEquals(value[0], value[1]);
});

Deno.test("unpickle() refuses values too deep inside each other", () => {
  const rule = "at most 1000 values may be inside each other";
  read(`${"]".repeat(1000)}${"a".repeat(999)}.`);
  refuses(`${"]".repeat(1001)}${"a".repeat(1000)}.`, rule);
  refuses(`N${"\x85".repeat(1_000_000)}.`, rule);
  refuses(`${"}K\x00".repeat(5000)}N${"s".repeat(5000)}.`, rule);
  refuses(`${"cx\ny\n(".repeat(5000)}${"tR".repeat(5000)}.`, rule);
  const back = "]q\x00(h\x00h\x00e";
  assertEquals((read(`${back}.`) as PickleValue[]).length, 2); // a list that holds itself twice
});

Deno.test("unpickle() refuses copies of copies", () => {
  const list = `(${"N".repeat(100_000)}lq\x00`;
  const copies = (pickle: string) => refuses(pickle, "maxBytes is 33554432: what the pickle makes takes more", 2 ** 25);
  for (const type of ["list", "tuple"]) copies(`${list}0${`c__builtin__\n${type}\nh\x00\x85R0`.repeat(5000)}N.`);
  const pairs = `(${"NN\x86".repeat(50_000)}lq\x00`;
  for (const type of ["__builtin__\ndict", "collections\nOrderedDict", "collections\nCounter"]) {
    copies(`${pairs}0${`c${type}\nh\x00\x85R0`.repeat(5000)}N.`);
  }
  copies(`${list}0${`c__builtin__\nset\nh\x00\x85R0`.repeat(5000)}N.`);
  const text = `X${little(200_000, 4)}${"a".repeat(200_000)}q\x000`;
  copies(`${text}${"c_codecs\nencode\nh\x00\x85R0".repeat(5000)}N.`);
  const raw = `B${little(400_000, 4)}${"\0".repeat(400_000)}q\x000`;
  const array =
    "cnumpy.core.numeric\n_frombuffer\n(h\x00cnumpy\ndtype\nS'U1'\n\x85R(K\x03S'<'\ntb(J\xa0\x86\x01\x00tS'C'\ntR0";
  copies(`${raw}${array.repeat(5000)}N.`);
  const empty = "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tS'b'\ntR";
  const state = "(K\x01(J\xa0\x86\x01\x00tcnumpy\ndtype\nS'U1'\n\x85R(K\x03S'<'\ntb\x89h\x00tb0";
  copies(`${raw}${`${empty}${state}`.repeat(5000)}N.`);
});

Deno.test("unpickle() refuses empty containers without end", () => {
  refuses(`${"}".repeat(1_100_000)}.`, "maxBytes is 268435456: what the pickle makes takes more");
  for (const code of ["}", "\x8f", "cx\ny\n)R"]) refuses(`${code.repeat(200_000)}.`, "maxBytes is", 2 ** 25);
});

Deno.test("unpickle() takes keys of bounded length, and turns bytes into text once", () => {
  refuses(`}(B${little(70_000, 4)}${"k".repeat(70_000)}Nu.`, "a key must take at most 65536 bytes, not 70000");
  refuses(`}(X${little(70_000, 4)}${"k".repeat(70_000)}Nu.`, "a key must take at most 65536 bytes, not 70000");
  const many = `}q\x000B${little(60_000, 4)}${"k".repeat(60_000)}q\x010h\x00(${"h\x01N".repeat(500_000)}u.`;
  const start = performance.now();
  assertEquals((read(many) as Map<PickleValue, PickleValue>).size, 1);
  assert(performance.now() - start < 10_000);
});

Deno.test("unpickle() refuses calls of a thousand arguments, and dtypes of long names", () => {
  refuses(`cx\ny\n(${"N".repeat(1001)}tR.`, "a call must have at most 1000 arguments");
  refuses(`cnumpy\ndtype\nS'U${"1".repeat(50)}'\n\x85R.`, "a numpy.dtype must be named by short text");
});

Deno.test("readTorch() refuses devices that are no device, and tensors rebuilt without end", async () => {
  const { writeZip } = await import("../../src/formats/internal.ts");
  const torch = async (pickle: string, message: string) => {
    const bytes = await writeZip([{ name: "x/data.pkl", bytes: latin1(pickle) }]);
    const error = await readTorch(bytes).then(() => null, (error) => error);
    assert(error instanceof SyntaxError && error.message.includes(message), String(error));
  };
  const device = "ctorch\ndevice\nq\x00";
  await torch(
    `${device}0S'a'\nq\x010${"h\x00h\x01h\x01\x86Rq\x010".repeat(40)}h\x01.`,
    "a torch.device must be a short name",
  );
  await torch(`${device}S'${"a".repeat(99)}'\n\x85R.`, "a torch.device must be a short name");
  const cycle = "]q\x00(ctorch._tensor\n_rebuild_from_type_v2\nNh\x00e0ctorch._tensor\n_rebuild_from_type_v2\nh\x00R.";
  await torch(cycle, "a tensor must be rebuilt by an allowed function, not by torch._tensor._rebuild_from_type_v2");
  const magic = `\x80\x02N${"2\x86".repeat(20)}.`;
  const error = await readTorch(latin1(magic)).then(() => null, (error) => error);
  assert(error instanceof SyntaxError && error.message.includes("got a list of 2 (a plain pickle?)"), String(error));
});

Deno.test("heldBytes() counts what a value holds itself", () => {
  assertEquals(heldBytes("abc"), 38);
  assertEquals(heldBytes([1, 2]), heldBytes([[1], 2]));
  assert(heldBytes(new Map([[1, 2]])) > heldBytes(new Map()));
  assert(heldBytes(new Uint8Array(100)) > 100);
});
