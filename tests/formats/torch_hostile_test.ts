import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Bytes, ndarray, type PickleDict, readTorch, stateDict } from "../../src/formats/mod.ts";
import { writeZip, type ZipMember } from "../../src/formats/internal.ts";
import { concatBytes } from "../../src/formats/source.ts";
import { damages, fixture, latin1, little, survives, truncations } from "./_helpers.ts";
import { floats, load, STUBS } from "./_torch.ts";

/** A file in the zip format around a pickle. */
function zipFormat(pickle: string, members: ZipMember[] = []): Promise<Bytes> {
  return writeZip([{ name: "x/data.pkl", bytes: latin1(pickle) }, ...members]);
}

/** A pickle of one tensor of storage "0". */
function tensorPickle(
  offset = "K\x00",
  size = "(K\x02t",
  stride = "(K\x01t",
  storage = "(S'storage'\nctorch\nFloatStorage\nS'0'\nS'cpu'\nK\x02tQ",
): string {
  return `ctorch._utils\n_rebuild_tensor_v2\n(${storage}${offset}${size}${stride}\x89NtR.`;
}

const DATA: ZipMember = { name: "x/data/0", bytes: latin1("\x00\x00\x80\x3f\x00\x00\x00\x40") };

Deno.test("readTorch() refuses classes that are not known, and names them", async () => {
  await assertRejects(
    () => load("gloria.ckpt"),
    SyntaxError,
    '"pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint" is not known here: save the weights alone',
  );
  const evil = await zipFormat("cposix\nsystem\n(S'true'\ntR.");
  await assertRejects(() => readTorch(evil), SyntaxError, '"posix.system" is not known here');
});

Deno.test("readTorch() follows the byteorder record", async () => {
  const order = (text: string) => zipFormat(tensorPickle(), [DATA, { name: "x/byteorder", bytes: latin1(text) }]);
  assertEquals(floats(await readTorch(await order("little"))), [1, 2]);
  const big = zipFormat(tensorPickle(), [{ name: "x/data/0", bytes: DATA.bytes.toReversed() }, {
    name: "x/byteorder",
    bytes: latin1("big"),
  }]);
  assertEquals(floats(await readTorch(await big)), [2, 1]);
  await assertRejects(async () => readTorch(await order("middle")), SyntaxError, 'must be little or big: got "middle"');
});

Deno.test("readTorch() refuses files that are none of PyTorch's", async () => {
  const refuses = (bytes: Bytes, message: string) => assertRejects(() => readTorch(bytes), SyntaxError, message);
  await refuses(latin1("GIF89a"), "it must be a zip or a pickle: got a GIF picture");
  await refuses(new Uint8Array(0), "it must be a zip or a pickle: got an empty file");
  await refuses(
    concatBytes([latin1(`sys_info${"\0".repeat(249)}ustar\0`), new Uint8Array(249)]),
    "got a tar of PyTorch 0.1",
  );
  await refuses(await writeZip([DATA]), 'its zip must hold one data.pkl: got "x/data/0"');
  const two = [{ name: "a/data.pkl", bytes: latin1("N.") }, { name: "b/data.pkl", bytes: latin1("N.") }];
  await refuses(await writeZip(two), 'its zip must hold one data.pkl: got "a/data.pkl", "b/data.pkl"');
  await refuses(await zipFormat("N.", [{ name: "x/constants.pkl", bytes: latin1("N.") }]), "TorchScript is a program");
});

Deno.test("readTorch() refuses files of the old format whose parts are wrong", async () => {
  const magic = `\x80\x02\x8a\x0a${little(0x1950a86a20f9469cfc6cn, 10)}.`;
  const system = "\x80\x02}(X\x10\x00\x00\x00protocol_versionM\xe9\x03u.";
  const start = `${magic}\x80\x02M\xe9\x03.${system}`;
  const object = `\x80\x02${tensorPickle()}`;
  const data = little(2, 8) + "\x00\x00\x80\x3f\x00\x00\x00\x40";
  assertEquals(floats(await readTorch(latin1(`${start}${object}]S'0'\na.${data}`))), [1, 2]);
  const cases: [string, string][] = [
    ["\x80\x02K\x01.", "its magic number must be 119547037146038801333356: got 1"],
    [`${magic}K\x01.`, "its protocol must be 1001: got 1"],
    [`${magic}M\xe9\x03.}.`, "its third part must describe the system"],
    [`${start}${object}N.`, "its storages must be listed: got null"],
    [`${start}${object}]S'1'\na.`, 'the object must mention each storage: got "1"'],
    [`${start}${object}].`, 'storage "0" must be in it: got 0 others'],
    [`${start}${object}]S'0'\na.${little(3, 8)}`, "it ends early: 12 bytes wanted"],
    [`${start}${object}]S'0'\na.${little(1, 8)}abcd`, "storage 0 must have 8 bytes: got 4"],
  ];
  for (const [text, message] of cases) await assertRejects(() => readTorch(latin1(text)), SyntaxError, message);
});

