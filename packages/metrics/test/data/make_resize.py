"""Writes resize.json: PyTorch's bilinear interpolation (align_corners off, no antialiasing). Run: python make_resize.py"""
import json
import pathlib

import torch

torch.manual_seed(5)
image = torch.randint(0, 256, (1, 3, 5, 4))
sizes = [(5, 4), (9, 7), (10, 8), (3, 2), (1, 1), (12, 2)]
resized = [
    torch.nn.functional.interpolate(image.double(), size=size, mode="bilinear", align_corners=False)
    for size in sizes
]
out = {
    "image": image.flatten().tolist(),
    "shape": [3, 5, 4],
    "resized": [{"size": list(size), "values": result.flatten().tolist()} for size, result in zip(sizes, resized)],
}
pathlib.Path(__file__).with_name("resize.json").write_text(json.dumps(out) + "\n")
