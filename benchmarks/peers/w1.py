"""The workload `w1` in PyTorch and JAX: one MeanFlow train step of an MLP on 2-D points.

Batch 1024; z and 64-wide sinusoidal embeddings of t and t - r, concatenated; 4 x 256 SiLU; loss with its
Jacobian-vector product (arXiv 2505.13447, algorithm 1, adaptive weight with p = 1 and epsilon = 1e-3); AdamW and an
exponential moving average. The step repeats one batch, so that every program computes the same numbers.

    python w1.py init FILE                  writes parameters and batch as safetensors
    python w1.py torch|torch-compile|jax FILE
                                            a worker: prints "ready" with the losses of its first steps and a probe
                                            of how they moved the parameters, as JSON; then answers each line
                                            "n" with the wall and CPU milliseconds of n steps
"""
import json
import math
import struct
import sys
import time

import numpy as np

BATCH, WIDTH, DEPTH, EMBEDDING, SCALE = 1024, 256, 4, 64, 10.0
LEARNING_RATE, BETA1, BETA2, EPSILON, DECAY, EMA = 1e-4, 0.9, 0.95, 1e-8, 0.01, 0.999
CHECKED_STEPS = 5


def write_safetensors(path, arrays):
    header, offset = {}, 0
    for name, array in arrays.items():
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(array.tobytes() for array in arrays.values()))


