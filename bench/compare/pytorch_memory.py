"""Peak memory of a training step in PyTorch on the CPU: beside bench/memory.ts.

    python3 bench/compare/pytorch_memory.py [resnet18|resnet50] [images] [more images]

What PyTorch's allocator hands out, from the profiler's memory events: parameters, inputs, activations, gradients and
temporaries, to the byte. Scratch memory inside oneDNN is not in it, nor is the rounding and caching of a CUDA allocator.
Two batch sizes give the fixed part and the part of an image.
"""
import sys

import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile
from torchvision.models import resnet18, resnet50


def loss_of(z):
    c = nn.functional.normalize(z, dim=2).mean(1)
    return torch.pdist(c).pow(2).mul(-2).exp().mean().log()


def training_step(network, images):
    size = 32 if network == "resnet18" else 224
    encoder = (resnet18 if network == "resnet18" else resnet50)(num_classes=2048)
    if network == "resnet18":
        encoder.conv1 = nn.Conv2d(3, 64, 3, 1, 2, bias=False)
        encoder.maxpool = nn.Identity()
    head = nn.Sequential(nn.ReLU(), nn.Linear(2048, 2048), nn.ReLU(), nn.Linear(2048, 256))
    model = nn.Sequential(encoder, head)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.003)
    views = torch.rand(images, 3, size, size)

    def run():
        loss_of(model(views).reshape(images // 2, 2, -1)).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    held = [*model.parameters(), *model.buffers(), views]
    return run, sum(tensor.numel() * tensor.element_size() for tensor in held)


def peak_bytes(network, images):
    run, held = training_step(network, images)
    run()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        run()
    events = [e for e in profiler.profiler.kineto_results.events() if e.name() == "[memory]"]
    live = peak = held
    for event in sorted(events, key=lambda e: e.start_us()):
        live += event.nbytes()
        peak = max(peak, live)
    return held, peak


network = sys.argv[1] if len(sys.argv) > 1 else "resnet18"
batches = [int(arg) for arg in sys.argv[2:]] or [64, 128]
print(f"PyTorch {torch.__version__} on the CPU; {network}, one training step, f32\n")
print("| images | held between steps MB | peak MB |\n| ---: | ---: | ---: |")
peaks = []
for images in batches:
    held, peak = peak_bytes(network, images)
    peaks.append(peak)
    print(f"| {images} | {held / 1e6:.1f} | {peak / 1e6:.1f} |", flush=True)
if len(batches) > 1:
    each = (peaks[-1] - peaks[0]) / (batches[-1] - batches[0])
    print(f"\n{(peaks[0] - batches[0] * each) / 1e6:.1f} MB and {each / 1e6:.3f} MB an image")
