// What a dispatch refuses at once.
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { defineProgram, Device, DeviceError } from "../../src/device/mod.ts";
import { full, ones, type Tensor } from "../../src/tensor/mod.ts";

const DECLARED = {
  code: "@group(0) @binding(1) var<storage, read_write> y: array<f32>;",
  params: {},
  access: { 1: "read_write" },
} as const;
const RIGHT = defineProgram({
  name: "right",
  code: [DECLARED, "@compute @workgroup_size(1) fn main() { y[0] = 1.0; }"],
  entryPoint: "main",
});
const WRONG = {
  ...RIGHT,
  name: "wrong",
  code: [DECLARED, "@compute @workgroup_size(1) fn main() { y[0] = undefined_name; }"],
};

Deno.test("A constant that is no finite number, or no integer of its type, is refused", async () => {
  await using device = await Device.open();
  const y = ones([4]);
  const sized = { ...RIGHT, name: "sized", code: [...RIGHT.code, "override TILE: u32 = 1; override SCALE: f32 = 1;"] };
  const dispatch = (constants: Record<string, number>) =>
    device.dispatch(sized, { buffers: { 1: y.storage }, workgroups: [1, 1, 1], constants });
  for (const [name, value] of [["SCALE", NaN], ["SCALE", Infinity], ["TILE", 1.5], ["TILE", NaN]] as const) {
    const rule = name === "TILE" ? "an integer (u32)" : "a finite number";
    const message = `Cannot dispatch sized.main as constant "${name}" must be ${rule}: got ${value}`;
    assertThrows(() => dispatch({ [name]: value }), RangeError, message);
  }
  dispatch({ TILE: 2, SCALE: 0.5 });
  assertEquals(await y.data(), new Float32Array([1, 1, 1, 1]));
});

Deno.test("What a dispatch throws at once does not hide what goes wrong after it", async () => {
  const throwing: ((device: Device, y: Tensor) => void)[] = [
    (device, { storage }) => { // before the pipeline is made
      const buffers = { 1: storage, 5: storage } as { 1: typeof storage };
      device.dispatch(RIGHT, { buffers, workgroups: [1, 1, 1] });
    },
    (device, { storage }) => { // while the bind group is made
      const window = { storage, offset: "none" as unknown as number, size: 16 };
      device.dispatch(RIGHT, { buffers: { 1: window }, workgroups: [1, 1, 1] });
    },
  ];
  for (const run of throwing) {
    await using device = await Device.open();
    const y = ones([4]);
    assertThrows(() => run(device, y), TypeError);
    device.dispatch(WRONG, { buffers: { 1: y.storage }, workgroups: [1, 1, 1] });
    await assertRejects(() => y.data(), DeviceError, "wrong.main");
  }
});

Deno.test("A storage that nobody holds any longer is refused: its bytes are another's", async () => {
  await using device = await Device.open();
  const x = ones([4]);
  const { storage } = x;
  x.dispose();
  const after = full([4], 5);
  for (
    const run of [
      () => device.dispatch(RIGHT, { buffers: { 1: storage }, workgroups: [1, 1, 1] }),
      () => device.write(storage, new Float32Array(4)),
    ]
  ) assertThrows(run, TypeError, "Cannot use a storage as it was freed: the tensor that held it last was disposed");
  await assertRejects(() => device.read(storage, 16), TypeError, "Cannot use a storage as it was freed");
  assertEquals(await after.data(), new Float32Array(4).fill(5));
});
