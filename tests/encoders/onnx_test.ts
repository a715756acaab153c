import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import type { RgbImage } from "../../src/data/mod.ts";
import { applySpec } from "../../src/data/images/resize.ts";
import { assertClose } from "../../src/testing/mod.ts";
import { type OnnxEncoder, openBigBiGan, openOnnx } from "../../src/encoders/mod.ts";
import { loadRuntime } from "../../src/encoders/onnx_session.ts";
import { formula, integers } from "../fixtures/formula.ts";
import { floatsOf, readFixture } from "../fixtures/read.ts";
import { attribute, constant, node, onnxModel, type OnnxSignature } from "../../src/formats/internal.ts";
import { folderOfTests } from "../data/_helpers.ts";

const golden = readFixture("encoders");
const folder = await folderOfTests();

/** The graph of `make_encoders.py`: rows and columns weighed, mean, a matrix, CReLU. */
function graph(size: number, first: "nhwc" | "nchw", signature: OnnxSignature): Uint8Array<ArrayBuffer> {
  const parts = [
    ...first === "nchw" ? [node("Transpose", ["x"], "y", [attribute("perm", [0, 2, 3, 1])])] : [
      node("Identity", ["x"], "y"),
    ],
    node("Mul", ["y", "rows"], "r"),
    node("Mul", ["r", "columns"], "rc"),
    node("ReduceMean", ["rc"], "mean", [attribute("axes", [1, 2]), attribute("keepdims", 0)]),
    node("MatMul", ["mean", "weight"], "avepool_feat"),
    node("Neg", ["avepool_feat"], "negative"),
    node("Concat", ["avepool_feat", "negative"], "both", [attribute("axis", 1)]),
    node("Relu", ["both"], "bn_crelu_feat"),
    node("Unsqueeze", ["bn_crelu_feat", "one"], "class_token"),
    node("Concat", ["class_token", "class_token"], "tokens", [attribute("axis", 1)]),
    constant("one", [1], BigInt64Array.of(1n)),
    constant("rows", [size, 1, 1], formula(`graph/rows${size}`, [size])),
    constant("columns", [size, 1], formula(`graph/columns${size}`, [size])),
    constant("weight", [3, 2048], formula("graph/weight", [3, 2048], { scale: 256 })),
  ];
  return onnxModel(parts, signature);
}

const BIGBIGAN: OnnxSignature = {
  input: ["x", ["batch", 256, 256, 3]],
  outputs: [["avepool_feat", ["batch", 2048]], ["bn_crelu_feat", ["batch", 4096]]],
};

async function write(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await Deno.writeFile(path, bytes);
  return path;
}

function photo(): RgbImage {
  return { data: Uint8Array.from(integers("encoders/photo", [140, 200, 3], 256)), height: 140, width: 200 };
}

function prepared(encoder: OnnxEncoder) {
  return encoder.prepare(applySpec(photo(), encoder.decode));
}

for (const resize of ["crop", "squash"] as const) {
  Deno.test(`openBigBiGan() gives PyTorch's features of the same graph, resize ${resize}`, async () => {
    await using encoder = await openBigBiGan(await write("bigbigan.onnx", graph(256, "nhwc", BIGBIGAN)), { resize });
    assertEquals([encoder.size, encoder.layout, encoder.maxBatch], [256, "nhwc", undefined]);
    const image = prepared(encoder);
    assertEquals(image.length, 256 * 256 * 3);
    assert(image.every((v) => v >= -1 && v <= 1));
    const { data, dim } = await encoder.encode([image, image]);
    assertEquals([dim, data.length], [4096, 8192]);
    const expected = floatsOf(golden, `photo.${resize}`);
    assertClose(data.subarray(0, 4096), expected, { rtol: 1e-4 });
    assertClose(data.subarray(4096), expected, { rtol: 1e-4 });
  });
}

