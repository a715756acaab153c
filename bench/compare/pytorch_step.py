"""The lines of bench/gpu.ts in PyTorch, on the same GPU (or on the CPU with --small).

    python3 bench/compare/pytorch_step.py [--small] [--tf32]
"""
import sys
import time

import torch
from torch import nn
from torchvision.models import resnet18, resnet50

SMALL = "--small" in sys.argv
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
torch.backends.cuda.matmul.allow_tf32 = "--tf32" in sys.argv
torch.backends.cudnn.allow_tf32 = "--tf32" in sys.argv


def wait():
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()


def timed(run):
    run()
    wait()
    start = time.perf_counter()
    run()
    wait()
    once = time.perf_counter() - start
    count = max(1, min(200, int((0.1 if SMALL else 0.4) / max(once, 1e-6)) + 1))
    batches = []
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(count):
            run()
        wait()
        batches.append((time.perf_counter() - start) / count)
    return 1000 * sorted(batches)[2]


def line(name, run, gflop=0.0, images=0):
    if DEVICE.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    ms = timed(run)
    rate = f"{1000 * gflop / ms:.0f}" if gflop else ""
    speed = f"{1000 * images / ms:.0f}" if images else ""
    peak = f"{torch.cuda.max_memory_allocated() / 1e6:.0f}" if DEVICE.type == "cuda" else ""
    print(f"| {name} | {ms:.3f} | {rate} | {speed} | {peak} |", flush=True)


def loss_of(z, weights=None):
    c = nn.functional.normalize(z, dim=2).mean(1)
    c = c if weights is None else weights @ c
    return torch.pdist(c).pow(2).mul(-2).exp().mean().log()


def matmul(n):
    a, b = torch.rand(n, n, device=DEVICE), torch.rand(n, n, device=DEVICE)
    line(f"matmul {n}", lambda: a @ b, 2 * n**3 / 1e9)


def conv(n, size, channels):
    x = torch.rand(n, channels, size, size, device=DEVICE, requires_grad=True)
    w = torch.rand(channels, channels, 3, 3, device=DEVICE, requires_grad=True)

    def run():
        x.grad = w.grad = None
        nn.functional.conv2d(x, w, padding=1).sum().backward()

    name = f"conv2d 3x3 forward + backward, {n} x {size} x {size}, {channels} to {channels}"
    line(name, run, 3 * 2 * 9 * n * size**2 * channels**2 / 1e9)


def step(name, images, size, gflop):
    encoder = (resnet18 if size == 32 else resnet50)(num_classes=2048)
    if size == 32:
        encoder.conv1 = nn.Conv2d(3, 64, 3, 1, 2, bias=False)
        encoder.maxpool = nn.Identity()
    head = nn.Sequential(nn.ReLU(), nn.Linear(2048, 2048), nn.ReLU(), nn.Linear(2048, 256))
    model = nn.Sequential(encoder, head).to(DEVICE)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.003)
    views = torch.rand(images, 3, size, size, device=DEVICE)

    def run():
        optimizer.zero_grad(set_to_none=True)
        loss_of(model(views).reshape(images // 2, 2, -1)).backward()
        optimizer.step()

    line(f"training step, {name}, {images} images", run, gflop * images, images)


def kernel(n):
    prior = torch.rand(n, 2048, device=DEVICE)
    z = torch.rand(n, 2, 256, device=DEVICE, requires_grad=True)
    eye = torch.eye(n, device=DEVICE)

    def run():
        z.grad = None
        with torch.no_grad():
            square = prior.pow(2).sum(1)
            gram = torch.exp(-(square[:, None] + square[None] - 2 * prior @ prior.T) / 200)
            weights = torch.cholesky_solve(gram, torch.linalg.cholesky(gram + 0.01 * eye))
        loss_of(z, weights).backward()

    line(f"centroid weights and loss forward + backward, n = {n}, prior 2048-d", run)


name = torch.cuda.get_device_name() if DEVICE.type == "cuda" else "CPU"
print(f"{name}; PyTorch {torch.__version__}; f32, TF32 {'on' if '--tf32' in sys.argv else 'off'}\n")
print("| work | ms | GFLOP/s | images/s | peak MB |\n| --- | ---: | ---: | ---: | ---: |")
for n in [256] if SMALL else [512, 1024, 2048, 4096]:
    matmul(n)
conv(4 if SMALL else 256, 32, 64)
conv(4 if SMALL else 256, 8, 256)
step("ResNet-18 (CIFAR stem), 32 px", 4 if SMALL else 512, 32, 3 * 1.41)
step(f"ResNet-50, {64 if SMALL else 224} px", 4 if SMALL else 128, 64 if SMALL else 224, 3 * (0.67 if SMALL else 8.18))
for n in [64] if SMALL else [256, 1024, 2048]:
    kernel(n)
