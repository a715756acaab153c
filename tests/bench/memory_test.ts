import { assert } from "@std/assert";
import { peakOf } from "../../bench/_memory.ts";
import type { NetworkName } from "../../bench/_steps.ts";

interface Measured {
  readonly images: number;
  readonly bytes: number;
}

/** PyTorch 1.13's bytes of the same step at two batch sizes, by bench/compare/pytorch_memory.py. */
const PYTORCH: Readonly<Record<NetworkName, readonly [Measured, Measured]>> = {
  resnet18: [{ images: 128, bytes: 825.4e6 }, { images: 256, bytes: 1550.4e6 }],
  resnet50: [{ images: 8, bytes: 900.0e6 }, { images: 16, bytes: 1577.9e6 }],
};

/**
 * Maximum bytes of buffers, with the free ones that wait for the next step, by what PyTorch's tensors take: halfway
 * between what they are and what they would be if gradients were not written over arrays that nobody needs.
 */
const BUFFERS: Readonly<Record<NetworkName, { readonly cpu: number; readonly gpu: number }>> = {
  resnet18: { cpu: 1.03, gpu: 1.11 },
  resnet50: { cpu: 1.05, gpu: 1.08 },
};

for (const family of ["cpu", "gpu"] as const) {
  for (const network of ["resnet18", "resnet50"] satisfies NetworkName[]) {
    Deno.test(`a training step of ${network} takes less memory than PyTorch's, with the forms for the ${family}`, async () => {
      const [few, many] = PYTORCH[network];
      const [first, last] = [
        await peakOf(network, few.images, family),
        await peakOf(network, many.images, family),
      ];
      // A step that keeps normalised values takes as much as PyTorch.
      const shares = [first.peak / few.bytes, last.peak / many.bytes];
      assert(shares.every((share) => share < 0.97), `of PyTorch's: ${shares}`);
      assert((last.peak - first.peak) / (many.bytes - few.bytes) < 0.88, `${first.peak} and ${last.peak} bytes`);
      const buffers = last.buffers / many.bytes;
      assert(buffers < BUFFERS[network][family], `buffers: ${buffers} of PyTorch's tensors`);
    });
  }
}

/** Bytes of the largest tensor of 1,024 images. */
const LARGEST = 1024 * 34 * 34 * 64 * 4;
const small = (await navigator.gpu.requestAdapter())!.limits.maxBufferSize < LARGEST;
const reason = small ? " (skipped as the adapter's buffers are smaller)" : "";

Deno.test(
  `a training step of resnet18 takes no more dispatches for a larger batch, with the forms for the gpu${reason}`,
  {
    ignore: small,
  },
  async () => {
    const [few, many] = [await peakOf("resnet18", 256, "gpu"), await peakOf("resnet18", 1024, "gpu")];
    assert(few.dispatches > 100 && many.dispatches <= few.dispatches, `${few.dispatches} and ${many.dispatches}`);
  },
);
