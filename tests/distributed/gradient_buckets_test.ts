import { assertEquals, assertRejects } from "@std/assert";
import { Device, type Tensor, tensor } from "../../mod.ts";
import { Exchange, GradientBuckets, SingleProcess } from "../../src/distributed/mod.ts";

const device = await Device.open();

/** Stands for two ranks that have the same gradients. */
class Doubled extends SingleProcess {
  readonly sent: number[][] = [];

  override startAllReduce(data?: Float32Array): Promise<void> {
    this.sent.push([...data!]);
    data!.forEach((value, i) => data![i] = 2 * value);
    return Promise.resolve();
  }
}

function leaf(values: number[]): Tensor {
  const made = tensor(values.map(() => 0));
  made.requiresGrad = true;
  made.grad = tensor(values);
  return made;
}

Deno.test("GradientBuckets sends the last leaves first, full buckets only, and puts sums back", async () => {
  const group = new Doubled();
  const { reader } = await Exchange.open(group, device);
  const leaves = [leaf([1]), leaf([2, 3]), leaf([4, 5, 6])];
  const buckets = new GradientBuckets(group, reader, leaves, { reduction: "sum", bytes: 12 });
  assertEquals([buckets.count, buckets.bytes], [2, 24]);
  for (let step = 0; step < 2; step++) {
    group.sent.length = 0;
    buckets.ready(leaves[1]!); // complete, but the bucket before it is not
    buckets.ready(leaves[0]!);
    assertEquals(group.sent, []);
    buckets.ready(leaves[2]!);
    const factor = 2 ** step;
    assertEquals(group.sent, [[4, 5, 6], [2, 3, 1]].map((bucket) => bucket.map((value) => factor * value)));
    await buckets.finish();
    const grads = await Promise.all(leaves.map(async ({ grad }) => [...await grad!.data()]));
    assertEquals(grads, [[1], [2, 3], [4, 5, 6]].map((values) => values.map((value) => 2 * factor * value)));
  }
});

Deno.test("GradientBuckets throws when a gradient is missing", async () => {
  const group = new Doubled();
  const { reader } = await Exchange.open(group, device);
  const leaves = [leaf([1]), leaf([2])];
  const buckets = new GradientBuckets(group, reader, leaves);
  buckets.ready(leaves[0]!);
  await assertRejects(
    () => buckets.finish(),
    Error,
    "Cannot reduce gradients as 1 of 2 in a bucket are missing",
  );
});
