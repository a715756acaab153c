import { assertEquals, assertThrows } from "@std/assert";
import { DeviceError } from "../../src/device/mod.ts";
import type { DeviceStorage } from "../../src/device/mod.ts";
import { Failures } from "../../src/device/failures.ts";

/** A pretended GPUDevice: what Failures listens to, and how to make it fail. */
function pretend() {
  let lose = (_message: string) => {};
  const lost = new Promise<{ reason: string; message: string }>((resolve) => {
    lose = (message) => resolve({ reason: "unknown", message });
  });
  const errors: ({ message: string } | null)[] = [];
  const gpu = Object.assign(new EventTarget(), {
    lost,
    pushErrorScope: () => {},
    popErrorScope: () => Promise.resolve(errors.shift() ?? null),
  });
  const submits = { latest: 0, renewBaton() {} };
  const failures = new Failures(
    gpu as unknown as GPUDevice,
    () => ({ op: "add", shapes: [[2, 3]] }),
    () => submits,
  );
  return { gpu, failures, errors, submits, lose };
}

const idle = () => Promise.resolve();

Deno.test("Failures throws a lost device at every check, with the op that ran", async () => {
  const { failures, lose } = pretend();
  lose("the driver crashed");
  await failures.settle(idle);
  const message = "Cannot go on as the device was lost: the driver crashed (op add, shapes [2,3])";
  for (let i = 0; i < 2; i++) assertThrows(() => failures.check(), DeviceError, message);
});

Deno.test("Failures takes the loss of a closed device as wanted", async () => {
  const { failures, lose } = pretend();
  failures.close();
  lose("destroyed");
  await failures.settle(idle);
  assertEquals(failures.lost, null);
  assertThrows(() => failures.check(), DeviceError, "Cannot use a closed device");
});

Deno.test("Failures throws memory that ran out once, naming the op that asked for it", async () => {
  const { failures, errors } = pretend();
  errors.push({ message: "no memory" });
  const details = { op: "conv2d", shapes: [[8, 32, 32, 64]] };
  assertEquals(failures.watch("out-of-memory", "Cannot allocate 9 bytes", details, () => 7), 7);
  await failures.settle(idle);
  assertThrows(
    () => failures.check(),
    DeviceError,
    "Cannot allocate 9 bytes: no memory (op conv2d, shapes [8,32,32,64])",
  );
  failures.check(); // thrown once
});

Deno.test("Failures throws an uncaptured error, the first of several", async () => {
  const { gpu, failures } = pretend();
  for (const message of ["first", "second"]) {
    gpu.dispatchEvent(Object.assign(new Event("uncapturederror", { cancelable: true }), { error: { message } }));
  }
  await failures.settle(idle);
  assertThrows(() => failures.check(), DeviceError, "Cannot run on the device: first");
  failures.check();
});

Deno.test("Failures throws the error of an open scope before an uncaptured one that was told first", async () => {
  const { gpu, failures, errors } = pretend();
  errors.push({ message: "no such name" });
  failures.watch("validation", "Cannot compile a shader", { op: "add", shapes: [] }, () => 0);
  const error = { message: "[Invalid ComputePipeline] is invalid" };
  gpu.dispatchEvent(Object.assign(new Event("uncapturederror", { cancelable: true }), { error }));
  await failures.settle(idle);
  assertThrows(() => failures.check(), DeviceError, "Cannot compile a shader: no such name (op add)");
  failures.check();
});

Deno.test("Failures doubts all submits since the last that worked, and no later ones", () => {
  const { failures, submits } = pretend();
  failures.worked(3);
  submits.latest = 6;
  failures.fail(new DeviceError("Cannot run"));
  submits.latest = 7;
  for (const serial of [-1, 3, 7]) failures.checkDone(serial);
  for (const serial of [4, 6]) assertThrows(() => failures.checkDone(7, serial), DeviceError, "Cannot run");
  assertEquals(failures.doubtIn([{ writtenBy: 3 }, { writtenBy: 5 }] as DeviceStorage[]), 5);
  assertEquals(failures.doubtIn([{ writtenBy: 3 }, { writtenBy: 7 }] as DeviceStorage[]), null);
});

Deno.test("Failures keeps doubting submits of long ago after many failures", () => {
  const { failures, submits } = pretend();
  for (let i = 0; i < 40; i++) {
    submits.latest = 2 * i + 1;
    failures.worked(2 * i);
    failures.fail(new DeviceError(`Cannot run ${i}`));
    assertThrows(() => failures.check(), DeviceError);
  }
  for (const serial of [1, 41, 79]) assertThrows(() => failures.checkDone(serial), DeviceError);
});
