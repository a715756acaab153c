"""A ViT-S/16 step in PyTorch for bench/compare/vit_step.ts: reads weights as this library has them, says its version, and
takes a step for each line on stdin, whose loss it prints.

    python3 bench/compare/pytorch_vit.py FOLDER LR
"""
import json
import os
import sys

import numpy as np
import torch
from torch.nn import functional as F

FOLDER, LR = sys.argv[1], float(sys.argv[2])
HEADS = 6


def read():
    with open(f"{FOLDER}/shapes.json", encoding="utf-8") as file:
        shapes = json.load(file)
    values = np.fromfile(f"{FOLDER}/values.bin", np.float32)
    tensors, at = {}, 0
    for name, shape in shapes:
        count = int(np.prod(shape))
        tensors[name] = torch.from_numpy(values[at : at + count].reshape(shape).copy())
        at += count
    return tensors


def forward(p, images):
    n = len(images)
    patches = F.conv2d(images, p["patch_embed.proj.weight"], p["patch_embed.proj.bias"], stride=16)
    x = torch.cat([p["cls_token"].expand(n, -1, -1), patches.flatten(2).transpose(1, 2)], 1) + p["pos_embed"]
    dim = x.shape[2]

    def norm(x, name):
        return F.layer_norm(x, (dim,), p[f"{name}.weight"], p[f"{name}.bias"], 1e-6)

    def linear(x, name):
        return F.linear(x, p[f"{name}.weight"], p[f"{name}.bias"])

    depth = 1 + max(int(name.split(".")[1]) for name in p if name.startswith("blocks."))
    for i in range(depth):
        name = f"blocks.{i}"
        qkv = linear(norm(x, f"{name}.norm1"), f"{name}.attn.qkv").reshape(n, -1, 3, HEADS, dim // HEADS)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        mixed = (q @ k.transpose(2, 3) * (dim // HEADS) ** -0.5).softmax(3) @ v
        x = x + linear(mixed.transpose(1, 2).flatten(2), f"{name}.attn.proj")
        x = x + linear(F.gelu(linear(norm(x, f"{name}.norm2"), f"{name}.mlp.fc1")), f"{name}.mlp.fc2")
    return linear(norm(x, "norm")[:, 0], "head")


def main():
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    given = read()
    images = given.pop("images").permute(0, 3, 1, 2).contiguous()
    p = {}
    for name, each in given.items():
        if each.ndim == 4:
            each = each.permute(3, 2, 0, 1)
        elif each.ndim == 2:
            each = each.T
        p[name] = each.contiguous().requires_grad_()
    optimizer = torch.optim.SGD(p.values(), lr=LR)
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads", flush=True)
    for _ in sys.stdin:
        z = forward(p, images)
        c = F.normalize(z.reshape(len(z) // 2, 2, -1), dim=2).mean(1)
        loss = torch.pdist(c).pow(2).mul(-2).exp().mean().log()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        print(loss.item(), flush=True)


if __name__ == "__main__":
    main()