Deno.test("openOnnx() takes channels first, ImageNet's mean and deviation, and the class token", async () => {
  const signature: OnnxSignature = { input: ["x", [1, 3, 224, 224]], outputs: [["tokens", [1, 2, 4096]]] };
  const path = await write("vit.onnx", graph(224, "nchw", signature));
  await using encoder = await openOnnx(path, { shortSide: 256 });
  assertEquals([encoder.size, encoder.layout, encoder.maxBatch], [224, "nchw", 1]);
  const { data, dim } = await encoder.encode([prepared(encoder)]);
  assertEquals(dim, 4096);
  assertClose(data, floatsOf(golden, "photo.imagenet"), { rtol: 1e-4 });
});

Deno.test("openOnnx() names what it cannot use", async () => {
  const path = await write("bigbigan.onnx", graph(256, "nhwc", BIGBIGAN));
  const ends = '"avepool_feat" float32 [batch,2048], "bn_crelu_feat" float32 [batch,4096]';
  const refused = [
    [{}, TypeError, `Cannot use "${path}" as one of its outputs must be named: got ${ends}`],
    [{ output: "z" }, TypeError, `Cannot use "${path}" as it must have an output "z": got ${ends}`],
    [
      { size: 128 },
      TypeError,
      `Cannot use "${path}" as images are nhwc, 128 px, 3 channels: got "x" float32 [batch,256,256,3]`,
    ],
    [{ layout: "nchw" }, TypeError, `Cannot use "${path}" as images are nchw, 256 px, 3 channels`],
    [{ size: 0 }, RangeError, "Cannot open an ONNX encoder as size must be a positive integer: current value is 0"],
    [{ shortSide: 1.5 }, RangeError, "Cannot open an ONNX encoder as shortSide must be a positive integer"],
    [
      { size: 256, shortSide: 224 },
      RangeError,
      "Cannot open an ONNX encoder as shortSide must be at least size: got shortSide 224 and size 256",
    ],
    [
      { resize: "pad" as "crop" },
      RangeError,
      'Cannot open an ONNX encoder as resize must be "crop" or "squash": got "pad"',
    ],
    [{ std: [1, 0, 1] }, RangeError, "mean must be finite and std > 0: got mean default and std 1,0,1"],
  ] as const;
  for (const [options, type, message] of refused) await assertRejects(() => openOnnx(path, options), type, message);
});

Deno.test("openOnnx() refuses other inputs, other files and an absent file", async () => {
  const odd = await write("odd.onnx", graph(8, "nhwc", { ...BIGBIGAN, input: ["x", ["n", "h", "w", "c"]] }));
  await assertRejects(
    () => openOnnx(odd, { output: "bn_crelu_feat" }),
    TypeError,
    `Cannot use "${odd}" as its input does not tell channels from height: got "x" float32 [n,h,w,c]; give the layout`,
  );
  const flat = await write(
    "flat.onnx",
    onnxModel([node("Relu", ["x"], "y")], { input: ["x", ["n", 3]], outputs: [["y", ["n", 3]]] }),
  );
  await assertRejects(
    () => openOnnx(flat),
    TypeError,
    `must have one input, f32 [n,size,size,3] or [n,3,size,size]: got "x" float32 [n,3]`,
  );
  const other = await write("other.onnx", new TextEncoder().encode("no graph"));
  await assertRejects(() => openOnnx(other), SyntaxError, `Cannot read "${other}" as an ONNX graph: `);
  await assertRejects(() => openOnnx(join(folder, "absent.onnx")), Deno.errors.NotFound);
});

Deno.test("an output that is no row for each image is refused", async () => {
  const maps = onnxModel([node("Relu", ["x"], "y")], {
    input: ["x", ["n", 4, 4, 3]],
    outputs: [["y", ["n", 4, 4, 3]]],
  });
  const path = await write("maps.onnx", maps);
  await using encoder = await openOnnx(path);
  await assertRejects(
    () => encoder.encode([prepared(encoder)]),
    TypeError,
    `Cannot use "${path}" as output "y" must be f32 [1,dim] or [1,tokens,dim]: got float32 [1,4,4,3]`,
  );
});

Deno.test("loadRuntime() tells how to get the package", async () => {
  await assertRejects(
    () => loadRuntime("npm:onnxruntime-node@0.0.0-none"),
    Deno.errors.NotFound,
    'run "deno cache npm:onnxruntime-node@0.0.0-none" once',
  );
});
