import { assertEquals } from "@std/assert";
import { clustersOf, equalRows } from "../../../src/jobs/pretrain/prior_classes.ts";

/** Twelve points about four corners of a square, the corners in turn. */
const corners = Float32Array.from({ length: 24 }, (_, i) => {
  const [row, axis] = [Math.floor(i / 2), i % 2];
  return ((row % 4) >> axis & 1) * 10 + Math.sin(i);
});

Deno.test("equalRows() gives equal rows one class", () => {
  const data = Float32Array.of(1, 2, 1, 3, 1, 2, 0, 0, 1, 3);
  assertEquals([...equalRows({ data, dim: 2 })], [0, 1, 0, 2, 1]);
});

Deno.test("clustersOf() finds clusters, whatever the seed, and no more than there are different rows", () => {
  for (const seed of [0, 1, 7]) {
    const clusters = clustersOf({ data: corners, dim: 2 }, 4, seed);
    assertEquals(new Set(clusters).size, 4);
    clusters.forEach((cluster, row) => assertEquals(cluster, clusters[row % 4]));
  }
  assertEquals(clustersOf({ data: corners, dim: 2 }, 4, 3), clustersOf({ data: corners, dim: 2 }, 4, 3));
  const few = clustersOf({ data: Float32Array.of(5, 5, 6, 5), dim: 1 }, 3, 0);
  assertEquals([few[0], few[1], new Set(few).size], [few[3], few[0], 2]);
});
