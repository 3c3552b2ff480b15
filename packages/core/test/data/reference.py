"""Writes reference.json: values and gradients computed by JAX and SciPy in float64, which the tests compare with.

Run with Python 3, numpy, scipy and jax:  python reference.py > reference.json
Operands are not stored. They are wave(shape, phase) on both sides (test/support/numeric.ts).
"""

import json

import jax
import jax.numpy as jnp
import numpy as np
import scipy.special
from jax import lax

jax.config.update("jax_enable_x64", True)


def wave(shape, phase):
    return jnp.asarray(np.sin(1.3 * np.arange(int(np.prod(shape))) + phase).reshape(shape))


def flat(x):
    return [float(v) for v in np.asarray(x, dtype=np.float64).ravel()]


def with_gradients(f, *operands):
    """Value, and the gradients of sum(value * wave(value.shape, 2))."""
    value = f(*operands)
    weighted = lambda *xs: jnp.sum(f(*xs) * wave(value.shape, 2.0))
    gradients = jax.grad(weighted, tuple(range(len(operands))))(*operands)
    return {"shape": list(value.shape), "value": flat(value), "gradients": [flat(g) for g in gradients]}


CONVOLUTIONS = [
    dict(x=[2, 3, 7], kernel=[4, 3, 3]),
    dict(x=[2, 3, 7], kernel=[4, 3, 3], strides=[2], padding=[[1, 1]]),
    dict(x=[1, 2, 8], kernel=[3, 2, 3], strides=[3], padding=[[2, 0]], rhsDilation=[2]),
    dict(x=[1, 2, 6], kernel=[3, 2, 2], padding=[[-1, -2]]),
    dict(x=[1, 4, 6], kernel=[6, 2, 3], padding=[[1, 1]], groups=2),
    dict(x=[2, 3, 5], kernel=[3, 1, 2], groups=3),
    dict(x=[1, 2, 4], kernel=[3, 2, 3], padding=[[1, 2]], lhsDilation=[2]),
    dict(x=[1, 2, 5], kernel=[2, 2, 3], padding=[[-1, 3]], lhsDilation=[3], strides=[2]),
    dict(x=[2, 3, 5, 6], kernel=[4, 3, 3, 3], padding=[[1, 1], [1, 1]]),
    dict(x=[2, 2, 6, 7], kernel=[4, 2, 3, 2], strides=[2, 3], padding=[[0, 1], [2, -1]]),
    dict(x=[1, 4, 5, 5], kernel=[4, 2, 2, 3], strides=[2, 1], padding=[[1, 0], [1, 1]], rhsDilation=[2, 1], groups=2),
    dict(x=[1, 2, 3, 4], kernel=[2, 2, 2, 3], strides=[1, 2], padding=[[1, 1], [2, 0]], lhsDilation=[2, 3]),
    dict(x=[1, 2, 3, 4, 3], kernel=[2, 2, 2, 3, 2], padding=[[1, 0], [1, 1], [0, 0]], strides=[1, 2, 1]),
    dict(x=[1, 4, 3, 3, 2], kernel=[2, 2, 2, 2, 1], groups=2, rhsDilation=[1, 2, 1], lhsDilation=[1, 1, 2]),
]

CONTRACTIONS = [
    dict(lhs=[2, 3], rhs=[3, 4], lhsContracting=[1], rhsContracting=[0], lhsBatch=[], rhsBatch=[]),
    dict(lhs=[3, 2], rhs=[4, 3], lhsContracting=[0], rhsContracting=[1], lhsBatch=[], rhsBatch=[]),
    dict(lhs=[2], rhs=[3], lhsContracting=[], rhsContracting=[], lhsBatch=[], rhsBatch=[]),
    dict(lhs=[3], rhs=[3], lhsContracting=[0], rhsContracting=[0], lhsBatch=[], rhsBatch=[]),
    dict(lhs=[3], rhs=[3], lhsContracting=[], rhsContracting=[], lhsBatch=[0], rhsBatch=[0]),
    dict(lhs=[2, 3, 4], rhs=[2, 4, 5], lhsContracting=[2], rhsContracting=[1], lhsBatch=[0], rhsBatch=[0]),
    dict(lhs=[4, 2, 3], rhs=[5, 3, 2], lhsContracting=[2], rhsContracting=[1], lhsBatch=[1], rhsBatch=[2]),
    dict(lhs=[2, 3, 4, 2], rhs=[4, 2, 3, 5], lhsContracting=[2, 1], rhsContracting=[0, 2], lhsBatch=[], rhsBatch=[]),
    dict(lhs=[2, 3, 2, 4], rhs=[3, 5, 4, 2], lhsContracting=[3], rhsContracting=[2], lhsBatch=[1, 0], rhsBatch=[0, 3]),
    dict(lhs=[2, 2, 3, 2, 2], rhs=[2, 2, 3, 2], lhsContracting=[2, 4], rhsContracting=[2, 0], lhsBatch=[1], rhsBatch=[3]),
    dict(lhs=[2, 3], rhs=[2, 3], lhsContracting=[0, 1], rhsContracting=[0, 1], lhsBatch=[], rhsBatch=[]),
    dict(lhs=[0, 3], rhs=[3, 2], lhsContracting=[1], rhsContracting=[0], lhsBatch=[], rhsBatch=[]),
    dict(lhs=[2, 0], rhs=[0, 2], lhsContracting=[1], rhsContracting=[0], lhsBatch=[], rhsBatch=[]),
]


