"""The views of `bench/gpu.ts` and `bench/data/augment_bench.ts` (512 at 32 px) by torchvision on the CPU, one process a core.

    python3 bench/compare/torchvision_augment.py [processes] [views] [--json FILE]
"""
import argparse
import json
import time
from multiprocessing import Pool

import numpy as np
import torch
from PIL import Image
from torchvision import transforms

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("processes", type=int, nargs="?", default=1)
parser.add_argument("views", type=int, nargs="?", default=512)
parser.add_argument("--json")
FLAGS = parser.parse_args()
VIEWS = FLAGS.views
torch.set_num_threads(1)
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
    with Pool(FLAGS.processes) as pool:
        pool.map(views, range(FLAGS.processes))
        batches = 8 * FLAGS.processes
        start = time.perf_counter()
        pool.map(views, range(batches), chunksize=1)
        seconds = (time.perf_counter() - start) / batches
    rate = VIEWS / seconds
    print(f"{FLAGS.processes} processes: {rate:.0f} views/s, {rate / FLAGS.processes:.0f} a core")
    if FLAGS.json:
        with open(FLAGS.json, "w", encoding="utf-8") as file:
            json.dump({"ms": 1000 * seconds, "views": VIEWS}, file)
