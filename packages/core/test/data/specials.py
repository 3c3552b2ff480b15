"""Writes specials.json: what JAX makes of special numbers, which core's ops are held to.

Run with Python 3, numpy and jax:  python specials.py > specials.json
Lists are written as text, since JSON has neither NaN nor infinities.
"""

import json

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

jax.config.update("jax_enable_x64", True)

SPECIAL = [0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0, -3.0, np.inf, -np.inf, np.nan, 1e30, -1e30]
BEYOND = [np.nan, np.inf, -np.inf, 3e9, -3e9, 1e10, 2.0**31, 2.0**31 - 128, -(2.0**31), -(2.0**31) - 256, 1.9, -1.9, -0.5]
ROWS = [[1, np.nan, 3, np.nan], [1, 3, 3, 3], [-0.0, 0.0, -1, -1], [-np.inf] * 4, [np.inf, 1, np.nan, 2], [-np.inf, 1, 1, 0]]
TABLE = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
ASTRAY = [2, -1, 3, 0, -3, -4, 2**31 - 1, -(2**31)]


def text(x):
    x = np.asarray(x)
    return " ".join(float.__repr__(float(v)) for v in x.ravel().tolist())


def gather(table, indices):
    numbers = lax.GatherDimensionNumbers(offset_dims=(1,), collapsed_slice_dims=(0,), start_index_map=(0,))
    return lax.gather(table, indices[:, None], numbers, (1, table.shape[1]), mode=lax.GatherScatterMode.FILL_OR_DROP)


def scatter_add(updates, indices, rows):
    numbers = lax.ScatterDimensionNumbers(
        update_window_dims=(1,), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,)
    )
    zeros = jnp.zeros((rows, updates.shape[1]))
    return lax.scatter_add(zeros, indices[:, None], updates, numbers, mode=lax.GatherScatterMode.FILL_OR_DROP)


bases, exponents = (jnp.asarray(x.ravel()) for x in np.meshgrid(SPECIAL, SPECIAL, indexing="ij"))
rows, table, astray = jnp.asarray(ROWS), jnp.asarray(TABLE), jnp.asarray(ASTRAY, jnp.int32)
updates = jnp.arange(1.0, 2 * len(ASTRAY) + 1).reshape(-1, 2)

print(
    json.dumps(
        {
            "pow": {"bases": text(bases), "exponents": text(exponents), "value": text(lax.pow(bases, exponents))},
            "cast": {"x": text(BEYOND), "value": text(jnp.asarray(BEYOND, jnp.float32).astype(jnp.int32))},
            "rows": {
                "x": text(rows),
                "columns": rows.shape[1],
                "argMax": text(jnp.argmax(rows, 1)),
                "max": text(jnp.max(rows, 1)),
                "min": text(jnp.min(rows, 1)),
                "softmax": text(jax.nn.softmax(rows)),
            },
            "gather": {
                "table": text(table),
                "indices": text(astray),
                "float32": text(gather(table, astray)),
                "int32": text(gather(table.astype(jnp.int32), astray)),
                "bool": text(gather(table > 3, astray).astype(jnp.int32)),
                "tangent": text(jax.jvp(lambda t: gather(t, astray), (table,), (table,))[1]),
                "gradient": text(jax.vjp(lambda t: gather(t, astray), table)[1](updates)[0]),
            },
            "scatterAdd": {
                "updates": text(updates),
                "value": text(scatter_add(updates, astray, 3)),
                "gradient": text(jax.vjp(lambda u: scatter_add(u, astray, 3), updates)[1](table)[0]),
            },
            "relu": {
                "x": text(SPECIAL),
                "value": text(jax.nn.relu(jnp.asarray(SPECIAL))),
                "gradient": text(jax.vmap(jax.grad(jax.nn.relu))(jnp.asarray(SPECIAL))),
            },
        },
        indent=2,
    )
)