def convolve(case):
    x, kernel = wave(case["x"], 0.3), wave(case["kernel"], 0.7)
    spatial = x.ndim - 2
    ones = [1] * spatial
    f = lambda x, k: lax.conv_general_dilated(
        x,
        k,
        case.get("strides", ones),
        [tuple(p) for p in case.get("padding", [[0, 0]] * spatial)],
        lhs_dilation=case.get("lhsDilation", ones),
        rhs_dilation=case.get("rhsDilation", ones),
        feature_group_count=case.get("groups", 1),
    )
    return {**case, **with_gradients(f, x, kernel)}


def contract(case):
    dimensions = ((case["lhsContracting"], case["rhsContracting"]), (case["lhsBatch"], case["rhsBatch"]))
    f = lambda a, b: lax.dot_general(a, b, dimensions)
    return {**case, **with_gradients(f, wave(case["lhs"], 0.3), wave(case["rhs"], 0.7))}


def attention(q, k, v):
    scores = jnp.einsum("bhqd,bhkd->bhqk", q, k) / np.sqrt(q.shape[-1])
    return jnp.einsum("bhqk,bhkd->bhqd", jax.nn.softmax(scores), v)


def layer_norm(x):
    return (x - x.mean(-1, keepdims=True)) / jnp.sqrt(x.var(-1, keepdims=True) + 1e-6)


def rms_norm(x):
    return x / jnp.sqrt((x * x).mean(-1, keepdims=True) + 1e-6)


def group_norm(x, scale, bias):
    """Two groups."""
    groups = x.reshape(x.shape[0], 2, -1)
    normalised = (groups - groups.mean(-1, keepdims=True)) / jnp.sqrt(groups.var(-1, keepdims=True) + 1e-6)
    return normalised.reshape(x.shape) * scale[:, None, None] + bias[:, None, None]


POINTS = [-8.0, -5.5, -3.0, -1.0, -0.5, -1e-3, 0.0, 1e-8, 0.1, 0.7, 1.0, 2.5, 4.0, 6.5]
x34 = 2 * wave([3, 4], 0.3)
points = jnp.asarray(POINTS)

print(
    json.dumps(
        {
            "convolutions": [convolve(case) for case in CONVOLUTIONS],
            "contractions": [contract(case) for case in CONTRACTIONS],
            "points": POINTS,
            "erf": flat(scipy.special.erf(POINTS)),
            "sigmoid": flat(scipy.special.expit(POINTS)),
            "activations": {
                "silu": with_gradients(jax.nn.silu, points),
                "gelu": with_gradients(lambda x: jax.nn.gelu(x, approximate=False), points),
                "geluTanh": with_gradients(lambda x: jax.nn.gelu(x, approximate=True), points),
                "softplus": with_gradients(jax.nn.softplus, points),
            },
            "rows": {
                "softmax": with_gradients(jax.nn.softmax, x34),
                "layerNorm": with_gradients(layer_norm, x34),
                "rmsNorm": with_gradients(rms_norm, x34),
            },
            "groupNorm": with_gradients(group_norm, 2 * wave([2, 4, 3, 2], 0.3), wave([4], 0.7), wave([4], 1.1)),
            "attention": with_gradients(
                attention, wave([2, 2, 3, 4], 0.3), wave([2, 2, 5, 4], 0.7), wave([2, 2, 5, 4], 1.1)
            ),
        }
    )
)
