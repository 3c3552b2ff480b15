"""A case in PyTorch: `python torch_worker.py FOLDER eager|compile THREADS`."""
import logging
import sys
import warnings

import torch
from torch.func import jvp

from exchange import read_case, say, serve_sampling, serve_training
from torch_networks import network

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
say("imported")


def per_row(a, x):
    return a.reshape(-1, *[1] * (x.dim() - 1))


def squared_norm(x):
    return (x * x).flatten(1).sum(1)


def loss_function(objective, epsilon):
    def point(x, noise, t):
        return (1 - per_row(t, x)) * x + per_row(t, x) * noise, noise - x

    def weighted(squared):
        return (squared / (squared + epsilon).detach()).mean()

    def flow_matching(model, x, noise, r, t):
        z, v = point(x, noise, t)
        return squared_norm(model(z, t, t) - v).mean()

    def mean_flow(model, x, noise, r, t):
        z, v = point(x, noise, t)
        u, du_dt = jvp(model, (z, r, t), (v, torch.zeros_like(r), torch.ones_like(t)))
        target = (v - per_row(t - r, x) * du_dt).detach()
        return weighted(squared_norm(u - target))

    def improved_mean_flow(model, x, noise, r, t):
        z, v = point(x, noise, t)
        with torch.no_grad():
            tangent = model(z, t, t)
        u, du_dt = jvp(model, (z, r, t), (tangent, torch.zeros_like(r), torch.ones_like(t)))
        return weighted(squared_norm(u + per_row(t - r, x) * du_dt.detach() - v))

    return {"flow-matching": flow_matching, "meanflow": mean_flow, "improved-meanflow": improved_mean_flow}[objective]


def train(case, model, arrays, compiled):
    batch = [torch.tensor(arrays[name]) for name in ("x", "noise", "r", "t")]
    loss_of = loss_function(case["objective"], case["weightEpsilon"])
    settings = case["optimizer"]
    parameters = list(model.parameters())
    averages = [p.detach().clone() for p in parameters]
    options = dict(lr=settings["learningRate"], betas=(settings["beta1"], settings["beta2"]), eps=settings["epsilon"])
    # What is fastest on a CPU in each mode: the fused update eagerly, the compiler's own fusion otherwise.
    kind = dict(foreach=True) if compiled else dict(fused=True)
    optimizer = torch.optim.AdamW(parameters, weight_decay=settings["weightDecay"], **options, **kind)

    def update():
        optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(averages, [p.detach() for p in parameters], 1 - case["emaDecay"])

    if compiled:
        loss_of, update = torch.compile(loss_of), torch.compile(update)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(model, *batch)
        loss.backward()
        update()
        return float(loss.detach())

    def gradient_norm():
        return float(torch.stack([p.grad.double().norm() for p in parameters]).norm())

    serve_training(step, gradient_norm)


def sample(model, arrays, compiled):
    noise = torch.tensor(arrays["noise"])
    rows = noise.shape[0]
    r, t = torch.zeros(rows), torch.ones(rows)
    run = lambda e: e - model(e, r, t)
    if compiled:
        run = torch.compile(run)
    with torch.inference_mode():
        serve_sampling(lambda: run(noise).numpy())


def main(folder, mode, threads):
    torch.set_num_threads(int(threads))
    case, params, arrays = read_case(folder)
    # Where no forward-mode derivative is taken, the framework's fused attention serves.
    fused_attention = case["task"] == "sample" or case["objective"] == "flow-matching"
    model = network(case["network"], params, arrays, fused_attention)
    if case["task"] == "sample":
        sample(model, arrays, mode == "compile")
    else:
        train(case, model, arrays, mode == "compile")


if __name__ == "__main__":
    main(*sys.argv[1:])
