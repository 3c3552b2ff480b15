"""The networks of the cases in PyTorch, as one would write them: modules on the framework's own layers.

Each is built of parameters as the driver exports them: kernels of linear layers are `[inputs, outputs]`, images of
transformers `[batch, height, width, channels]`, those of the U-Net channels first.
"""
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def parameter(array):
    return nn.Parameter(torch.tensor(np.ascontiguousarray(array)))


class Linear(nn.Module):
    def __init__(self, p):
        super().__init__()
        kernel = p["kernel"]
        self.weight = parameter(kernel.reshape(-1, kernel.shape[-1]).T)
        self.bias = parameter(p["bias"])

    def forward(self, x):
        return F.linear(x, self.weight, self.bias)


class Conv(nn.Module):
    def __init__(self, p):
        super().__init__()
        self.weight, self.bias = parameter(p["kernel"]), parameter(p["bias"])

    def forward(self, x):
        return F.conv2d(x, self.weight, self.bias, padding=self.weight.shape[-1] // 2)


class GroupNorm(nn.Module):
    def __init__(self, p):
        super().__init__()
        self.weight, self.bias = parameter(p["scale"]), parameter(p["bias"])
        self.groups = min(32, self.weight.shape[0] // 4)

    def forward(self, x):
        return F.group_norm(x, self.groups, self.weight, self.bias, eps=1e-6)


class Embedding(nn.Module):
    """Cosines and sines of a number per row."""

    def __init__(self, dimension, scale=1.0, endpoint=False, first="cosines"):
        super().__init__()
        half = dimension // 2
        exponents = np.arange(half) / (half - 1 if endpoint else half)
        self.register_buffer("frequencies", torch.tensor((scale * np.exp(-math.log(10000.0) * exponents)).astype(np.float32)))
        self.sines_first = first == "sines"

    def forward(self, t):
        angles = t[:, None] * self.frequencies
        waves = [torch.cos(angles), torch.sin(angles)]
        return torch.cat(waves[::-1] if self.sines_first else waves, -1)


class Mlp(nn.Module):
    def __init__(self, config, params, arrays):
        super().__init__()
        self.embed = Embedding(64, 10.0)
        self.layers = nn.ModuleList(Linear(p) for p in params["layers"])
        self.out = Linear(params["out"])

    def forward(self, z, r, t):
        h = torch.cat([z, self.embed(t), self.embed(t - r)], -1)
        for layer in self.layers:
            h = F.silu(layer(h))
        return self.out(h)


class Embedder(nn.Module):
    def __init__(self, p):
        super().__init__()
        self.hidden, self.out = Linear(p["hidden"]), Linear(p["out"])

    def forward(self, x):
        return self.out(F.silu(self.hidden(x)))


def layer_norm(x):
    return F.layer_norm(x, x.shape[-1:], eps=1e-6)


class DitBlock(nn.Module):
    def __init__(self, p, heads, fused_attention):
        super().__init__()
        self.heads, self.fused_attention = heads, fused_attention
        self.modulation = Linear(p["modulation"])
        self.qkv, self.proj = Linear(p["attention"]["qkv"]), Linear(p["attention"]["out"])
        self.hidden, self.out = Linear(p["mlp"]["hidden"]), Linear(p["mlp"]["out"])

    def attention(self, x):
        batch, tokens, width = x.shape
        q, k, v = self.qkv(x).view(batch, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        if self.fused_attention:
            y = F.scaled_dot_product_attention(q, k, v)
        else:
            # The fused kernel has no forward-mode derivative.
            y = (q * (width // self.heads) ** -0.5 @ k.transpose(-1, -2)).softmax(-1) @ v
        return self.proj(y.transpose(1, 2).reshape(batch, tokens, width))

    def forward(self, x, c):
        shift, scale, gate, mlp_shift, mlp_scale, mlp_gate = self.modulation(c)[:, None].chunk(6, -1)
        x = x + gate * self.attention(layer_norm(x) * (1 + scale) + shift)
        h = layer_norm(x) * (1 + mlp_scale) + mlp_shift
        return x + mlp_gate * self.out(F.gelu(self.hidden(h), approximate="tanh"))


class Dit(nn.Module):
    def __init__(self, config, params, arrays, fused_attention=False):
        super().__init__()
        height, width, self.channels = config["featureShape"]
        self.patch = config["patchSize"]
        self.grid = (height // self.patch, width // self.patch)
        self.register_buffer("positions", torch.tensor(arrays["positions"]))
        self.embed = Embedding(config["embedding"]["dimension"], config["embedding"]["scale"])
        self.patches = Linear(params["patch"])
        self.t, self.h = (Embedder(p) for p in params["condition"]["embedders"])
        self.blocks = nn.ModuleList(DitBlock(p, config["heads"], fused_attention) for p in params["blocks"])
        self.modulation, self.out = Linear(params["out"]["modulation"]), Linear(params["out"]["linear"])

    def forward(self, z, r, t):
        batch, (rows, columns), p = z.shape[0], self.grid, self.patch
        x = z.reshape(batch, rows, p, columns, p, self.channels).transpose(2, 3).reshape(batch, rows * columns, -1)
        x = self.patches(x) + self.positions
        c = F.silu(self.t(self.embed(t)) + self.h(self.embed(t - r)))
        for block in self.blocks:
            x = block(x, c)
        shift, scale = self.modulation(c)[:, None].chunk(2, -1)
        x = self.out(layer_norm(x) * (1 + scale) + shift)
        return x.reshape(batch, rows, columns, p, p, self.channels).transpose(2, 3).reshape(z.shape)


class UNetBlock(nn.Module):
    def __init__(self, p, resample=None):
        super().__init__()
        self.norm0, self.conv0, self.affine = GroupNorm(p["norm0"]), Conv(p["conv0"]), Linear(p["affine"])
        self.norm1, self.conv1 = GroupNorm(p["norm1"]), Conv(p["conv1"])
        self.skip = Conv(p["skip"]) if "skip" in p else None
        a = p.get("attention")
        self.norm2, self.qkv, self.proj = (GroupNorm(a["norm"]), Conv(a["qkv"]), Conv(a["proj"])) if a else (None,) * 3
        self.resample = resample
        taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
        self.register_buffer("filter", torch.outer(taps, taps) / taps.sum() ** 2)

    def resampled(self, x):
        if self.resample is None:
            return x
        channels = x.shape[1]
        kernel = self.filter.expand(channels, 1, 4, 4)
        if self.resample == "down":
            return F.conv2d(x, kernel, stride=2, padding=1, groups=channels)
        return F.conv_transpose2d(x, 4 * kernel, stride=2, padding=1, groups=channels)

    def forward(self, x, c):
        h = self.conv0(self.resampled(F.silu(self.norm0(x)))) + self.affine(c)[:, :, None, None]
        h = self.conv1(F.silu(self.norm1(h)))
        x = (h + (x if self.skip is None else self.skip(self.resampled(x)))) * math.sqrt(0.5)
        if self.qkv is None:
            return x
        batch, channels, height, width = x.shape
        q, k, v = self.qkv(self.norm2(x)).reshape(batch, 3, channels, height * width).unbind(1)
        weights = (q.transpose(1, 2) * channels**-0.5 @ k).softmax(-1)
        attended = (v @ weights.transpose(1, 2)).reshape(x.shape)
        return (self.proj(attended) + x) * math.sqrt(0.5)


class UNet(nn.Module):
    def __init__(self, config, params, arrays):
        super().__init__()
        self.embed = Embedding(2 * config["channels"], endpoint=True, first="sines")
        self.hidden, self.condition = Linear(params["condition"]["hidden"]), Linear(params["condition"]["out"])
        self.input = Conv(params["input"])
        self.down = nn.ModuleList()
        for level in params["encoder"]:
            if "down" in level:
                self.down.append(UNetBlock(level["down"], "down"))
            self.down.extend(UNetBlock(p) for p in level["blocks"])
        self.up = nn.ModuleList()
        self.joins = []
        for level in reversed(params["decoder"]):
            for name in ("in0", "in1", "up"):
                if name in level:
                    self.up.append(UNetBlock(level[name], "up" if name == "up" else None))
                    self.joins.append(False)
            self.up.extend(UNetBlock(p) for p in level["blocks"])
            self.joins += [True] * len(level["blocks"])
        self.norm, self.out = GroupNorm(params["out"]["norm"]), Conv(params["out"]["conv"])

    def forward(self, z, r, t):
        c = F.silu(self.hidden(torch.cat([self.embed(t), self.embed(t - r)], -1)))
        c = F.silu(self.condition(c))
        x = self.input(z)
        skips = [x]
        for block in self.down:
            x = block(x, c)
            skips.append(x)
        for block, joins in zip(self.up, self.joins):
            x = block(torch.cat([x, skips.pop()], 1) if joins else x, c)
        return self.out(F.silu(self.norm(x)))


def network(config, params, arrays, fused_attention):
    if config["kind"] == "dit":
        return Dit(config, params, arrays, fused_attention)
    return {"mlp": Mlp, "song-unet": UNet}[config["kind"]](config, params, arrays)
