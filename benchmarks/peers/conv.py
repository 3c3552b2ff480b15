"""Convolutions of two axes in PyTorch, and their gradients, for conv.ts.

    python conv.py THREADS      a worker: prints "ready"; then answers each line, JSON such as
                                {"op": "forward", "x": [16, 3, 32, 32], "kernel": [8, 3, 3, 3], "padding": 1, "runs": 5},
                                with the wall and CPU milliseconds of the runs and a probe of what they computed.
                                Ops: forward, input gradient, kernel gradient.
"""
import json
import sys
import time

import numpy as np
import torch


def values(shape, seed):
    """The same numbers as conv.ts draws."""
    index = np.arange(np.prod(shape), dtype=np.float64)
    return torch.tensor(((index * 7919 + seed * 104729) % 2003 / 1001 - 1).astype(np.float32).reshape(shape))


def work(threads):
    torch.set_num_threads(threads)
    backward = torch.ops.aten.convolution_backward
    print("ready " + json.dumps({"version": torch.__version__}), flush=True)
    for line in sys.stdin:
        task = json.loads(line)
        x, kernel, padding = values(task["x"], 1), values(task["kernel"], 2), [task["padding"]] * 2
        conv = lambda: torch.nn.functional.conv2d(x, kernel, padding=task["padding"])
        cotangent = values(list(conv().shape), 3)
        of = lambda mask: backward(cotangent, x, kernel, None, [1, 1], padding, [1, 1], False, [0, 0], 1, mask)
        run = {
            "forward": conv,
            "input gradient": lambda: of([True, False, False])[0],
            "kernel gradient": lambda: of([False, True, False])[1],
        }[task["op"]]
        times = []
        with torch.no_grad():
            for _ in range(task["runs"]):
                wall, cpu = time.perf_counter(), time.process_time()
                result = run()
                times.append([(time.perf_counter() - wall) * 1e3, (time.process_time() - cpu) * 1e3])
        found = result.double().numpy().ravel()
        probe = float(np.dot(found, np.arange(found.size) * 31 % 17 - 8.0))
        print(json.dumps({"times": times, "probe": probe, "scale": float(np.sqrt(np.dot(found, found)))}), flush=True)


if __name__ == "__main__":
    work(int(sys.argv[1]))
