import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import {
  type ByteSource,
  type NdArray,
  ndarray,
  type PickleDict,
  PickleGlobal,
  PickleObject,
  type PickleValue,
  readTorch,
  stateDict,
  writeTorch,
} from "../../src/formats/mod.ts";
import { fixture, latin1 } from "./_helpers.ts";
import { floats, load, STUBS } from "./_torch.ts";

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
