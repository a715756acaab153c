"""The views of `deno bench -A bench/data/augment_bench.ts` (512 at 32 px) by torchvision on the CPU, one process a core.

    python3 bench/compare/torchvision_augment.py [processes]
"""
import sys
import time
from multiprocessing import Pool

import numpy as np
import torch
from PIL import Image
from torchvision import transforms

torch.set_num_threads(1)
VIEWS = 512
PIPELINE = transforms.Compose([
    transforms.RandomResizedCrop(32),
    transforms.RandomHorizontalFlip(),
    transforms.RandomApply([transforms.ColorJitter(0.8, 0.8, 0.8, 0.2)], 0.8),
    transforms.RandomGrayscale(0.2),
    transforms.ToTensor(),
    transforms.Normalize([0.5] * 3, [0.5] * 3),
])
IMAGES = [Image.fromarray(x) for x in np.random.RandomState(0).randint(0, 256, (VIEWS // 2, 32, 32, 3), np.uint8)]


def views(_):
    """Makes the views and returns their sum, so that nothing large goes between processes."""
    return float(sum(PIPELINE(image).sum() for image in IMAGES for _ in range(2)))


if __name__ == "__main__":
    processes = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    with Pool(processes) as pool:
        pool.map(views, range(processes))
        batches = 8 * processes
        start = time.perf_counter()
        pool.map(views, range(batches), chunksize=1)
        seconds = time.perf_counter() - start
    print(f"{processes} processes: {VIEWS * batches / seconds:.0f} views/s, {VIEWS * batches / seconds / processes:.0f} a core")
