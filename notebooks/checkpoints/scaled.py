"""What is done to activations before they are compared, though the formulas take them as they are."""

# ruff: noqa: E501
# (One line a sentence.)

from __future__ import annotations

import numpy as np


def _over(M: np.ndarray, by: np.ndarray) -> np.ndarray:
    """M / by, and 0 where that is 0."""
    return M / np.where(by == 0, 1.0, by)


def _length(M: np.ndarray, axis: int | None) -> np.ndarray:
    return (M * M).sum(axis=axis, keepdims=True) ** 0.5


def _standard(M: np.ndarray, axis: int | None) -> np.ndarray:
    return _over(M - M.mean(axis=axis, keepdims=True), M.std(axis=axis, keepdims=True))


def _stretched(M: np.ndarray, axis: int | None) -> np.ndarray:
    low, high = M.min(axis=axis, keepdims=True), M.max(axis=axis, keepdims=True)
    return _over(M - low, high - low)


def _softmax(M: np.ndarray, axis: int | None) -> np.ndarray:
    powers = np.exp(M - M.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


AXES = (  # of a matrix (n_C, n_H*n_W)
    (0, "at each position"),
    (1, "in each channel"),
    (None, "as a whole"),
)
WAYS = (
    (lambda M, axis: _over(M, _length(M, axis)), "scaled to length 1 (divided by a norm)"),
    (lambda M, axis: M - M.mean(axis=axis, keepdims=True), "freed of their mean (it is subtracted)"),
    (_standard, "brought to mean 0 and spread 1"),
    (lambda M, axis: _over(M, abs(M).max(axis=axis, keepdims=True)), "divided by their largest"),
    (_stretched, "stretched to [0, 1], by minimum and maximum"),
    (lambda M, axis: _over(M, M.mean(axis=axis, keepdims=True)), "divided by their mean"),
    (lambda M, axis: _over(M, M.sum(axis=axis, keepdims=True)), "divided by their sum"),
    (lambda M, axis: _over(M, M.std(axis=axis, keepdims=True)), "divided by their spread"),
    (_softmax, "put through a softmax"),
)  # fmt: skip
ENTRIES = (
    (lambda M: 1 / (1 + np.exp(-M)), "put through a sigmoid"),
    (np.tanh, "put through a tanh"),
    (np.log1p, "put through a logarithm"),
    (np.sqrt, "replaced by their roots"),
    (lambda M: M.clip(0, 1), "clipped to [0, 1]"),
    (lambda M: (M > 0) * 1.0, "replaced by 1 where they are above 0"),
    (lambda M: M * M, "squared"),
)
SCALES = tuple(  # matrix -> matrix; how to say so of {them}
    (lambda M, way=way, axis=axis: way(M, axis), f"{{them}} are {how} {where} first: take them as they are.")
    for way, how in WAYS
    for axis, where in AXES
) + tuple((way, f"{{them}} are {how} first: take them as they are.") for way, how in ENTRIES)  # fmt: skip
