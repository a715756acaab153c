import { assert } from "@std/assert";
import { peakOf } from "../../bench/_memory.ts";
import type { NetworkName } from "../../bench/_steps.ts";

interface Measured {
  readonly images: number;
  readonly bytes: number;
}

/** PyTorch 1.13's bytes of the same step at two batch sizes, by bench/compare/pytorch_memory.py. */
const PYTORCH: Readonly<Record<NetworkName, readonly [Measured, Measured]>> = {
  resnet18: [{ images: 64, bytes: 470.8e6 }, { images: 128, bytes: 825.4e6 }],
  resnet50: [{ images: 8, bytes: 900.0e6 }, { images: 16, bytes: 1577.9e6 }],
};

/**
 * Most bytes of buffers that an image may take, by PyTorch's: halfway between what it takes and what it would if gradients
 * were not written over arrays that nobody needs.
 */
const BUFFERS: Readonly<Record<NetworkName, { readonly adapter: number; readonly gpu: number }>> = {
  resnet18: { adapter: 0.885, gpu: 1.04 },
  resnet50: { adapter: 0.985, gpu: 1.03 },
};

for (const forms of ["adapter", "gpu"] as const) {
  for (const network of ["resnet18", "resnet50"] satisfies NetworkName[]) {
    Deno.test(`a training step of ${network} takes less memory than PyTorch's, with the forms for the ${forms}`, async () => {
      const [few, many] = PYTORCH[network];
      const [first, last] = [
        await peakOf(network, few.images, forms === "gpu"),
        await peakOf(network, many.images, forms === "gpu"),
      ];
      // A step that keeps normalised values takes as much as PyTorch.
      const shares = [first.peak / few.bytes, last.peak / many.bytes];
      assert(shares.every((share) => share < 0.97), `of PyTorch's: ${shares}`);
      assert((last.peak - first.peak) / (many.bytes - few.bytes) < 0.86, `${first.peak} and ${last.peak} bytes`);
      const grown = (last.buffers - first.buffers) / (many.bytes - few.bytes);
      assert(grown < BUFFERS[network][forms], `buffers: ${grown} of PyTorch's growth`);
    });
  }
}
