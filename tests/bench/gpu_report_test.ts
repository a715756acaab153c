import { assertEquals } from "@std/assert";
import { joinedTable, oursTable } from "../../bench/_gpu_report.ts";

const OURS = {
  device: "a GPU",
  date: "2026-11-25",
  gigaflops: 1000,
  gigabytes: 100,
  lines: [
    { name: "matmul 512", ms: 2, hostMs: 0.5, gflop: 1, images: 0, peakMB: 3 },
    { name: "step, 10 images, eager", ms: 4, hostMs: 1, gflop: 0, images: 10, peakMB: 8 },
  ],
};

Deno.test("oursTable() states rates and the share of the ceiling", () => {
  assertEquals(oursTable(OURS).split("\n").map((line) => line.replaceAll(/ +/g, " ")), [
    "| work | ms | host ms | GFLOP/s | of the ceiling | images/s | peak MB |",
    "| ---------------------- | ---: | ------: | ------: | -------------: | -------: | ------: |",
    "| matmul 512 | 2.00 | 0.500 | 500 | 50 % | | 3 |",
    "| step, 10 images, eager | 4.00 | 1.00 | | | 2500 | 8 |",
  ]);
});

Deno.test("joinedTable() puts every mode of PyTorch beside a line, and leaves out what it did not measure", () => {
  const pytorch = {
    device: "a GPU",
    version: "2",
    modes: {
      f32: [{ name: "step, 10 images", ms: 6, images: 10, peakMB: 9 }, { name: "matmul 512", ms: 1 }],
      defaults: [{ name: "step, 10 images", ms: 2, images: 10, peakMB: 9 }],
    },
  };
  assertEquals(joinedTable(OURS, pytorch).split("\n").slice(2).map((line) => line.replaceAll(/ +/g, " ")), [
    "| matmul 512 | 2.00 | 0.500 | 500 | 50 % | 1.00 | 0.500× | | | | 3 | |",
    "| step, 10 images, eager | 4.00 | 1.00 | | | 6.00 | 1.50× | 2.00 | 0.500× | 2500 | 8 | 9 |",
  ]);
});
