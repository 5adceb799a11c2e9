"""Random activations, as a layer of VGG-19 gives them, for the cases of several exercises."""

from __future__ import annotations

import itertools

import numpy as np

BIG = 500.0  # activations of VGG-19 reach thousands, and their squares are beyond float16


def shapes(rng: np.random.Generator, count: int, low: int = 2, high: int = 10) -> list[tuple]:
    """`count` triples of different numbers, n_H, n_W, n_C, where n_H * n_W is not n_C either."""
    drawn = (
        tuple(int(n) for n in rng.permutation(range(low, high))[:3]) for _ in itertools.count()
    )
    return list(itertools.islice((s for s in drawn if s[0] * s[1] != s[2]), count))


def draw(rng: np.random.Generator, shape: tuple, scale: float = 1.0) -> np.ndarray:
    """Random activations, positive as after a ReLU (where it has no kink), as float32."""
    return (scale * (abs(rng.normal(size=shape)) + rng.uniform(0.05, 0.5))).astype("float32")


def channels_first(a: np.ndarray) -> np.ndarray:
    """(1, n_H, n_W, n_C) -> (n_C, n_H*n_W)."""
    return a.reshape(-1, a.shape[3]).T
