"""A case in JAX, compiled by `jit` with the state donated: `python jax_worker.py FOLDER`."""
import sys

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import tree_leaves, tree_map

from exchange import read_case, say, serve_sampling, serve_training
from jax_networks import network

say("imported")


def per_row(a, x):
    return a.reshape(-1, *[1] * (x.ndim - 1))


def squared_norm(x):
    return (x * x).reshape(x.shape[0], -1).sum(1)


def loss_function(objective, epsilon, apply):
    def point(x, noise, t):
        return (1 - per_row(t, x)) * x + per_row(t, x) * noise, noise - x

    def weighted(squared):
        return jnp.mean(squared / jax.lax.stop_gradient(squared + epsilon))

    def derivative(p, z, r, t, tangent):
        return jax.jvp(lambda *at: apply(p, *at), (z, r, t), (tangent, jnp.zeros_like(r), jnp.ones_like(t)))

    def flow_matching(p, x, noise, r, t):
        z, v = point(x, noise, t)
        return jnp.mean(squared_norm(apply(p, z, t, t) - v))

    def mean_flow(p, x, noise, r, t):
        z, v = point(x, noise, t)
        u, du_dt = derivative(p, z, r, t, v)
        target = jax.lax.stop_gradient(v - per_row(t - r, x) * du_dt)
        return weighted(squared_norm(u - target))

    def improved_mean_flow(p, x, noise, r, t):
        z, v = point(x, noise, t)
        u, du_dt = derivative(p, z, r, t, jax.lax.stop_gradient(apply(p, z, t, t)))
        return weighted(squared_norm(u + per_row(t - r, x) * jax.lax.stop_gradient(du_dt) - v))

    return {"flow-matching": flow_matching, "meanflow": mean_flow, "improved-meanflow": improved_mean_flow}[objective]


def train(case, params, arrays, apply):
    loss_of = loss_function(case["objective"], case["weightEpsilon"], apply)
    settings = case["optimizer"]
    rate, decay, epsilon = settings["learningRate"], settings["weightDecay"], settings["epsilon"]
    beta1, beta2, average_decay = settings["beta1"], settings["beta2"], case["emaDecay"]

    def update(p, mean, variance, average, corrections, *batch):
        loss, gradient = jax.value_and_grad(loss_of)(p, *batch)
        mean = tree_map(lambda m, g: beta1 * m + (1 - beta1) * g, mean, gradient)
        variance = tree_map(lambda v, g: beta2 * v + (1 - beta2) * g * g, variance, gradient)
        scaled = lambda m, v: m * corrections[0] / (jnp.sqrt(v * corrections[1]) + epsilon)
        p = tree_map(lambda w, m, v: w * (1 - rate * decay) - rate * scaled(m, v), p, mean, variance)
        average = tree_map(lambda a, w: average_decay * a + (1 - average_decay) * w, average, p)
        return loss, p, mean, variance, average

    compiled = jax.jit(update, donate_argnums=(0, 1, 2, 3))
    zeros = lambda: tree_map(jnp.zeros_like, params)
    state = [tree_map(jnp.array, params), zeros(), zeros(), tree_map(jnp.array, params)]
    batch = [jnp.array(arrays[name]) for name in ("x", "noise", "r", "t")]
    count = 0

    def step():
        nonlocal state, count
        count += 1
        corrections = np.array([1 / (1 - beta1**count), 1 / (1 - beta2**count)], np.float32)
        loss, *state = compiled(*state, corrections, *batch)
        jax.block_until_ready(state)
        return float(loss)

    def gradient_norm():
        # The first moment after the first update is (1 - beta1) times its gradient.
        squares = sum(float(jnp.sum(jnp.square(m))) for m in tree_leaves(state[1]))
        return squares**0.5 / (1 - beta1)

    serve_training(step, gradient_norm)


def sample(params, arrays, apply):
    noise = jnp.array(arrays["noise"])
    rows = noise.shape[0]
    run = jax.jit(lambda p, e: e - apply(p, e, jnp.zeros(rows), jnp.ones(rows)))
    params = tree_map(jnp.array, params)
    serve_sampling(lambda: np.asarray(run(params, noise)))


def main(folder):
    case, params, arrays = read_case(folder)
    apply = network(case["network"], arrays)
    if case["task"] == "sample":
        sample(params, arrays, apply)
    else:
        train(case, params, arrays, apply)


if __name__ == "__main__":
    main(*sys.argv[1:])
