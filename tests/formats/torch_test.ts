import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import {
  type Bytes,
  type ByteSource,
  type NdArray,
  ndarray,
  openZip,
  type PickleDict,
  PickleGlobal,
  PickleObject,
  type PickleValue,
  readTorch,
  stateDict,
  toF32,
  type TorchOptions,
  writeTorch,
  writeZip,
  type ZipMember,
} from "../../src/formats/mod.ts";
import { concatBytes } from "../../src/formats/source.ts";
import { damages, fixture, latin1, little, survives, truncations } from "./_helpers.ts";

const STUBS = ["omegaconf.", "pytorch_lightning.", "typing."];

async function load(name: string, options: TorchOptions = {}): Promise<PickleDict> {
  return await readTorch(await fixture(name), options) as PickleDict;
}

function floats(value: PickleValue | undefined): number[] {
  return [...toF32(value as NdArray)];
}

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

for (const name of ["tensors.pt", "tensors_legacy.pt", "torch2_tensors.pt"]) {
  Deno.test(`readTorch() reads every dtype and every kind of view from ${name}`, async () => {
    const value = await load(name);
    const common = [0, 1, -2, 0.5];
    assertEquals(floats(value.get("f16")), [...common, 65504, Infinity]);
    assertEquals(floats(value.get("bf16")), [...common, 65536, Infinity]);
    assertEquals(value.get("f64"), ndarray([2], "f64", new Float64Array([1 / 3, -1e300])));
    assertEquals(value.get("i64"), ndarray([2], "i64", new BigInt64Array([2n ** 53n + 1n, -(2n ** 63n)])));
    assertEquals(value.get("i32"), ndarray([1, 2], "i32", new Int32Array([1, -2])));
    assertEquals(value.get("i16"), ndarray([2], "i16", new Int16Array([-32768, 32767])));
    assertEquals(value.get("i8"), ndarray([2], "i8", new Int8Array([-128, 127])));
    assertEquals(value.get("u8"), ndarray([2], "u8", new Uint8Array([0, 255])));
    assertEquals(value.get("bool"), ndarray([3], "bool", new Uint8Array([1, 0, 1])));
    assertEquals(value.get("scalar"), ndarray([], "f32", new Float32Array([2.5])));
    assertEquals(value.get("empty"), ndarray([0, 3], "f32", new Float32Array(0)));
    assertEquals(
      value.get("transposed"),
      ndarray([4, 3], "f32", new Float32Array([0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11])),
    );
    assertEquals(value.get("column"), ndarray([3], "f32", new Float32Array([1, 5, 9])));
    assertEquals(value.get("row"), ndarray([4], "f32", new Float32Array([4, 5, 6, 7])));
    assertEquals(value.get("steps"), ndarray([2, 2], "f32", new Float32Array([1, 3, 9, 11])));
    assertEquals(value.get("expanded"), ndarray([2, 3], "f32", new Float32Array(6).fill(7)));
    assertEquals(value.get("parameter"), ndarray([2], "f32", new Float32Array([1, 2])));
    assertEquals(value.get("numpy"), ndarray([3], "i64", new BigInt64Array([0n, 1n, 2n])));
    assertEquals(value.get("numpy_scalar"), 0.25);
  });

  Deno.test(`readTorch() reads plain values from ${name}`, async () => {
    const plain = (await load(name)).get("plain") as PickleValue[];
    const expected = [null, true, 1, 2n ** 70n, 1.5, "text é", latin1("bytes"), [1, 2], new Set([3, 4]), [5, 6]];
    assertEquals(plain.slice(0, 10), expected);
    assert(plain[10] instanceof PickleGlobal);
    assertEquals(`${plain[10]} ${plain[11]}`, "torch.float16 cpu");
  });
}

Deno.test("readTorch() reads the unsigned dtypes of PyTorch 2", async () => {
  const value = await load("torch2_tensors.pt");
  assertEquals(value.get("u16"), ndarray([2], "u16", new Uint16Array([0, 65535])));
  assertEquals(value.get("u64"), ndarray([1], "u64", new BigUint64Array([2n ** 63n])));
});

Deno.test("readTorch() keeps shared storages shared", async () => {
  const value = await load("tensors.pt");
  const base = value.get("base") as NdArray;
  const row = value.get("row") as NdArray;
  assertStrictEquals(row.data.buffer, base.data.buffer);
  base.data[4] = 99;
  assertEquals(row.data[0], 99);
});

Deno.test("readTorch() reads a checkpoint of the original in both formats", async () => {
  for (const name of ["checkpoint_0399.pth.tar", "checkpoint_legacy.pth.tar"]) {
    const checkpoint = await load(name);
    assertEquals([checkpoint.get("epoch"), checkpoint.get("arch")], [400, "resnet18"]);
    const weights = stateDict(checkpoint, { prefixes: ["module."] });
    const names = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"].map((part) => `bn1.${part}`);
    assertEquals([...weights.keys()], ["conv1.weight", ...names, "fc.weight", "fc.bias"]);
    const conv = weights.get("conv1.weight") as NdArray;
    assertEquals(conv.shape, [4, 3, 3, 3]);
    assertEquals(floats(conv), Array.from({ length: 108 }, (_, i) => Math.fround(i - Math.fround(0.3))));
    const optimizer = checkpoint.get("optimizer") as PickleDict;
    const [group] = optimizer.get("param_groups") as PickleDict[];
    assertEquals([group?.get("lr"), group?.get("momentum")], [0.3, 0.9]);
    const state = (optimizer.get("state") as PickleDict).get(0) as PickleDict;
    assertEquals(floats(state.get("momentum_buffer")), Array(108).fill(1));
  }
});

