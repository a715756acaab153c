"""The lines of bench/gpu.ts in PyTorch (eager, channels first), on the same GPU or on the CPU; "deno run -A bench/gpu.ts
--pytorch" runs both and joins them.

    python3 bench/compare/pytorch_step.py [--small] [--cpu] [--only WORD] [--json FILE]

On a GPU every line is timed twice: in f32 (TF32 off) and with PyTorch's defaults (TF32 in convolutions); --tf32 adds
products in TF32. The steps in mixed precision (torch.amp, f16) are timed on GPUs only.
"""
import argparse
import json
import os
import sys
import time
from contextlib import nullcontext

import torch
from torch import nn
from torchvision.models import resnet18, resnet50

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
for flag in ("--small", "--cpu", "--tf32"):
    parser.add_argument(flag, action="store_true")
parser.add_argument("--only", default="")
parser.add_argument("--json")
FLAGS = parser.parse_args()
SMALL = FLAGS.small
DEVICE = torch.device("cuda" if torch.cuda.is_available() and not FLAGS.cpu else "cpu")
CUDA = DEVICE.type == "cuda"
if not CUDA:
    torch.set_num_threads(len(os.sched_getaffinity(0)))
# Name: TF32 in convolutions, TF32 in products.
MODES = {"f32": (False, False)}
if CUDA:
    MODES["defaults"] = (True, False)
    if FLAGS.tf32:
        MODES["TF32"] = (True, True)


def wait():
    if CUDA:
        torch.cuda.synchronize()


def elapsed(run, count):
    start = time.perf_counter()
    for _ in range(count):
        run()
    host = time.perf_counter() - start
    wait()
    return 1000 * (time.perf_counter() - start), 1000 * host


def measure(run):
    """Milliseconds of a run when many follow each other, and of the host's part; the median of five batches of runs."""
    for _ in range(3):
        run()
    wait()
    if CUDA:
        torch.cuda.reset_peak_memory_stats()
    once, _ = elapsed(run, 1)
    count = max(1, min(200, int((100 if SMALL else 400) / max(once, 1e-3)) + 1))
    total, host = sorted(elapsed(run, count) for _ in range(5))[2]
    line = {"ms": total / count, "hostMs": host / count}
    if CUDA:
        line["peakMB"] = torch.cuda.max_memory_allocated() / 1e6
    return line


def loss_of(z, weights=None):
    c = nn.functional.normalize(z, dim=2).mean(1)
    c = c if weights is None else weights @ c
    return torch.pdist(c).pow(2).mul(-2).exp().mean().log()


def matmul(n):
    a, b = torch.rand(n, n, device=DEVICE), torch.rand(n, n, device=DEVICE)
    return f"matmul {n}", 0, lambda: a @ b


def conv(n, size, channels):
    x = torch.rand(n, channels, size, size, device=DEVICE, requires_grad=True)
    w = torch.rand(channels, channels, 3, 3, device=DEVICE, requires_grad=True)

    def run():
        x.grad = w.grad = None
        nn.functional.conv2d(x, w, padding=1).sum().backward()

    return f"conv2d 3x3 forward + backward, {n} x {size} x {size}, {channels} to {channels}", 0, run


def step(name, images, size, mixed=False):
    """In mixed precision: torch.amp with f16 and its scaler, which PyTorch has on GPUs only."""
    encoder = (resnet18 if size == 32 else resnet50)(num_classes=2048)
    if size == 32:
        encoder.conv1 = nn.Conv2d(3, 64, 3, 1, 2, bias=False)
        encoder.maxpool = nn.Identity()
    head = nn.Sequential(nn.ReLU(), nn.Linear(2048, 2048), nn.ReLU(), nn.Linear(2048, 256))
    model = nn.Sequential(encoder, head).to(DEVICE)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.003)
    scaler = torch.cuda.amp.GradScaler(enabled=mixed)
    views = torch.rand(images, 3, size, size, device=DEVICE)

    def run():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cuda", dtype=torch.float16) if mixed else nullcontext():
            z = model(views)
        scaler.scale(loss_of(z.float().reshape(images // 2, 2, -1))).backward()
        scaler.step(optimizer)
        scaler.update()

    how = ", mixed precision" if mixed else ""
    return f"training step, {name}, {size} px, {images} images{how}", images, run


def kernel_lines(n):
    prior = torch.rand(n, 2048, device=DEVICE)
    z = torch.rand(n, 2, 256, device=DEVICE, requires_grad=True)
    ridge = 0.01 * torch.eye(n, device=DEVICE)

    @torch.no_grad()
    def weights_of():
        square = prior.pow(2).sum(1)
        gram = torch.exp(-(square[:, None] + square[None] - 2 * prior @ prior.T) / 200)
        return torch.cholesky_solve(gram, torch.linalg.cholesky(gram + ridge))

    given = weights_of()

    def loss(weights):
        z.grad = None
        loss_of(z, weights).backward()

    yield f"centroid weights, n = {n}, prior 2048-d", 0, weights_of
    yield f"loss forward + backward, n = {n}, 2 x 256-d", 0, lambda: loss(given)
    yield f"centroid weights and loss forward + backward, n = {n}", 0, lambda: loss(weights_of())


def cases():
    """Functions, so that a case's memory is freed before the next one's is taken."""
    few = 4 if SMALL else 256
    size50 = 64 if SMALL else 224
    for n in [256] if SMALL else [512, 1024, 2048, 4096]:
        yield lambda n=n: [matmul(n)]
    for size, channels in [(32, 64), (16, 128), (8, 256), (4, 512)]:
        yield lambda size=size, channels=channels: [conv(few, size, channels)]
    for mixed in (False, True) if CUDA else (False,):
        yield lambda mixed=mixed: [step("ResNet-18 (CIFAR stem)", 4 if SMALL else 512, 32, mixed)]
        yield lambda mixed=mixed: [step("ResNet-50", 4 if SMALL else 128, size50, mixed)]
    for n in [64] if SMALL else [256, 1024, 2048]:
        yield lambda n=n: kernel_lines(n)


def main():
    modes = {}
    for mode, (convolutions, products) in MODES.items():
        torch.backends.cudnn.allow_tf32 = convolutions
        torch.backends.cuda.matmul.allow_tf32 = products
        lines = modes[mode] = []
        print(f"\n{mode}\n\n| work | ms | host ms | images/s | peak MB |\n| --- | ---: | ---: | ---: | ---: |")
        for make in cases():
            for name, images, run in make():
                if FLAGS.only not in name:
                    continue
                line = {"name": name, "images": images, **measure(run)}
                lines.append(line)
                speed = f"{1000 * images / line['ms']:.0f}" if images else ""
                peak = f"{line['peakMB']:.0f}" if CUDA else ""
                print(f"| {name} | {line['ms']:.3f} | {line['hostMs']:.3f} | {speed} | {peak} |", flush=True)
            if CUDA:
                torch.cuda.empty_cache()
    if FLAGS.json:
        device = torch.cuda.get_device_name() if CUDA else f"CPU, {torch.get_num_threads()} threads"
        with open(FLAGS.json, "w", encoding="utf-8") as file:
            json.dump({"device": device, "version": torch.__version__, "modes": modes}, file)


if __name__ == "__main__":
    sys.exit(main())
