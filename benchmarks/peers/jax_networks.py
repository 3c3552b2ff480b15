"""The networks of the cases in JAX: pure functions of parameters as the driver exports them, traced by `jit`."""
import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax


def linear(p, x):
    kernel = p["kernel"].reshape(-1, p["kernel"].shape[-1])
    return x @ kernel + p["bias"]


def conv(p, x):
    y = lax.conv_general_dilated(x, p["kernel"], (1, 1), "SAME", dimension_numbers=("NCHW", "OIHW", "NCHW"))
    return y + p["bias"][:, None, None]


def layer_norm(x, epsilon=1e-6):
    centered = x - x.mean(-1, keepdims=True)
    return centered * lax.rsqrt((centered * centered).mean(-1, keepdims=True) + epsilon)


def group_norm(p, x):
    batch, channels = x.shape[:2]
    groups = min(32, channels // 4)
    y = layer_norm(x.reshape(batch, groups, -1)).reshape(x.shape)
    return y * p["scale"][:, None, None] + p["bias"][:, None, None]


def embed(t, dimension, scale=1.0, endpoint=False, first="cosines"):
    half = dimension // 2
    exponents = np.arange(half) / (half - 1 if endpoint else half)
    angles = t[:, None] * (scale * np.exp(-math.log(10000.0) * exponents)).astype(np.float32)
    waves = [jnp.cos(angles), jnp.sin(angles)]
    return jnp.concatenate(waves[::-1] if first == "sines" else waves, -1)


def mlp(config, arrays):
    def apply(p, z, r, t):
        h = jnp.concatenate([z, embed(t, 64, 10.0), embed(t - r, 64, 10.0)], -1)
        for layer in p["layers"]:
            h = jax.nn.silu(linear(layer, h))
        return linear(p["out"], h)

    return apply


def dit(config, arrays):
    height, width, channels = config["featureShape"]
    patch, heads, features = config["patchSize"], config["heads"], config["embedding"]
    rows, columns = height // patch, width // patch
    positions = arrays["positions"]

    def embedder(p, t):
        return linear(p["out"], jax.nn.silu(linear(p["hidden"], embed(t, features["dimension"], features["scale"]))))

    def attention(p, x):
        batch, tokens, size = x.shape
        q, k, v = jnp.moveaxis(linear(p["qkv"], x).reshape(batch, tokens, 3, heads, size // heads), (2, 3), (0, 2))
        weights = jax.nn.softmax(jnp.einsum("bhqd,bhkd->bhqk", q * (size // heads) ** -0.5, k))
        y = jnp.einsum("bhqk,bhkd->bhqd", weights, v)
        return linear(p["out"], y.transpose(0, 2, 1, 3).reshape(x.shape))

    def block(p, x, c):
        shift, scale, gate, mlp_shift, mlp_scale, mlp_gate = jnp.split(linear(p["modulation"], c)[:, None], 6, -1)
        x = x + gate * attention(p["attention"], layer_norm(x) * (1 + scale) + shift)
        h = layer_norm(x) * (1 + mlp_scale) + mlp_shift
        return x + mlp_gate * linear(p["mlp"]["out"], jax.nn.gelu(linear(p["mlp"]["hidden"], h), approximate=True))

    def apply(p, z, r, t):
        batch = z.shape[0]
        x = z.reshape(batch, rows, patch, columns, patch, channels).swapaxes(2, 3).reshape(batch, rows * columns, -1)
        x = linear(p["patch"], x) + positions
        times, spans = p["condition"]["embedders"]
        c = jax.nn.silu(embedder(times, t) + embedder(spans, t - r))
        for each in p["blocks"]:
            x = block(each, x, c)
        shift, scale = jnp.split(linear(p["out"]["modulation"], c)[:, None], 2, -1)
        x = linear(p["out"]["linear"], layer_norm(x) * (1 + scale) + shift)
        return x.reshape(batch, rows, columns, patch, patch, channels).swapaxes(2, 3).reshape(z.shape)

    return apply


TAPS = np.array([1.0, 3.0, 3.0, 1.0], np.float32)
FILTER = np.outer(TAPS, TAPS) / TAPS.sum() ** 2


def resampled(x, kind):
    if kind is None:
        return x
    channels = x.shape[1]
    options = dict(feature_group_count=channels, dimension_numbers=("NCHW", "OIHW", "NCHW"))
    kernel = np.broadcast_to(FILTER, (channels, 1, 4, 4))
    if kind == "down":
        return lax.conv_general_dilated(x, kernel, (2, 2), ((1, 1), (1, 1)), **options)
    return lax.conv_general_dilated(x, 4 * kernel, (1, 1), ((2, 2), (2, 2)), lhs_dilation=(2, 2), **options)


def unet(config, arrays):
    def block(p, x, c, kind=None):
        h = conv(p["conv0"], resampled(jax.nn.silu(group_norm(p["norm0"], x)), kind))
        h = h + linear(p["affine"], c)[:, :, None, None]
        h = conv(p["conv1"], jax.nn.silu(group_norm(p["norm1"], h)))
        x = (h + (conv(p["skip"], resampled(x, kind)) if "skip" in p else x)) * math.sqrt(0.5)
        if "attention" not in p:
            return x
        batch, channels, height, width = x.shape
        a = p["attention"]
        q, k, v = jnp.moveaxis(conv(a["qkv"], group_norm(a["norm"], x)).reshape(batch, 3, channels, -1), 1, 0)
        weights = jax.nn.softmax(jnp.einsum("bcq,bck->bqk", q * channels**-0.5, k))
        attended = jnp.einsum("bqk,bck->bcq", weights, v).reshape(x.shape)
        return (conv(a["proj"], attended) + x) * math.sqrt(0.5)

    def apply(p, z, r, t):
        times = [embed(each, 2 * config["channels"], endpoint=True, first="sines") for each in (t, t - r)]
        c = jax.nn.silu(linear(p["condition"]["hidden"], jnp.concatenate(times, -1)))
        c = jax.nn.silu(linear(p["condition"]["out"], c))
        x = conv(p["input"], z)
        skips = [x]
        for level in p["encoder"]:
            if "down" in level:
                x = block(level["down"], x, c, "down")
                skips.append(x)
            for each in level["blocks"]:
                x = block(each, x, c)
                skips.append(x)
        for level in reversed(p["decoder"]):
            for name in ("in0", "in1", "up"):
                if name in level:
                    x = block(level[name], x, c, "up" if name == "up" else None)
            for each in level["blocks"]:
                x = block(each, jnp.concatenate([x, skips.pop()], 1), c)
        return conv(p["out"]["conv"], jax.nn.silu(group_norm(p["out"]["norm"], x)))

    return apply


def network(config, arrays):
    return {"mlp": mlp, "dit": dit, "song-unet": unet}[config["kind"]](config, arrays)