Deno.test("readTorch() reads a Lightning checkpoint, its configuration as inert records", async () => {
  const checkpoint = await load("gloria.ckpt", { stubs: STUBS });
  const config = checkpoint.get("hyper_parameters");
  assert(config instanceof PickleObject);
  assertEquals(`${config}`, "<omegaconf.dictconfig.DictConfig object>");
  const model = ((config.state as PickleDict).get("_content") as PickleDict).get("model") as PickleObject;
  const name = ((model.state as PickleDict).get("_content") as PickleDict).get("name") as PickleObject;
  assertEquals((name.state as PickleDict).get("_val"), "resnet_18");
  assertStrictEquals((model.state as PickleDict).get("_parent"), config);
  const encoder = stateDict(checkpoint, { select: "gloria.img_encoder.model." });
  assertEquals([...encoder.keys()], ["conv1.weight", "bn1.num_batches_tracked"]);
  assertEquals(encoder.get("bn1.num_batches_tracked")?.data, new BigInt64Array([7n]));
});

Deno.test("readTorch() refuses classes that are not known, and names them", async () => {
  await assertRejects(
    () => load("gloria.ckpt"),
    SyntaxError,
    '"pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint" is not known here: name it in stubs',
  );
  const evil = await zipFormat("cposix\nsystem\n(S'true'\ntR.");
  await assertRejects(() => readTorch(evil), SyntaxError, '"posix.system" is not known here');
});

Deno.test("readTorch() reads only the tensors that keep() asks for", async () => {
  const bytes = await fixture("gloria.ckpt");
  const reads: number[] = [];
  const source: ByteSource = {
    size: bytes.length,
    read(offset, length) {
      reads.push(length);
      return Promise.resolve(bytes.slice(offset, offset + length));
    },
  };
  const paths: string[] = [];
  const keep = (path: string) => paths.push(path) > 0 && path.startsWith("state_dict.gloria.img_encoder.");
  const checkpoint = await readTorch(source, { stubs: STUBS, keep }) as PickleDict;
  assertEquals([...stateDict(checkpoint).keys()].length, 2);
  assert(paths.includes("state_dict.gloria.text_encoder.model.embeddings.weight"), paths.join());
  const [scores] = [...(checkpoint.get("callbacks") as PickleDict).values()] as PickleDict[];
  assertEquals([...(scores as PickleDict).keys()], ["best_model_path"]);
  assert(!reads.includes(64 * 8 * 4), "the text encoder was read");
  assert(reads.includes(24 * 4));
});

Deno.test("readTorch() keeps the places of list elements that keep() leaves out", async () => {
  const a = ndarray([1], "f32", new Float32Array([1]));
  const b = ndarray([1], "f32", new Float32Array([2]));
  assertEquals(await readTorch(await writeTorch([a, b]), { keep: (path) => path === "1" }), [null, b]);
});

Deno.test("readTorch() reads files without checksums when asked to", async () => {
  await assertRejects(() => load("torch2_no_crc.pt"), SyntaxError, "must be 0x00000000 (or checkCrc false)");
  assertEquals(floats((await load("torch2_no_crc.pt", { checkCrc: false })).get("a")), [0, 1, 2, 3]);
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
  await refuses(latin1("GIF89a"), "it must be a zip or a pickle: got bytes 71,73,70,56");
  await refuses(new Uint8Array(0), "it must be a zip or a pickle: got bytes ");
  await refuses(concatBytes([new Uint8Array(257), latin1("ustar\0"), new Uint8Array(249)]), "got a tar of PyTorch 0.1");
  await refuses(await writeZip([DATA]), "its zip must hold one data.pkl: got x/data/0");
  const two = [{ name: "a/data.pkl", bytes: latin1("N.") }, { name: "b/data.pkl", bytes: latin1("N.") }];
  await refuses(await writeZip(two), "its zip must hold one data.pkl: got a/data.pkl,b/data.pkl");
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
    [`${start}${object}]S'1'\na.`, "the object must mention each storage: got 1"],
    [`${start}${object}].`, "storage 0 must be in it: got 0 others"],
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
  await assertRejects(() => readTorch(missing), SyntaxError, "it must hold x/data/0: it is not there");
});

Deno.test("readTorch() reads a tensor over untyped bytes, and a subclass of Tensor", async () => {
  const untyped = "(S'storage'\nctorch.storage\nUntypedStorage\nS'0'\nS'cpu'\nK\x08tQ";
  const v3 = `ctorch._utils\n_rebuild_tensor_v3\n(${untyped}K\x00(K\x02t(K\x01t\x89Nctorch\nfloat32\nt`;
  assertEquals(await readTorch(await zipFormat(`${v3}R.`, [DATA])), ndarray([2], "f32", new Float32Array([1, 2])));
  const [rebuild, args] = [v3.slice(0, v3.indexOf("(")), v3.slice(v3.indexOf("("))];
  const subclass = `ctorch._tensor\n_rebuild_from_type_v2\n(${rebuild}ctorch\nTensor\n${args}}tR.`;
  assertEquals(await readTorch(await zipFormat(subclass, [DATA])), ndarray([2], "f32", new Float32Array([1, 2])));
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
