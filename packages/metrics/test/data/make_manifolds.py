"""Writes manifolds.json: precision, recall, density and coverage of two small sets, written from the papers' formulas with
NumPy, and Fréchet distances class by class with SciPy's sqrtm. Run: python make_manifolds.py"""
import json
import pathlib

import numpy as np
from scipy.linalg import sqrtm

rng = np.random.default_rng(11)
real = rng.normal(size=(40, 3)).round(4)
fake = (rng.normal(size=(30, 3)) * 0.8 + [0.7, 0, 0]).round(4)
real_labels = np.arange(40) % 2
fake_labels = np.arange(30) % 2


def distances(a, b):
    return np.sqrt(((a[:, None] - b[None]) ** 2).sum(-1))


def radii(points, k):
    return np.sort(distances(points, points), axis=1)[:, k]  # column 0 is the point itself


def frechet(a, b):
    root = sqrtm(np.cov(a.T) @ np.cov(b.T)).real
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(np.cov(a.T) + np.cov(b.T) - 2 * root))


out = {"real": real.tolist(), "fake": fake.tolist(), "byNeighbours": {}}
for k in (1, 3, 5):
    d = distances(real, fake)
    inside_real = d <= radii(real, k)[:, None]
    inside_fake = d <= radii(fake, k)[None]
    out["byNeighbours"][k] = {
        "precision": float(inside_real.any(0).mean()),
        "recall": float(inside_fake.any(1).mean()),
        "density": float(inside_real.sum() / (k * len(fake))),
        "coverage": float(inside_real.any(1).mean()),
    }
out["classFrechet"] = float(
    np.mean([frechet(fake[fake_labels == c], real[real_labels == c]) for c in (0, 1)])
)
out["mean"] = real.mean(0).tolist()
out["covariance"] = np.cov(real.T).tolist()
pathlib.Path(__file__).with_name("manifolds.json").write_text(json.dumps(out) + "\n")
