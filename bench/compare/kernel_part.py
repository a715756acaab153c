"""The parts of the centroid weights and the loss in PyTorch; bench/compare/kernel_part.ts runs it beside ours.

    python3 bench/compare/kernel_part.py N
"""
import json
import os
import sys
import time

import torch

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
torch.set_num_threads(len(os.sched_getaffinity(0)))
n = int(sys.argv[1])
prior = torch.rand(n, 2048, device=DEVICE)
z = torch.rand(n, 2, 256, device=DEVICE, requires_grad=True)
ridge = 0.01 * torch.eye(n, device=DEVICE)


def gram():
    square = prior.pow(2).sum(1)
    return torch.exp(-(square[:, None] + square[None] - 2 * prior @ prior.T) / 200)


def loss():
    z.grad = None
    c = weights @ torch.nn.functional.normalize(z, dim=2).mean(1)
    torch.pdist(c).pow(2).mul(-2).exp().mean().log().backward()


def median(run):
    times = []
    for _ in range(7):
        start = time.perf_counter()
        run()
        if DEVICE.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return 1000 * sorted(times)[3]


def weights_of(k):
    return torch.cholesky_solve(k, torch.linalg.cholesky(k + ridge))


k = gram()
weights = weights_of(k)
parts = {
    "Gram matrix": gram,
    "weights from it": lambda: weights_of(k),
    "of these its Cholesky factor": lambda: torch.linalg.cholesky(k + ridge),
    "loss forward + backward": loss,
}
device = torch.cuda.get_device_name() if DEVICE.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
print(json.dumps({"device": f"{device}; PyTorch {torch.__version__}", "ms": {name: median(run) for name, run in parts.items()}}))