Deno.test("readTorch() reads a storage that is a window of another, in the old format", async () => {
  const magic = `\x80\x02\x8a\x0a${little(0x1950a86a20f9469cfc6cn, 10)}.`;
  const start = `${magic}\x80\x02M\xe9\x03.\x80\x02}(X\x10\x00\x00\x00protocol_versionM\xe9\x03u.`;
  const storage = (window: string) => `(S'storage'\nctorch\nFloatStorage\nS'0'\nS'cpu'\nK\x02${window}tQ`;
  const file = (window: string) =>
    latin1(
      `${start}${tensorPickle("K\x00", "(K\x01t", "(K\x01t", storage(window))}]S'0'\na.${
        little(2, 8)
      }\x00\x00\x80\x3f\x00\x00\x00\x40`,
    );
  assertEquals(floats(await readTorch(file("(S'0v'\nK\x01K\x01t"))), [2]);
  assertEquals(floats(await readTorch(file("N"))), [1]);
  await assertRejects(() => readTorch(file("(S'0v'\nK\x02K\x01t")), SyntaxError, "storage 0 must have 12 bytes: got 8");
  await assertRejects(
    () => readTorch(file("(S'0v'\nNK\x01t")),
    SyntaxError,
    "a window of a storage must have an offset and a size",
  );
});

Deno.test("readTorch() refuses tensors that leave their storage or have none", async () => {
  const refuses = async (pickle: string, message: string, members = [DATA]) => {
    const bytes = await zipFormat(pickle, members);
    await assertRejects(() => readTorch(bytes), SyntaxError, message);
  };
  const outside = "must lie inside its storage: its last element is";
  await refuses(tensorPickle("K\x01"), `a tensor [2] ${outside} 2 of 2`);
  await refuses(tensorPickle("K\x00", "(K\x02t", "(K\x02t"), `a tensor [2] ${outside} 2 of 2`);
  await refuses(tensorPickle("J\xff\xff\xff\xff"), "sizes, strides and offsets must be whole numbers >= 0");
  await refuses(tensorPickle("K\x00", "(J\xff\xff\xff\xfft"), "sizes, strides and offsets must be whole numbers >= 0");
  await refuses(tensorPickle("K\x00", "K\x02"), "sizes, strides and offsets must be whole numbers >= 0, not 2");
  await refuses(tensorPickle("K\x00", "(K\x01K\x01t"), "one stride a dimension: [1,1] and [1]");
  await refuses(tensorPickle("K\x00", "(K\x02t", "(K\x01t", "N"), "a tensor must have a storage, not null");
  await refuses(tensorPickle(), "storage 0 must have 8 bytes: got 4", [{ ...DATA, bytes: latin1("abcd") }]);
  for (const id of ["N", "(S'module'\nt", "(S'storage'\nS'x'\nS'0'\nS'cpu'\nK\x02t"]) {
    await refuses(tensorPickle("K\x00", "(K\x02t", "(K\x01t", `${id}Q`), "a persistent id must name a storage");
  }
  await refuses("ctorch._utils\n_rebuild_tensor_v3\n(NNNNNNNtR.", "a tensor must have a torch.dtype, not null");
  await refuses(
    "ctorch._tensor\n_rebuild_from_type_v2\n(NNNNtR.",
    "a tensor must be rebuilt by an allowed function, not by null",
  );
  const missing = await zipFormat(tensorPickle());
  await assertRejects(() => readTorch(missing), SyntaxError, 'it must hold "x/data/0": it is not there');
});

Deno.test("readTorch() reads a tensor over untyped bytes, and a subclass of Tensor", async () => {
  const untyped = "(S'storage'\nctorch.storage\nUntypedStorage\nS'0'\nS'cpu'\nK\x08tQ";
  const v3 = `ctorch._utils\n_rebuild_tensor_v3\n(${untyped}K\x00(K\x02t(K\x01t\x89Nctorch\nfloat32\nt`;
  assertEquals(await readTorch(await zipFormat(`${v3}R.`, [DATA])), ndarray([2], "f32", new Float32Array([1, 2])));
  const [rebuild, args] = [v3.slice(0, v3.indexOf("(")), v3.slice(v3.indexOf("("))];
  const subclass = `ctorch._tensor\n_rebuild_from_type_v2\n(${rebuild}ctorch\nTensor\n${args}}tR.`;
  assertEquals(await readTorch(await zipFormat(subclass, [DATA])), ndarray([2], "f32", new Float32Array([1, 2])));
});

