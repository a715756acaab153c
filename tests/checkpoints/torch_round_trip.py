"""Loads the checkpoint that torch_round_trip.ts wrote into PyTorch, with strict=True, and compares the outputs.

2026-11-24, PyTorch 1.13.0, torchvision 0.14.1, safetensors 0.8.0, Debian 12, llvmpipe:

    encoder.safetensors: largest difference 1.49e-06 of the largest value
    last.safetensors: largest difference 6.76e-07 of the largest value
    adamw.pth: a third step in PyTorch differs by at most 2.98e-08

and the two files that this script writes are read back with all 126 tensors equal.
"""

import sys

import torch
import torchvision
from safetensors import safe_open
from safetensors.torch import load_file, save_file

folder = sys.argv[1]


def resnet18():
    encoder = torchvision.models.resnet18(num_classes=2048)
    encoder.conv1 = torch.nn.Conv2d(3, 64, kernel_size=3, stride=1, padding=2, bias=False)
    encoder.maxpool = torch.nn.Identity()
    return encoder


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = resnet18()
        relu, linear = torch.nn.ReLU, torch.nn.Linear
        self.head = torch.nn.Sequential(relu(), linear(2048, 2048), relu(), linear(2048, 256))

    def forward(self, x):
        return self.head(self.encoder(x))


def report(name, got, want):
    error = ((got - want).abs().max() / want.abs().max()).item()
    print(f"{name}: largest difference {error:.2e} of the largest value")
    assert error < 1e-4


values = load_file(f"{folder}/values.safetensors")
images = values["images"].permute(0, 3, 1, 2)
with torch.no_grad():
    encoder = resnet18()
    encoder.load_state_dict(load_file(f"{folder}/encoder.safetensors"), strict=True)
    report("encoder.safetensors", encoder.eval()(images), values["features"])

    state = load_file(f"{folder}/last.safetensors")
    velocities = {name for name in state if name.startswith("optimizer.")}
    model = Model()
    model.load_state_dict({name: value for name, value in state.items() if name not in velocities}, strict=True)
    report("last.safetensors", model.eval()(images), values["embeddings"])
    assert {f"optimizer.velocity.{name}" for name, _ in model.named_parameters()} == velocities

with safe_open(f"{folder}/last.safetensors", "pt") as file:
    print("metadata:", {name: text for name, text in file.metadata().items() if name != "sha256"})

# And the other way: readCheckpoint() reads what PyTorch saves.
torch.save({"epoch": 1, "arch": "resnet18", "state_dict": {f"module.{k}": v for k, v in model.state_dict().items()},
            "optimizer": torch.optim.SGD(model.parameters(), lr=0.1).state_dict()}, f"{folder}/original.pth.tar")
save_file(model.state_dict(), f"{folder}/from_torch.safetensors")

# The optimizer of adamw.pth goes on in PyTorch as here.
layer = torch.nn.Linear(3, 2)
adamw = torch.optim.AdamW(layer.parameters(), lr=1.0)
saved = torch.load(f"{folder}/adamw.pth")
layer.load_state_dict(saved["state_dict"])
adamw.load_state_dict(saved["optimizer"])
after = load_file(f"{folder}/adamw.safetensors")
layer(after["x"]).square().sum().backward()
adamw.step()
error = max((layer.weight - after["weight"].T).abs().max(), (layer.bias - after["bias"]).abs().max()).item()
print(f"adamw.pth: a third step in PyTorch differs by at most {error:.2e}")
assert error < 1e-5
