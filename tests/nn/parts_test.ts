import { assertEquals, assertThrows } from "@std/assert";
import {
  autocast,
  backward,
  cast,
  concat,
  Device,
  keep,
  key,
  mul,
  noGrad,
  normal,
  scope,
  sum,
  type Tensor,
} from "../../mod.ts";
import { BatchNorm2d, contrastive, Module, ResNet, Sequential, withoutTracking } from "../../src/nn/mod.ts";
import { assertClose } from "../../src/testing/mod.ts";
import { testWith } from "../device/_features.ts";

const device = await Device.open();

const LAYOUTS = {
  basic: { block: "basic", layers: [1, 1], widths: [8, 16], smallStem: true },
  bottleneck: { block: "bottleneck", layers: [1, 1], widths: [4, 8] },
} as const;

interface Outcome {
  readonly z: Float32Array;
  readonly grads: Map<string, Float32Array>;
  readonly running: Map<string, Float32Array>;
  readonly tracked: number[];
}

/** Computes what a network makes of a batch, its gradients and its running statistics. */
async function outcome(
  layout: keyof typeof LAYOUTS,
  forward: (model: Module, x: Tensor[]) => Tensor,
  mixed = false,
): Promise<Outcome> {
  const model = contrastive(new ResNet(LAYOUTS[layout], { numClasses: 12 }), { projection: 6 });
  using _ = scope();
  const parts = [3, 5, 2].map((n, i) => normal([n, 2, 16, 16, 3], { key: key(4, i) }));
  const z = cast(autocast(() => forward(model, parts), { enabled: mixed }), "f32");
  backward(sum(mul(z, normal(z.shape, { key: key(9) }))));
  const read = async (of: Iterable<[string, Tensor]>) => {
    const found = new Map<string, Float32Array>();
    for (const [name, tensor] of of) found.set(name, await tensor.data() as Float32Array);
    return found;
  };
  const result = {
    z: await z.data() as Float32Array,
    grads: await read([...model.namedParameters()].map(([name, { grad }]) => [name, grad!])),
    running: await read(model.namedBuffers()),
    tracked: [...model.namedCounters()].map(([, { value }]) => value),
  };
  model.parameters().forEach(({ grad }) => grad?.dispose());
  model.dispose();
  return result;
}

const whole = (model: Module, x: Tensor[]) => model.forward(concat(x, 0));
const inParts = (model: Module, x: Tensor[]) => concat(model.forwardParts(x), 0);

function assertSame(a: Outcome, b: Outcome, tolerance: number): void {
  const close = (x: Float32Array, y: Float32Array) => {
    const scale = Math.max(...x.map(Math.abs));
    assertClose(y, x, { rtol: tolerance, atol: tolerance * scale });
  };
  close(a.z, b.z);
  for (const [name, grad] of a.grads) close(grad, b.grads.get(name)!);
  for (const [name, values] of a.running) close(values, b.running.get(name)!);
  assertEquals(b.tracked, a.tracked);
}

for (const layout of ["basic", "bottleneck"] as const) {
  Deno.test(`forwardParts() of a ${layout} network gives outputs, gradients and running statistics of the whole batch`, async () => {
    assertSame(await outcome(layout, whole), await outcome(layout, inParts), 2e-4);
  });
}

testWith(device, "shader-f16", "forwardParts() in mixed precision stays near the whole batch", async () => {
  assertSame(await outcome("basic", whole, true), await outcome("basic", inParts, true), 0.02);
});

Deno.test("parts that are normalised on their own give other gradients: the statistics matter", async () => {
  const alone = await outcome("basic", (model, x) => concat(x.map((part) => model.forward(part)), 0));
  const { grads } = await outcome("basic", whole);
  assertThrows(() =>
    assertClose(alone.grads.get("encoder.conv1.weight")!, grads.get("encoder.conv1.weight")!, { rtol: 0.1 })
  );
  assertEquals(alone.tracked[0], 3);
});

Deno.test("forwardParts() in evaluation is forward() of every part", async () => {
  const norm = new BatchNorm2d({ numFeatures: 4 }).eval();
  const parts = [keep(normal([3, 4], { key: key(1) })), keep(normal([2, 4], { key: key(2) }))];
  const [a, b] = noGrad(() => norm.forwardParts(parts));
  assertEquals(await a!.data(), await noGrad(() => norm.forward(parts[0]!)).data());
  assertEquals(await b!.data(), await noGrad(() => norm.forward(parts[1]!)).data());
});

Deno.test("forwardParts() asks modules of one's own how their parts are normalised together", () => {
  class Own extends Module {
    norm = new BatchNorm2d({ numFeatures: 4 });
    override forward(x: Tensor): Tensor {
      return this.norm.forward(x);
    }
  }
  const [own, x] = [new Own(), keep(normal([3, 4], { key: key(1) }))];
  assertThrows(
    () => own.forwardParts([x, x]),
    TypeError,
    'Cannot compute forwardParts() as Own must define it to normalise parts together: got batch normalisation at "norm"',
  );
  assertEquals(noGrad(() => own.forwardParts([x])).length, 1);
  assertEquals(noGrad(() => own.eval().forwardParts([x, x])).length, 2);
});

Deno.test("withoutTracking() leaves running statistics and counts, and gives the bits of an ordinary pass", async () => {
  const norm = new BatchNorm2d({ numFeatures: 4 });
  const model = new Sequential(norm);
  const x = keep(normal([64, 4], { key: key(3) }));
  const still = await withoutTracking(model, () => noGrad(() => model.forward(x))).data();
  assertEquals([norm.numBatchesTracked.value, ...await norm.runningMean.data()], [0, 0, 0, 0, 0]);
  assertEquals([...await norm.runningVar.data()], [1, 1, 1, 1]);
  assertEquals(await noGrad(() => model.forward(x)).data(), still);
  assertEquals(norm.numBatchesTracked.value, 1);
  assertThrows(
    () =>
      withoutTracking(model, () => {
        throw new Error("stop");
      }),
    Error,
    "stop",
  );
  assertEquals(norm.tracks, true);
});