Deno.test("readTorch() names what came in place of a PyTorch file", async () => {
  const cases: [string, string][] = [
    ["version https://git-lfs.github.com/spec/v1\noid", "got a pointer of Git LFS"],
    ["<!DOCTYPE html><title>404", "got a web page"],
    [`train.pth${"\0".repeat(248)}ustar\x0000`, "got a tar archive (unpack it first)"],
    ["\x1f\x8b\x08", "got gzip (unpack it first)"],
    ["\xff\xd8\xff\xe0", "got a JPEG picture"],
    [`\x40${"\0".repeat(7)}{"a":`, "got a safetensors file"],
    ["abcd", "got bytes 61 62 63 64"],
  ];
  for (const [text, message] of cases) await assertRejects(() => readTorch(latin1(text)), SyntaxError, message);
});

Deno.test("readTorch() puts a record in the place of tensors that are not plain numbers", async () => {
  const storage = (type: string) => `(S'storage'\nctorch\n${type}\nS'0'\nS'cpu'\nK\x02tQ`;
  const dense = tensorPickle().slice(0, -1);
  const layout = "ctorch.serialization\n_get_layout\n(S'torch.sparse_coo'\ntR";
  const scheme = "(ctorch\nper_tensor_affine\nG\x3f\xb9\x99\x99\x99\x99\x99\x9aK\x00t";
  const v3 = `ctorch._utils\n_rebuild_tensor_v3\n(${storage("UntypedStorage")}K\x00(K\x02t(K\x01t\x89N`;
  const cases: [string, string][] = [
    ["complex", tensorPickle("K\x00", "(K\x02t", "(K\x01t", storage("ComplexFloatStorage")).slice(0, -1)],
    ["quantised", `ctorch._utils\n_rebuild_qtensor\n(${storage("QInt8Storage")}K\x00(K\x02t(K\x01t${scheme}\x89NtR`],
    ["sparse", `ctorch._utils\n_rebuild_sparse_tensor\n(${layout}(${dense}${dense}(K\x03tttR`],
    ["8-bit float", `${v3}ctorch\nfloat8_e4m3fn\ntR`],
  ];
  for (const [kind, pickle] of cases) {
    const value = await readTorch(await zipFormat(`}(S'w'\n${dense}S'x'\n${pickle}u.`, [DATA])) as PickleDict;
    assertEquals(floats(value.get("w")), [1, 2]);
    assertEquals(String(value.get("x")), `a ${kind} tensor, which is not read here`);
    const rule = `every entry must be a tensor: got a ${kind} tensor, which is not read here at "x"`;
    assertThrows(() => stateDict(value), TypeError, rule);
  }
  const other = await zipFormat(tensorPickle("K\x00", "(K\x02t", "(K\x01t", storage("FooStorage")), [DATA]);
  await assertRejects(
    () => readTorch(other, { stubs: ["torch."] }),
    SyntaxError,
    "its storages must be of a known class: got torch.FooStorage",
  );
});

Deno.test("readTorch() refuses packed members beyond what a file of its size holds", async () => {
  const bytes = await writeZip(
    [{ name: "x/data.pkl", bytes: latin1(tensorPickle()) }, { name: "x/data/0", bytes: new Uint8Array(1e6) }],
    { compressed: true },
  );
  await assertRejects(() => readTorch(bytes, { maxBytes: 999_999 }), RangeError, "its storages may take 999999 bytes");
});

Deno.test("readTorch() lets a pickle make more where maxBytes says so, as the refusal advises", async () => {
  const bytes = await writeZip([{ name: "x/data.pkl", bytes: latin1(`\x80\x02${"}0".repeat(1_100_000)}}.`) }]);
  await assertRejects(() => readTorch(bytes), SyntaxError, "maxBytes is 268435456: what the pickle makes takes more");
  assertEquals(await readTorch(bytes, { maxBytes: 2 ** 30 }), new Map());
});

Deno.test("readTorch() refuses tensors that blow up a small storage", async () => {
  const size = "J\x00\x00\x01\x00";
  const bytes = await zipFormat(tensorPickle("K\x00", `(${size}${size}t`, "(K\x00K\x00t"), [DATA]);
  await assertRejects(
    () => readTorch(bytes),
    RangeError,
    "maxBytes is 1073741824: tensors up to one of shape [65536,65536] take 17179869184",
  );
  const small = await zipFormat(tensorPickle("K\x00", "(K\x04t", "(K\x00t"), [DATA]);
  await assertRejects(() => readTorch(small, { maxBytes: 15 }), RangeError, "maxBytes is 15");
  assertEquals(floats(await readTorch(small)), [1, 1, 1, 1]);
});

Deno.test("readTorch() refuses the file cut at every byte, and survives every byte changed", async () => {
  for (const name of ["checkpoint_legacy.pth.tar", "gloria.ckpt"]) {
    const bytes = await fixture(name);
    const read = (damaged: Bytes) => readTorch(damaged, { stubs: STUBS, checkCrc: false });
    assertEquals(await survives(truncations(bytes), read), bytes.length);
    await survives(damages(bytes, [0x01, 0xff]), read);
  }
});
