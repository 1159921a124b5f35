"""Deterministic sample data. Every case draws from a generator seeded by its own name."""

import zlib

import numpy as np


class Sampler:
    def __init__(self, name):
        self.generator = np.random.default_rng(zlib.crc32(name.encode()))

    def normal(self, *shape, scale=1.0, digits=3):
        """Few digits keep the files small. Exact zeros are moved: kinks have cases of their own."""
        values = np.round(self.generator.standard_normal(shape) * scale, digits)
        return np.where(values == 0, 10.0**-digits, values).astype(np.float32)

    def uniform(self, low, high, *shape, digits=3):
        return np.round(self.generator.uniform(low, high, shape), digits).astype(np.float32)

    def distinct(self, *shape, step=0.013):
        """Shuffled values without ties, for maxima."""
        count = int(np.prod(shape))
        order = self.generator.permutation(count) - count // 2
        return np.round(order * step + 0.005, 3).astype(np.float32).reshape(shape)

    def integers(self, low, high, *shape):
        return self.generator.integers(low, high, shape).astype(np.int32)

    def probabilities(self, *shape):
        raw = self.generator.uniform(0.1, 1, shape)
        return np.round(raw / raw.sum(-1, keepdims=True), 4).astype(np.float32)


def weight_values(sampler, variable):
    """Plausible values for a variable, by its name: no zeros, positive variances and scales."""
    shape = tuple(variable.shape)
    name = variable.name
    if name in ("gamma", "scale"):
        return sampler.uniform(0.5, 1.5, *shape)
    if name == "moving_variance":
        return sampler.uniform(0.5, 2.0, *shape)
    if name in ("bias", "beta", "moving_mean"):
        return sampler.normal(*shape, scale=0.4)
    if name == "embeddings":
        return sampler.normal(*shape, scale=0.5)
    fan_in = max(1, int(np.prod(shape[:-1])))
    return sampler.normal(*shape, scale=1.2 / np.sqrt(fan_in))


def randomize(sampler, variables):
    for variable in variables:
        variable.assign(weight_values(sampler, variable))
