import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { Device } from "../../mod.ts";
import { applySpec } from "../../src/data/images/resize.ts";
import { loadVit } from "../../src/encoders/mod.ts";
import { type NdArray, ndarray, toF32, writeTorch } from "../../src/formats/mod.ts";
import { assertClose, TOLERANCE } from "../../src/testing/mod.ts";
import { floatsOf, readFixture } from "../fixtures/read.ts";
import { writerIn } from "./_files.ts";
import { folderOfTests } from "../data/_helpers.ts";

await Device.open();
const golden = readFixture("vits");
const folder = await folderOfTests();
const safetensors = writerIn(folder);

function stateOf(format: string): Map<string, NdArray> {
  const prefix = `${format}/state/`;
  const own = Object.entries(golden.tensors).filter(([name]) => name.startsWith(prefix));
  return new Map(own.map(([name, array]) => [name.slice(prefix.length), array]));
}

/** The fixture's images as an encoder gets them after `prepare`. */
function images(): Float32Array<ArrayBuffer>[] {
  const all = floatsOf(golden, "images");
  return [0, 1, 2].map((i) => all.slice(i * 192, (i + 1) * 192));
}

Deno.test("loadVit() recognises every family's names in safetensors and .pth, and gives PyTorch's features", async () => {
  for (
    const [format, origin] of [
      ["timm", "timm"],
      ["torchvision", "torchvision"],
      ["dinov2_hf", "dinov2"],
      ["clip_hf", "clip"],
    ] as const
  ) {
    using encoder = await loadVit(await safetensors(format, stateOf(format)), { heads: 2 });
    assertEquals(encoder.origin, origin);
    const { data, dim } = await encoder.encode(images());
    assertEquals(dim, origin === "clip" ? 6 : 16);
    assertClose(data, floatsOf(golden, `${format.replace("_hf", "")}/out`), { rtol: TOLERANCE.sum });
  }
  const path = join(folder, "clip.pth"); // as a training program saves it: wrapped, in f16, beside the text encoder
  const state = new Map([...stateOf("clip")].map(([name, value]) => {
    return [
      `module.${name}`,
      ndarray([...value.shape], "f16", new Uint16Array(Float16Array.from(toF32(value)).buffer)),
    ];
  }));
  state.set("module.token_embedding.weight", ndarray([3, 2], "f32", new Float32Array(6)));
  await Deno.writeFile(path, await writeTorch({ epoch: 3, state_dict: state as unknown as Map<string, NdArray> }));
  using encoder = await loadVit(path, { heads: 2 });
  const { data } = await encoder.encode(images());
  assertClose(data, floatsOf(golden, "clip/out"), { rtol: 5e-3 }); // weights of 11 bits
});

Deno.test("loadVit() prepares images as the family's own programs do", async () => {
  const path = await safetensors("clip", stateOf("clip"));
  using clip = await loadVit(path, { heads: 2 });
  assertEquals(clip.decode, { resize: { shortSide: 8 }, interpolation: "bicubic", centerCrop: 8 });
  const white = { data: new Uint8Array(3).fill(255), height: 1, width: 1 };
  assertClose(clip.prepare(white), [1.9303361, 2.0748837, 2.1458969], { rtol: 1e-6 });
  using other = await loadVit(path, { heads: 2, size: 12, shortSide: 16, mean: [0, 0, 0], std: [1, 1, 1] });
  assertEquals(other.decode, { resize: { shortSide: 16 }, interpolation: "bicubic", centerCrop: 12 });
  assertClose(other.prepare(white), [1, 1, 1]);
  assertEquals((await other.encode([new Float32Array(12 * 12 * 3)])).dim, 6);
  using torchvision = await loadVit(await safetensors("tv", stateOf("torchvision")), { heads: 2 });
  assertEquals(torchvision.decode, { resize: { shortSide: 9 }, interpolation: "bilinear", centerCrop: 8 });
});

Deno.test("loadVit() throws on what it cannot use", async () => {
  const other = await safetensors("other", new Map([["conv1.weight", ndarray([1], "f32", new Float32Array(1))]]));
  await assertRejects(
    () => loadVit(other),
    TypeError,
    "it must hold the weights of a vision transformer under the names",
  );
  const lacking = stateOf("timm");
  lacking.delete("blocks.1.norm2.weight");
  const path = await safetensors("lacking", lacking);
  await assertRejects(() => loadVit(path, { heads: 2 }), TypeError, "missing blocks.1.norm2.weight");
  const whole = await safetensors("whole", stateOf("timm"));
  await assertRejects(() => loadVit(whole, { size: 10 }), RangeError, "multiple of its patches' side, 4 px: got 10");
  await assertRejects(
    () => loadVit(whole, { shortSide: 7 }),
    RangeError,
    "shortSide must be an integer of at least size: got shortSide 7 and size 8",
  );
  await assertRejects(() => loadVit(whole, { heads: 3 }), RangeError, "heads must divide dim");
});

Deno.test("applySpec() resizes bicubically as Pillow does", () => {
  // Image.fromarray(pixels).resize((3, 2), Image.BICUBIC) and of (7, 5), Pillow 9.4, of values i² % 251
  const data = Uint8Array.from({ length: 4 * 5 * 3 }, (_, i) => i * i % 251);
  const image = { data, height: 4, width: 5 };
  for (const [height, width, expected] of PILLOW) {
    assertEquals([...applySpec(image, { resize: { height, width }, interpolation: "bicubic" }).data], expected);
    const crop = applySpec(image, { resize: { height, width }, interpolation: "bicubic", centerCrop: 1 });
    assertEquals(crop.data.length, 3);
  }
});

const PILLOW: [number, number, number[]][] = [
  [2, 3, [89, 42, 47, 79, 120, 92, 123, 106, 149, 87, 149, 159, 77, 140, 147, 113, 72, 170]],
  [5, 7, [
    0,
    0,
    2,
    0,
    5,
    9,
    12,
    19,
    30,
    29,
    41,
    66,
    65,
    81,
    101,
    111,
    137,
    159,
    144,
    179,
    205,
    174,
    0,
    26,
    97,
    33,
    79,
    73,
    116,
    91,
    157,
    190,
    26,
    91,
    143,
    128,
    137,
    90,
    147,
    228,
    63,
    109,
    216,
    112,
    10,
    137,
    124,
    121,
    88,
    152,
    183,
    122,
    180,
    115,
    52,
    137,
    167,
    62,
    83,
    161,
    112,
    49,
    121,
    107,
    197,
    60,
    90,
    172,
    165,
    65,
    145,
    226,
    44,
    128,
    161,
    48,
    81,
    156,
    53,
    79,
    176,
    57,
    101,
    198,
    9,
    101,
    207,
    26,
    122,
    240,
    55,
    163,
    194,
    93,
    197,
    42,
    140,
    50,
    89,
    203,
    38,
    170,
    252,
    107,
    225,
  ]],
];