def read_safetensors(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header, data = json.loads(file.read(length)), file.read()
    return {
        name: np.frombuffer(data[slice(*entry["data_offsets"])], np.float32).reshape(entry["shape"]).copy()
        for name, entry in header.items()
    }


def init(path):
    rng = np.random.default_rng(0)
    widths = [2 + 2 * EMBEDDING] + [WIDTH] * DEPTH + [2]
    arrays = {}
    for i, (fan_in, fan_out) in enumerate(zip(widths[:-1], widths[1:])):
        bound = 1 / math.sqrt(fan_in)
        arrays[f"kernel{i}"] = rng.uniform(-bound, bound, (fan_in, fan_out)).astype(np.float32)
        arrays[f"bias{i}"] = rng.uniform(-bound, bound, fan_out).astype(np.float32)
    times = rng.uniform(0, 1, (2, BATCH)).astype(np.float32)
    arrays.update(
        x=rng.standard_normal((BATCH, 2)).astype(np.float32),
        noise=rng.standard_normal((BATCH, 2)).astype(np.float32),
        r=times.min(0),
        t=times.max(0),
    )
    write_safetensors(path, arrays)


def probe(before, after):
    """The parameters' movement along a fixed direction: the losses hardly depend on the gradients, this does."""
    moved = [(b - a).astype(np.float64).ravel() for a, b in zip(before, after)]
    return float(sum(np.dot(m, np.cos(np.arange(m.size) * 0.1)) for m in moved))


def torch_step(arrays, compiled):
    import torch
    from torch.func import jvp

    torch.set_num_threads(2)
    tensors = {name: torch.tensor(array) for name, array in arrays.items()}
    kernels = [torch.nn.Parameter(tensors[f"kernel{i}"].T.contiguous()) for i in range(DEPTH + 1)]
    biases = [torch.nn.Parameter(tensors[f"bias{i}"]) for i in range(DEPTH + 1)]
    parameters = [p for pair in zip(kernels, biases) for p in pair]
    averages = [p.detach().clone() for p in parameters]
    half = EMBEDDING // 2
    frequencies = torch.exp(-math.log(10000.0) * torch.arange(half, dtype=torch.float32) / half)

    def embed(t):
        angles = (t * SCALE)[:, None] * frequencies[None]
        return torch.cat([torch.cos(angles), torch.sin(angles)], -1)

    def network(z, r, t):
        h = torch.cat([z, embed(t), embed(t - r)], -1)
        for kernel, bias in list(zip(kernels, biases))[:-1]:
            h = torch.nn.functional.silu(torch.nn.functional.linear(h, kernel, bias))
        return torch.nn.functional.linear(h, kernels[-1], biases[-1])

    def loss_function(x, noise, r, t):
        z = (1 - t[:, None]) * x + t[:, None] * noise
        v = noise - x
        u, du_dt = jvp(network, (z, r, t), (v, torch.zeros_like(r), torch.ones_like(t)))
        target = (v - (t - r)[:, None] * du_dt).detach()
        squared = ((u - target) ** 2).sum(1)
        return (squared / (squared + 1e-3).detach()).mean()

    if compiled:
        loss_function = torch.compile(loss_function)
    options = dict(lr=LEARNING_RATE, betas=(BETA1, BETA2), eps=EPSILON, weight_decay=DECAY)
    optimizer = torch.optim.AdamW(parameters, **options, **(dict(foreach=True) if compiled else {}))

    def update():
        optimizer.step()
        with torch.no_grad():
            if compiled:
                torch._foreach_lerp_(averages, [p.detach() for p in parameters], 1 - EMA)
            else:
                for average, parameter in zip(averages, parameters):
                    average.lerp_(parameter, 1 - EMA)

    if compiled:
        update = torch.compile(update)
    batch = [tensors[name] for name in ("x", "noise", "r", "t")]

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = loss_function(*batch)
        loss.backward()
        update()
        return float(loss.detach())

    def current():
        return [a for k, b in zip(kernels, biases) for a in (k.detach().numpy().T.copy(), b.detach().numpy().copy())]

    return step, current


def jax_step(arrays):
    import jax
    import jax.numpy as jnp

    half = EMBEDDING // 2
    frequencies = np.exp(-math.log(10000.0) * np.arange(half, dtype=np.float32) / half).astype(np.float32)

    def embed(t):
        angles = (t * SCALE)[:, None] * frequencies[None]
        return jnp.concatenate([jnp.cos(angles), jnp.sin(angles)], -1)

    def network(parameters, z, r, t):
        h = jnp.concatenate([z, embed(t), embed(t - r)], -1)
        for kernel, bias in parameters[:-1]:
            h = jax.nn.silu(h @ kernel + bias)
        return h @ parameters[-1][0] + parameters[-1][1]

    def loss_function(parameters, x, noise, r, t):
        z = (1 - t[:, None]) * x + t[:, None] * noise
        v = noise - x
        apply = lambda z, r, t: network(parameters, z, r, t)
        u, du_dt = jax.jvp(apply, (z, r, t), (v, jnp.zeros_like(r), jnp.ones_like(t)))
        target = jax.lax.stop_gradient(v - (t - r)[:, None] * du_dt)
        squared = jnp.sum((u - target) ** 2, 1)
        return jnp.mean(squared / jax.lax.stop_gradient(squared + 1e-3))

    def update(parameters, mean, variance, average, corrections, *batch):
        loss, gradient = jax.value_and_grad(loss_function)(parameters, *batch)
        each = jax.tree_util.tree_map
        mean = each(lambda m, g: BETA1 * m + (1 - BETA1) * g, mean, gradient)
        variance = each(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, variance, gradient)
        direction = each(lambda m, v: m * corrections[0] / (jnp.sqrt(v * corrections[1]) + EPSILON), mean, variance)
        parameters = each(lambda p, d: p * (1 - LEARNING_RATE * DECAY) - LEARNING_RATE * d, parameters, direction)
        average = each(lambda a, p: EMA * a + (1 - EMA) * p, average, parameters)
        return loss, parameters, mean, variance, average

    compiled = jax.jit(update, donate_argnums=(0, 1, 2, 3))
    parameters = [(jnp.array(arrays[f"kernel{i}"]), jnp.array(arrays[f"bias{i}"])) for i in range(DEPTH + 1)]
    zeros = lambda: jax.tree_util.tree_map(jnp.zeros_like, parameters)
    state = [parameters, zeros(), zeros(), jax.tree_util.tree_map(lambda p: p + 0, parameters)]
    batch = [jnp.array(arrays[name]) for name in ("x", "noise", "r", "t")]
    count = 0

    def step():
        nonlocal state, count
        count += 1
        corrections = np.array([1 / (1 - BETA1**count), 1 / (1 - BETA2**count)], np.float32)
        loss, *state = compiled(*state, corrections, *batch)
        jax.block_until_ready(state)
        return float(loss)

    return step, lambda: [np.array(array) for pair in state[0] for array in pair]


def work(kind, path):
    arrays = read_safetensors(path)
    step, current = jax_step(arrays) if kind == "jax" else torch_step(arrays, kind == "torch-compile")
    before = current()
    losses = [step() for _ in range(CHECKED_STEPS)]
    print("ready " + json.dumps({"losses": losses, "probe": probe(before, current())}), flush=True)
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            wall, cpu = time.perf_counter(), time.process_time()
            step()
            times.append([(time.perf_counter() - wall) * 1e3, (time.process_time() - cpu) * 1e3])
        print(json.dumps(times), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "init":
        init(sys.argv[2])
    else:
        work(sys.argv[1], sys.argv[2])
