"""Writes optimizers.json: parameters after each of some steps of PyTorch's optimizers, in float64 and float32.

Run with PyTorch (the file was made with 2.x on CPU): python make_optimizers.py > optimizers.json
"""

import json

import torch

SHAPES = {"bias": [3], "weight": [2, 3]}
STEPS = 8


def cases():
    adamw = torch.optim.AdamW
    yield "adamw, PyTorch's defaults", adamw, dict(lr=1e-3), None
    yield "adamw, MeanFlow's constants", adamw, dict(lr=1e-2, betas=(0.9, 0.95), weight_decay=0.0), None
    yield "adamw, strong decay", adamw, dict(lr=0.1, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.3), None
    yield "adamw, clipped", adamw, dict(lr=1e-2, weight_decay=0.1), 0.7
    yield "sgd", torch.optim.SGD, dict(lr=0.1), None
    yield "sgd, momentum", torch.optim.SGD, dict(lr=0.1, momentum=0.9), None


def run(make, options, max_norm, start, gradients, dtype):
    params = {name: torch.tensor(start[name], dtype=dtype, requires_grad=True) for name in start}
    optimizer = make(list(params.values()), **options)
    after = []
    for step in gradients:
        for name, param in params.items():
            param.grad = torch.tensor(step[name], dtype=dtype)
        if max_norm is not None:
            norm = torch.sqrt(sum((p.grad**2).sum() for p in params.values()))
            if norm > max_norm:
                for p in params.values():
                    p.grad *= max_norm / norm
        optimizer.step()
        after.append({name: param.detach().tolist() for name, param in params.items()})
    return after


def main():
    generator = torch.Generator().manual_seed(0)
    draw = lambda scale: {n: (scale * torch.randn(s, generator=generator)).tolist() for n, s in SHAPES.items()}
    start = draw(1.0)
    # Gradients from large to tiny, so that the bias corrections and epsilon all matter.
    gradients = [draw(10.0 ** -(k % 5)) for k in range(STEPS)]
    results = [
        {
            "name": name,
            "options": {key: list(value) if isinstance(value, tuple) else value for key, value in options.items()},
            "maxNorm": max_norm,
            "float64": run(make, options, max_norm, start, gradients, torch.float64),
            "float32": run(make, options, max_norm, start, gradients, torch.float32),
        }
        for name, make, options, max_norm in cases()
    ]
    print(json.dumps({"torch": torch.__version__, "start": start, "gradients": gradients, "cases": results}))


main()
