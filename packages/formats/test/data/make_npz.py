"""Writes the files that the tests read, with NumPy itself. Run: python make_npz.py"""
import pathlib

import numpy as np

here = pathlib.Path(__file__).parent
arrays = {
    "f8": np.array([[1.5, -2.25], [1e300, 0.1]]),
    "f4": np.arange(6, dtype=np.float32).reshape(1, 2, 3) / 7,
    "f2": np.array([1, -2.5, 6e-8, np.inf], np.float16),
    "i8": np.array([-5, 2**31 - 1], np.int64),
    "u1": np.array([0, 255], np.uint8),
    "b1": np.array([True, False]),
    "scalar": np.array(3.5),
    "empty": np.zeros((0, 4), np.float32),
    "column_major": np.asfortranarray(np.arange(24, dtype=np.float64).reshape(2, 3, 4)),
    "big_endian": np.array([1, 256], ">i4"),
}
np.savez(here / "stored.npz", **arrays)
np.savez_compressed(here / "compressed.npz", **arrays)
np.savez(here / "objects.npz", a=np.array([{"x": 1}], object))
np.savez(here / "wide.npz", a=np.array([2**40]))
np.savez(here / "complex.npz", a=np.array([1j]))
