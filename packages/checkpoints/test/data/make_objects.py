"""Writes objects/: checkpoints of PyTorch with all kinds of things beside the weights, in both of its formats.

python make_objects.py objects
"""

import argparse, collections, datetime, decimal, enum, fractions, functools, os, pathlib, sys, uuid, warnings

import numpy as np
import torch

warnings.filterwarnings("ignore")
out = sys.argv[1]
torch.manual_seed(0)


class Color(enum.Enum):
    RED = 1


class Config(dict):
    pass


class Slots:
    __slots__ = ("step", "shadow")

    def __init__(self):
        self.step, self.shadow = 3, torch.full((2,), 5.0)


class Ema:
    def __init__(self):
        self.decay, self.shadow, self.owner = 0.99, {"weight": torch.full((2, 3), 4.0)}, self


class Named:
    def __new__(cls, *args, **named):
        return object.__new__(cls)

    def __getnewargs_ex__(self):
        return (1,), {"k": 2}


class Calls:
    def __reduce__(self):
        return os.system, ("touch /tmp/pickle-was-run",)


linear = torch.nn.Linear(3, 2)
with torch.no_grad():
    linear.weight.copy_(torch.arange(6.0).reshape(2, 3))
    linear.bias.copy_(torch.tensor([7.0, 8.0]))
optimizer = torch.optim.Adam(linear.parameters())
linear(torch.ones(1, 3)).sum().backward()

objects = {
    # Plain, or read as such.
    "ordered": collections.OrderedDict(a=1), "default": collections.defaultdict(list, {"a": [1]}), "counter": collections.Counter("aab"),
    "namespace": argparse.Namespace(lr=0.1), "path": pathlib.PurePosixPath("/a/b"), "size": torch.Size([1, 2]), "dtype": torch.bfloat16,
    "device": torch.device("cuda", 1), "set": {1}, "frozen": frozenset([2]), "bytes": b"abc", "float64": np.float64(1.5), "uint64": np.uint64(7),
    "uint32": np.uint32(2**31 + 5), "bool_": np.bool_(True), "big": 2**70, "infinity": float("inf"), "losses": [0.5] * 1001, "none": None,
    # Tensors and arrays.
    "array": np.arange(6.0).reshape(2, 3), "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)), "no_rows": np.zeros((0, 3)),
    "parameter": torch.nn.Parameter(torch.full((2,), 9.0)), "half": torch.full((2,), 1.5, dtype=torch.float16),
    "bfloat16": torch.full((2,), 1.5, dtype=torch.bfloat16), "int8": torch.tensor([-1, 2], dtype=torch.int8), "bool": torch.tensor([True, False]),
    "scalar": torch.tensor(3.0), "empty": torch.zeros(0, 4), "transposed": torch.arange(6.0).reshape(2, 3).T, "every_other": torch.arange(6.0)[1::2],
    "expanded": torch.tensor([1.0, 2.0]).expand(2, 2), "tied": linear.weight,
    # Not read.
    "complex_tensor": torch.ones(2, dtype=torch.complex64), "sparse": torch.eye(2).to_sparse(), "sparse_rows": torch.eye(2).to_sparse_csr(),
    "quantised": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8), "float8": torch.ones(2).to(torch.float8_e4m3fn),
    "meta": torch.empty(3, device="meta"), "storage": torch.ones(3).untyped_storage(), "objects": np.array([{}, None], dtype=object),
    "texts": np.array(["a"]), "complex_array": np.array([1j]), "big_endian": np.arange(3, dtype=">f4"), "complex_scalar": np.complex64(1j),
    # Of classes that are not known.
    "datetime": datetime.datetime(2024, 1, 2, tzinfo=datetime.timezone.utc), "delta": datetime.timedelta(1), "enum": Color.RED,
    "decimal": decimal.Decimal("1.5"), "uuid": uuid.UUID(int=1), "fraction": fractions.Fraction(1, 3), "complex": 1 + 2j, "range": range(3),
    "deque": collections.deque([1]), "partial": functools.partial(int, "3"), "class": Color, "function": os.path.join, "error": ValueError("x"),
    "config": Config(lr=0.1), "slots": Slots(), "ema": Ema(), "named": Named(), "calls": Calls(), "optimizer": optimizer, "module": linear,
}  # fmt: skip

for name, zipped in [("objects.pt", True), ("objects-legacy.pt", False)]:
    state = {"model": linear.state_dict(), **objects}
    torch.save(state, os.path.join(out, name), _use_new_zipfile_serialization=zipped)
torch.save(linear, os.path.join(out, "module.pt"))
for protocol in (3, 4, 5):
    torch.save(linear.state_dict(), os.path.join(out, f"legacy-{protocol}.pt"), pickle_protocol=protocol, _use_new_zipfile_serialization=False)
torch.jit.script(linear).save(os.path.join(out, "script.pt"))
print("torch", torch.__version__, "numpy", np.__version__)
