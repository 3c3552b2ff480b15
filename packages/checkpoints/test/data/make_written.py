"""Writes the files below written/ with the libraries themselves: python make_written.py FOLDER"""

import argparse
import collections
import os
import pathlib
import shutil
import sys

import flax
import flax.serialization
import ml_dtypes
import numpy as np
import orbax.checkpoint as ocp
import safetensors
import safetensors.numpy
import tensorstore as ts
import torch

out = pathlib.Path(sys.argv[1]).absolute()
shutil.rmtree(out, ignore_errors=True)
out.mkdir(parents=True)
rng = np.random.default_rng(0)


def floats(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def expect(name, tensors):
    """What a reader must get: half precision widened, wide integers as int32, scalars with one axis."""
    plain = {}
    for key, value in tensors.items():
        value = np.asarray(value.float() if isinstance(value, torch.Tensor) and value.dtype in (torch.bfloat16, torch.float16) else value)
        if value.dtype in (np.float16, ml_dtypes.bfloat16):
            value = value.astype(np.float32)
        if value.dtype.kind in "iu":
            value = value.astype(np.int32)
        plain[key] = np.array(value, order="C")
    safetensors.numpy.save_file(plain, out / f"{name}.expected.safetensors")


# PyTorch: views of all kinds, every dtype, containers.
base = torch.from_numpy(floats(6, 8))
views = {
    "whole": base,
    "transposed": base.T,
    "rows": base[2:4],
    "columns": base[:, 3:5],
    "strided": base[::2, 1::3],
    "permuted": torch.from_numpy(floats(2, 3, 4)).permute(2, 0, 1),
    "expanded": torch.tensor([1.0, 2.0, 3.0]).expand(4, 3),
    "scalar": torch.tensor(2.5),
    "empty": torch.zeros(0, 3),
}
torch.save(views, out / "views.pt")
expect("views", views)

dtypes = {str(d).split(".")[1]: torch.arange(-3, 5).to(d) for d in (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8)}
dtypes["uint8"] = torch.tensor([0, 7, 255], dtype=torch.uint8)
dtypes["bool"] = torch.tensor([True, False, True])
dtypes["uint16"] = torch.tensor([0, 7, 65535], dtype=torch.uint16)
torch.save(dtypes, out / "dtypes.pt")
expect("dtypes", dtypes)

model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
model(torch.randn(5, 3)).square().sum().backward()
optimizer.step()
state = {
    "model": model.state_dict(),
    "optimizer": optimizer.state_dict(),
    "parameter": torch.nn.Parameter(torch.tensor([1.0, 2.0])),
    "epoch": 3,
    "big": 2**40,
    "rate": 0.125,
    "name": "naïve",
    "none": None,
    "flags": (True, False),
    "args": argparse.Namespace(lr=1e-3, out=pathlib.PosixPath("runs/one")),
    "device": torch.device("cpu"),
    "size": torch.Size([2, 3]),
    "dtype": torch.float16,
    "counts": collections.defaultdict(list, a=[1, 2]),
    "tags": {"x"},
    "loss": np.float64(0.75),
    "stats": np.asfortranarray(floats(2, 3)),
    "bytes": b"\x00\xff",
}
for protocol in (2, 3, 4, 5):
    torch.save(state, out / f"state-{protocol}.pt", pickle_protocol=protocol)
tensors = {f"model/{k}": v for k, v in state["model"].items()}
for i, entry in state["optimizer"]["state"].items():
    tensors |= {f"optimizer/state/{i}/{k}": v for k, v in entry.items()}
tensors |= {"parameter": state["parameter"].detach(), "stats": state["stats"]}
expect("state", tensors)

# NumPy: orders, byte orders, half precision, deflated and stored.
arrays = {
    "row": floats(3, 4),
    "column": np.asfortranarray(floats(3, 4, 5)),
    "big": floats(5).astype(">f4"),
    "half": floats(4).astype(np.float16),
    "double": rng.standard_normal((2, 2)),
    "ints": np.arange(-3, 3).reshape(2, 3),
    "bools": np.array([True, False]),
    "scalar": np.float32(3.5),
    "zeros": np.zeros((64, 64), np.float32),
    "empty": np.zeros((0, 2), np.float32),
}
np.savez(out / "stored.npz", **arrays)
np.savez_compressed(out / "deflated.npz", **arrays)
np.save(out / "single.npy", arrays["column"])
expect("arrays", {k: np.asarray(v).astype(np.asarray(v).dtype.newbyteorder("=")) for k, v in arrays.items()})

# safetensors in two files with an index.
sharded = out / "sharded"
sharded.mkdir()
shards = {"model-00001-of-00002.safetensors": {"a": floats(2, 2)}, "model-00002-of-00002.safetensors": {"b": floats(3).astype(np.float16), "c": floats(1)}}
for file, content in shards.items():
    safetensors.numpy.save_file(content, sharded / file, metadata={"format": "np"})
import json

(sharded / "model.safetensors.index.json").write_text(json.dumps({"metadata": {"total_size": 26}, "weight_map": {k: f for f, c in shards.items() for k in c}}))
(sharded / "config.json").write_text("{}")
expect("sharded", {k: v for c in shards.values() for k, v in c.items()})

# flax: every kind of leaf, and arrays in chunks.
tree = {
    "params": {"dense": {"kernel": floats(3, 4), "bias": floats(4).astype(ml_dtypes.bfloat16)}, "0.9999": floats(2)},
    "list": [floats(2), np.int32(7)],
    "large": floats(5, 7),
    "step": 12,
    "rate": 0.5,
    "name": "run",
    "none": None,
}
flax.serialization.MAX_CHUNK_SIZE = 64
(out / "flax.msgpack").write_bytes(flax.serialization.to_bytes(tree))
expect("flax", {"params/dense/kernel": tree["params"]["dense"]["kernel"], "params/dense/bias": tree["params"]["dense"]["bias"], "params/0.9999": tree["params"]["0.9999"], "list/0": tree["list"][0], "list/1": tree["list"][1], "large": tree["large"]})

# TensorStore: a deep tree of small nodes, values inline and not, chunks in both axes, both orders, every compressor.
database = out / "database"
store = {"driver": "ocdbt", "base": f"file://{database}/", "config": {"max_decoded_node_bytes": 700, "max_inline_value_bytes": 64}}
chunked = {}


def write(kvstore, name, value, **metadata):
    chunked[name] = value
    spec = {"driver": "zarr", "kvstore": kvstore, "metadata": {"shape": list(value.shape), "dtype": "bfloat16" if value.dtype == ml_dtypes.bfloat16 else value.dtype.str, **metadata}, "store_data_equal_to_fill_value": True}
    ts.open(spec, create=True, delete_existing=True).result().write(value).result()


zstd, gzip = {"id": "zstd", "level": 1}, {"id": "gzip", "level": 5}
for i in range(12):
    write({**store, "path": f"layer_{i}/"}, f"layer_{i}", floats(4, 6), chunks=[4, 6], compressor=zstd)
write({**store, "path": "grid/"}, "grid", floats(5, 7), chunks=[2, 3], compressor=zstd)
write({**store, "path": "rows/"}, "rows", floats(5, 7), chunks=[2, 7], compressor=gzip)
write({**store, "path": "column/"}, "column", floats(5, 7), chunks=[2, 3], compressor=None, order="F")
write({**store, "path": "bf16/"}, "bf16", floats(3, 2).astype(ml_dtypes.bfloat16), chunks=[3, 2], compressor=zstd)
expect("database", chunked)

chunked = {}
plain = out / "zarr"
for name, options in {"grid": {"compressor": gzip, "dimension_separator": "/"}, "rows": {"compressor": {"id": "zlib", "level": 1}}, "raw": {"compressor": None}}.items():
    write(f"file://{plain}/{name}/", name, floats(5, 7), chunks=[2, 7 if name == "rows" else 3], **options)
value = floats(4, 6)
ts.open({"driver": "zarr3", "kvstore": f"file://{plain}/third/", "metadata": {"shape": [4, 6], "data_type": "float32", "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2, 6]}}, "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "zstd", "configuration": {"level": 1}}]}}, create=True, delete_existing=True).result().write(value).result()
expect("zarr", chunked | {"third": value})

# Orbax, as its own checkpointers write it: keys with dots, empty containers, scalars.
tree = {"params": {"w": floats(4, 3), "b": np.zeros(3, np.float32)}, "ema": {"0.9999": {"w": floats(4, 3)}}, "step": np.int32(5), "empty": {}, "none": None, "list": [floats(2)]}
flat = {"params/w": tree["params"]["w"], "params/b": tree["params"]["b"], "ema/0.9999/w": tree["ema"]["0.9999"]["w"], "step": tree["step"], "list/0": tree["list"][0]}
for name, options in {"orbax": {}, "orbax-zarr3": {"use_zarr3": True}, "orbax-folders": {"use_ocdbt": False}}.items():
    handler = ocp.PyTreeCheckpointHandler(**options)
    with ocp.Checkpointer(handler) as checkpointer:
        checkpointer.save(out / name / "1", args=ocp.args.PyTreeSave(tree))
expect("orbax", flat)

versions = {m.__name__: m.__version__ for m in (torch, np, safetensors, flax, ocp)}
(out / "versions.txt").write_text("".join(f"{k} {v}\n" for k, v in versions.items()))
