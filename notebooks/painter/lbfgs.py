"""L-BFGS between the bounds of a pixel: how far to go, and where, from the last ten gradients.

Gatys 2015 used L-BFGS, too (Liu & Nocedal 1989). Differs from it in the bounds: a pixel that stands
at 0 or 1 and would leave [0, 1] is left out of the direction, and what a step moves beyond is
clipped (Bertsekas 1982, "Projected Newton methods"). SciPy's L-BFGS-B has bounds as well, and finds
pictures as good; it works in float64 on one processor, in a thread of its own, and took a fifth of
the time of a painting.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence

import numpy as np
import tensorflow as tf

MEMORY = 10  # steps remembered, as in SciPy
FIRST = 0.05  # how far the first step moves a pixel, as a root mean square
ENOUGH = 1e-4  # the share of the expected gain that a step must bring (Armijo)
TRIES = 20  # how often a step is shortened

Asked = Generator[tf.Tensor, tuple[float, tf.Tensor, float], tuple | None]


def lbfgs(G: tf.Tensor) -> Asked:
    """Yield a picture, be sent its (J, gradient, progress, which is not used), and so on.

    G is (1, n_H, n_W, 3) in [0, 1], and so are all pictures. Ends when no step lowers J.
    """
    pairs = deque(maxlen=MEMORY)  # (step, change of the gradient, their product), the newest last
    J, gradient, _ = yield tf.identity(G)
    here = np.asarray(G), J, np.asarray(gradient)
    while True:
        there = yield from _search(*here, _direction(here[0], here[2], pairs), first=not pairs)
        if there is None and not pairs:
            return
        if there is None:  # what was remembered misleads: begin anew, along the gradient
            pairs.clear()
            continue
        step, change = there[0] - here[0], there[2] - here[2]
        curves = _dot(step, change)
        if curves > 1e-7 * _dot(change, change):  # upwards: else it tells nothing of a lowest point
            pairs.append((step, change, curves))
        here = there


def _search(
    picture: np.ndarray, J: float, gradient: np.ndarray, direction: np.ndarray, first: bool
) -> Asked:
    """Go as far along `direction` as it takes to lower J: give picture, J and gradient there."""
    length = 1.0
    if first:
        length = FIRST / (_dot(direction, direction) / direction.size + 1e-30) ** 0.5
    for _ in range(TRIES):
        there = (picture + np.float32(length) * direction).clip(0, 1)
        gain = _dot(gradient, picture - there)  # if J were linear
        if gain <= 0:
            return None
        J_there, gradient_there, _ = yield tf.constant(there)
        if J_there <= J - ENOUGH * gain:
            return there, J_there, np.asarray(gradient_there)
        lowest = gain / (2 * (J_there - J + gain))  # of the parabola through what is known
        length *= min(0.5, max(0.1, lowest))
    return None


def _direction(picture: np.ndarray, gradient: np.ndarray, pairs: Sequence) -> np.ndarray:
    """The quasi-Newton direction (Nocedal & Wright 2006, algorithm 7.4), where pixels can move."""
    free = ~((picture <= 0) & (gradient > 0) | (picture >= 1) & (gradient < 0))
    q, shares = np.where(free, gradient, np.float32(0)), []
    for step, change, curves in reversed(pairs):
        shares.append(np.float32(_dot(step, q) / curves))
        q -= shares[-1] * change
    if pairs:
        _, change, curves = pairs[-1]
        q *= np.float32(curves / _dot(change, change))
    for (step, change, curves), share in zip(pairs, reversed(shares), strict=True):
        q += (share - np.float32(_dot(change, q) / curves)) * step
    return np.where(free, -q, np.float32(0))


def _dot(one: np.ndarray, other: np.ndarray) -> float:
    """The sum of products; not by BLAS, whose threads would keep a core from TensorFlow after."""
    return float(np.einsum("i,i", one.ravel(), other.ravel()))
