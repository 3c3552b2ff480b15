"""What every peer in Python shares: reading a case, and speaking with the driver.

A case is a folder with `case.json` (network, task, objective, optimizer) and `arrays.safetensors` (parameters by path,
positions, batch and draws). A worker prints `imported`, `first` after its first step, and `ready {...}` with what the driver
compares; then it answers each line `n` with one JSON list of n `[wall ms, CPU ms]`.
"""
import json
import sys
import time
from pathlib import Path

import numpy as np

CHECKED_STEPS = 3


def read_case(folder):
    """The description, the parameters as nested dicts and lists, and the other arrays by name."""
    case = json.loads(Path(folder, "case.json").read_text())
    data = Path(folder, "arrays.safetensors").read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    arrays = {
        name: np.frombuffer(data[start:][slice(*entry["data_offsets"])], np.float32).reshape(entry["shape"]).copy()
        for name, entry in header.items()
        if name != "__metadata__"
    }
    params = nest({name[7:]: array for name, array in arrays.items() if name.startswith("params/")})
    return case, params, {name: array for name, array in arrays.items() if not name.startswith("params/")}


def nest(flat):
    """{'a/0/b': x} -> {'a': [{'b': x}]}"""
    tree = {}
    for path, value in flat.items():
        *parents, last = path.split("/")
        node = tree
        for name in parents:
            node = node.setdefault(name, {})
        node[last] = value

    def lists(node):
        if not isinstance(node, dict):
            return node
        if node and all(name.isdigit() for name in node):
            return [lists(node[str(i)]) for i in range(len(node))]
        return {name: lists(child) for name, child in node.items()}

    return lists(tree)


def say(word, content=None):
    print(word if content is None else f"{word} {json.dumps(content)}", flush=True)


def serve(step):
    """Answers the driver until it closes the line."""
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            wall, cpu = time.perf_counter(), time.process_time()
            step()
            times.append([(time.perf_counter() - wall) * 1e3, (time.process_time() - cpu) * 1e3])
        print(json.dumps(times), flush=True)


def serve_training(step, gradient_norm):
    """@param step makes an update and returns its loss  @param gradient_norm of the first update, asked for after it"""
    losses = [step()]
    say("first")
    norm = gradient_norm()
    losses += [step() for _ in range(CHECKED_STEPS - 1)]
    say("ready", {"losses": losses, "gradientNorm": norm})
    serve(step)


def serve_sampling(sample):
    """@param sample returns the samples as an array of NumPy"""
    found = sample().astype(np.float64).ravel()
    say("first")
    for _ in range(4):
        sample()
    probe = float(np.dot(found, np.cos(np.arange(found.size) * 0.1)))
    say("ready", {"norm": float(np.linalg.norm(found)), "probe": probe})
    serve(sample)
