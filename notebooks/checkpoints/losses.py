"""Other losses than the sum of squared differences, of activations or of Gram matrices."""

# ruff: noqa: E501
# (One line a sentence.)

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .verdict import PART, Mistake


def _huber(d: np.ndarray) -> float:
    d = abs(d)
    return np.where(d <= 1, d * d / 2, d - 0.5).sum()


def _log_cosh(d: np.ndarray) -> float:
    return np.logaddexp(d, -d).sum() - d.size * np.log(2)


def _squared(d: np.ndarray) -> float:
    return (d * d).sum()


# fmt: off
SUMMED = "The differences are summed over {axes} before they are squared: square each difference first, then sum."
BINOMIALS = (  # of (c - g)**2 = c**2 - 2 c g + g**2
    (lambda c, g: c * c - 2 * c * g, "the square of the second is missing"),
    (lambda c, g: g * g - 2 * c * g, "the square of the first is missing"),
    (lambda c, g: c * c + g * g, "-2 times their product is missing"),
    (lambda c, g: c * c + g * g - c * g, "the product must count twice"),
    (lambda c, g: c * c - 2 * c * g - g * g, "the square of the second has the wrong sign"),
    (lambda c, g: c * c + 2 * c * g - g * g, "signs are turned round"),
    (lambda c, g: c * c - c * g, "only the first is multiplied by the difference: the difference must be, by itself"),
    (lambda c, g: c * g - g * g, "only the second is multiplied by the difference: the difference must be, by itself"),
    (lambda c, g: c * c - 2 * c + g * g, "the product has lost a factor"),
)
OTHERS = (  # id, sentence, formula, does any factor belong to it?
    ("huber", "Large differences do not count as squares (a Huber loss): square all differences.", lambda c, g: _huber(c - g), True),
    ("huber", "Large differences do not count as squares (log cosh): square all differences.", lambda c, g: _log_cosh(c - g), True),
    ("huber", "Squares above 1 are cut off: take them as they are.", lambda c, g: ((c - g) ** 2).clip(0, 1).sum(), True),
    ("relative", "Each difference is divided by the first of the two (a relative error): leave that out.", lambda c, g: _squared((c - g) / c), True),
    ("relative", "Each difference is divided by the second of the two (a relative error): leave that out.", lambda c, g: _squared((c - g) / g), True),
    ("relative", "The differences are divided by what they are compared with (percent): leave that out, and square.", lambda c, g: abs((c - g) / c).sum(), True),
    ("divergence", "That is a divergence (KL), with logarithms: sum the squared differences.", lambda c, g: (c * np.log(c / g)).sum(), True),
    ("sum-then-square", "The absolute differences are summed before they are squared: square each difference first, then sum.", lambda c, g: abs(c - g).sum() ** 2, False),
    ("relative", "It is divided by the sum of the squares of the first of the two (a relative error): leave that out.", lambda c, g: _squared(c - g) / _squared(c), True),
    ("relative", "It is divided by the sum of the squares of the second of the two (a relative error): leave that out.", lambda c, g: _squared(c - g) / _squared(g), True),
    ("relative", "It is divided by the sum of the squares of both (a relative error): leave that out.", lambda c, g: _squared(c - g) / (_squared(c) + _squared(g)), True),
    ("relative", "It is divided by the length (norm) of one of the two: leave that out.", lambda c, g: _squared(c - g) / _squared(c) ** 0.5, True),
    ("relative", "It is divided by the lengths (norms) of both: leave that out.", lambda c, g: _squared(c - g) / (_squared(c) * _squared(g)) ** 0.5, True),
    ("relative", "It is divided by the sum of one of the two: leave that out.", lambda c, g: _squared(c - g) / abs(c).sum(), True),
    ("relative", "It is divided by the sum of both: leave that out.", lambda c, g: _squared(c - g) / abs(c + g).sum(), True),
    ("relative", "It is divided by the largest entry: leave that out.", lambda c, g: _squared(c - g) / abs(c).max(), True),
    ("variance", "The mean of the differences is subtracted before the square (a variance): square the differences as they are.", lambda c, g: (c - g).var() * c.size, False),
)
# fmt: on


def losses(short: str, hint: int, of: Callable) -> tuple[Mistake, ...]:
    """The other losses as `Mistake`s; `of` makes of both arguments what is compared."""
    known = [(mistake, says, formula, free) for mistake, says, formula, free in OTHERS]
    for formula, says in BINOMIALS:
        whole = (
            f"The square of the difference is written out, and {says}: (x - y)² is x² - 2xy + y²."
        )
        known.append(("binomial", whole, lambda c, g, f=formula: f(c, g).sum(), False))
    return tuple(
        Mistake(
            f"{short}-{mistake}", hint, PART, lambda *pair, f=formula: f(*of(*pair)), says, free
        )
        for mistake, says, formula, free in known
    )


def summed_first(short: str, hint: int, of: Callable, axes: dict) -> tuple[Mistake, ...]:
    """Sums (of the differences, or of their sizes) along some axes before the square."""
    return tuple(
        Mistake(
            f"{short}-sum-then-square",
            hint,
            PART,
            lambda *pair, a=axis, s=size: _squared(s(np.subtract(*of(*pair))).sum(axis=a)),
            SUMMED.format(axes=words),
        )
        for axis, words in axes.items()
        for size in (lambda d: d, abs)
    )
