"""Writes two files with the official Python library (safetensors 0.8): official.safetensors has a tensor of each dtype
that is read, official-written.safetensors of each that is written.

python make_safetensors.py <folder>
"""

import sys

import torch
from safetensors.torch import save_file

half = [0.0, -1.5, 65504.0, 6e-8, float("inf")]
save_file(
    {
        "f64": torch.tensor([[1.5, -2.25], [3.0, 1e300]], dtype=torch.float64),
        "f32": torch.tensor([1.5, -0.1, 3e38], dtype=torch.float32),
        "f16": torch.tensor(half, dtype=torch.float16),
        "bf16": torch.tensor([0.0, -1.5, 3e38, 1e-40], dtype=torch.bfloat16),
        "i64": torch.tensor([-(2**31), 2**31 - 1], dtype=torch.int64),
        "i32": torch.tensor([[-7], [9]], dtype=torch.int32),
        "i16": torch.tensor([-300, 300], dtype=torch.int16),
        "i8": torch.tensor([-128, 127], dtype=torch.int8),
        "u8": torch.tensor([0, 255], dtype=torch.uint8),
        "bool": torch.tensor([True, False, True]),
        "scalar": torch.tensor(42.0),
        "empty": torch.zeros([0, 3]),
    },
    f"{sys.argv[1]}/official.safetensors",
    metadata={"made": "by the official library", "unit": "µ"},
)
save_file(
    {
        "z": torch.tensor(2.5, dtype=torch.float64),
        "layers/10/b": torch.tensor([1.0, 2.0, 3.0]),
        "layers/9/b": torch.tensor([[4.0], [5.0]]),
        "a": torch.tensor([7], dtype=torch.int32),
        "B": torch.tensor([True, False, True]),
    },
    f"{sys.argv[1]}/official-written.safetensors",
    metadata={"step": "3"},
)
