"""Makes muon.json: steps of optax.contrib.muon in float64 (optax 0.2.8, jax 0.10.2).

    python make_muon.py > muon.json

Matrices are moved by Muon, the rest by Adam; the first rate is 0, as in a warm-up.
"""

import json

import jax

jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
import numpy as np
import optax

rng = np.random.default_rng(0)
shapes = {"wide": (3, 5), "tall": (6, 2), "bias": (4,)}
draw = lambda: {name: np.round(rng.standard_normal(shape), 3) for name, shape in shapes.items()}
rates = [0.0, 0.01, 0.02, 0.02, 0.02]
start, gradients = draw(), [draw() for _ in rates]
optimizer = optax.contrib.muon(learning_rate=lambda step: jnp.asarray(rates)[step], adam_b2=0.95)
params = {name: jnp.asarray(value) for name, value in start.items()}
state, steps = optimizer.init(params), []
for gradient in gradients:
    updates, state = optimizer.update({k: jnp.asarray(v) for k, v in gradient.items()}, state, params)
    params = optax.apply_updates(params, updates)
    steps.append(params)
listed = lambda tree: {name: np.asarray(value).tolist() for name, value in tree.items()}
print(json.dumps({"rates": rates, "start": listed(start), "gradients": [listed(g) for g in gradients], "steps": [listed(s) for s in steps]}))
