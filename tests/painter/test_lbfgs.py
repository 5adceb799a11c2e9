"""L-BFGS between bounds: where it ends, beside SciPy's, and what it does with what misleads."""

from __future__ import annotations

import numpy as np
import pytest
import scipy
import tensorflow as tf

from painter.lbfgs import lbfgs

SHAPE = (1, 12, 16, 3)


def bowl(seed: int):
    """A long valley with its lowest point outside [0, 1] in places: J and gradient of a picture."""
    rng = np.random.default_rng(seed)
    target, stretch = rng.uniform(-0.4, 1.4, SHAPE), 10 ** rng.uniform(-1.5, 1.5, SHAPE)

    def J(x):
        away = np.asarray(x, np.float64).reshape(SHAPE) - target
        value = (stretch * away**2).sum() + 0.3 * (away.sum(-1) ** 2).sum() + (away**4).sum()
        slope = 2 * stretch * away + 0.6 * away.sum(-1, keepdims=True) + 4 * away**3
        return value, slope

    return J


def descend(J, looks: int, start: float = 0.5) -> tuple[list[float], list[np.ndarray]]:
    """So many looks at J: the values, and the pictures."""
    search, values, pictures = lbfgs(tf.fill(SHAPE, start)), [], []
    picture = next(search)
    for _ in range(looks):
        value, slope = J(picture)
        values.append(float(value))
        pictures.append(picture.numpy())
        try:
            picture = search.send((values[-1], tf.constant(slope, tf.float32), 0.0))
        except StopIteration:
            break
    return values, pictures


@pytest.mark.parametrize("seed", range(5))
def test_it_ends_where_scipys_does_as_soon(seed):
    J, looks = bowl(seed), 60
    n = int(np.prod(SHAPE))
    settings = {"jac": True, "method": "L-BFGS-B", "bounds": [(0, 1)] * n}
    flat = lambda x: (J(x)[0], J(x)[1].ravel())  # noqa: E731
    values, pictures = descend(J, looks)
    best = scipy.optimize.minimize(flat, np.full(n, 0.5), **settings)
    as_soon = scipy.optimize.minimize(
        flat, np.full(n, 0.5), **settings, options={"maxfun": len(values)}
    )
    assert min(values) - best.fun < 1e-3 * (values[0] - best.fun)
    assert min(values) - best.fun < 2 * (as_soon.fun - best.fun) + 1e-4 * values[0]
    assert all(image.min() >= 0 and image.max() <= 1 for image in pictures)
    assert np.array_equal(pictures[0], np.full(SHAPE, 0.5, np.float32))
    assert len({image.tobytes() for image in pictures}) == len(pictures), "none twice"


def test_the_first_step_moves_a_pixel_by_a_twentieth():
    _, pictures = descend(bowl(0), 2)
    assert np.sqrt(np.mean((pictures[1] - pictures[0]) ** 2)) == pytest.approx(0.05, rel=0.05)


@pytest.mark.parametrize("start", [0.0, 1.0])
def test_it_starts_at_a_bound_and_leaves_it(start):
    values, _ = descend(bowl(1), 60, start)
    assert min(values) < 1.001 * min(descend(bowl(1), 60)[0])


def test_where_no_step_lowers_J_it_ends():
    flat, rising = (lambda x: (1.0, np.zeros(SHAPE))), (lambda x: (1.0, np.ones(SHAPE)))
    assert len(descend(flat, 50)[0]) == 1
    assert 2 <= len(descend(rising, 50)[0]) < 30, "the gradient lies"


def test_a_memory_that_misleads_is_dropped():
    """After some steps J is another: what is remembered points anywhere, and it goes on."""
    one, other, looks = bowl(2), bowl(3), []

    def J(x):
        looks.append(x)
        value, slope = (one if len(looks) < 15 else other)(x)
        return value - (0 if len(looks) < 15 else 1e4), slope

    values, _ = descend(J, 120)
    assert min(values[15:]) + 1e4 < 1.01 * min(descend(other, 120)[0])


def test_a_step_that_raises_J_is_shortened_from_where_it_began():
    costs = iter([1.0, 5.0, 3.0, 0.5])
    _, pictures = descend(lambda x: (next(costs), np.ones(SHAPE)), 4)
    away = [float(np.abs(picture - pictures[0]).mean()) for picture in pictures]
    assert away[1] > away[2] > away[3] > 0
