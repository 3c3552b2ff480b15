"""Writes small reference statistics in the published forms, with NumPy. Run: python make_statistics.py"""
import pathlib

import numpy as np

here = pathlib.Path(__file__).parent
rng = np.random.default_rng(3)
x, s = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
mu, sigma = x.mean(0), np.cov(x, rowvar=False)
np.savez(here / "statistics-ttur.npz", mu=mu, sigma=sigma)
np.savez_compressed(here / "statistics-jax.npz", ref_mu=mu.astype(np.float32), ref_sigma=sigma.astype(np.float32))
np.savez(
    here / "statistics-adm.npz",
    arr_0=np.zeros((2, 4, 4, 3), np.uint8),
    mu=mu,
    sigma=sigma,
    mu_s=s.mean(0),
    sigma_s=np.cov(s, rowvar=False),
)
print(mu.tolist(), sigma.tolist(), s.mean(0).tolist())
