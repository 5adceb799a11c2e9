"""Only a part of the activations, or of a matrix: which part, in words.

A loop that begins at 1 or ends one too early leaves an entry of its axis out; one that sets its sum
anew keeps the last; an index too many takes the first.
"""

# ruff: noqa: E501
# (One line a sentence.)

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator

import numpy as np

CHUNKS = (2, 3, 4, 5, 6, 7, 8, 10, 16, 32, 64)  # columns at a time
TURNS = (  # which of n entries count, and how to say so of {one}
    (lambda n: np.arange(n)[:1], "Only the first {one} counts: is there an index [0] too many, or a return inside a loop?"),
    (lambda n: np.arange(n)[-1:], "Only the last {one} counts: is there an index [-1] too many, or = in a loop where += is meant?"),
    (lambda n: np.arange(n)[1:], "The first {one} is left out: does a loop, or a slice, begin at 1?"),
    (lambda n: np.arange(n)[:-1], "The last {one} is left out: does a loop, or a slice, end one too early?"),
    (lambda n: np.arange(n)[1:-1], "The first and the last {one} are left out: take all."),
    (lambda n: np.arange(n)[::2], "Only every second {one} counts (::2): take all."),
    (lambda n: np.arange(n)[1::2], "Only every second {one} counts, from the second on: take all."),
    (lambda n: np.arange(n)[: n // 2], "Only the first half of the {many} counts: take all."),
    (lambda n: np.arange(n)[n // 2 :], "Only the second half of the {many} counts: take all."),
    (lambda n: np.arange(n)[1:2], "Only the second {one} counts: take all."),
)  # fmt: skip


def in_words(says: str, one: str) -> str:
    """The sentence of a turn, about a row, a column, a channel ..."""
    many = re.sub(r"\b(row|column|channel|position)\b", r"\1s", one)
    return says.format(one=one, many=many)


def parts(names: dict[int, str]) -> Iterator[tuple[str, Callable]]:
    """Sentence, and array -> its part, along each axis of `names` and along two at once."""
    for (axis, one), (which, says) in itertools.product(names.items(), TURNS):
        yield in_words(says, one), lambda a, x=axis, w=which: a.take(w(a.shape[x]), axis=x)
    for (x, one), (y, other) in itertools.combinations(names.items(), 2):
        for which, says in TURNS:
            yield (
                in_words(says, f"{one} and {other}"),
                lambda a, x=x, y=y, w=which: a.take(w(a.shape[x]), x).take(w(a.shape[y]), y),
            )


def chunks() -> Iterator[tuple[str, Callable]]:
    """Sentence, and matrix -> the columns that a loop over chunks reaches."""
    for k in CHUNKS:
        says = f"The columns are taken {k} at a time, and those that fill no chunk at the end are left out: take all positions."
        yield says, lambda A, k=k: A[:, : A.shape[1] // k * k]
        yield says, lambda A, k=k: A[:, : len(range(0, A.shape[1] - k, k)) * k]
        yield f"Only the first {k} columns count: take all positions.", lambda A, k=k: A[:, :k]


def masked(G: np.ndarray, which: Callable, rows: bool, columns: bool) -> np.ndarray:
    """G with 0 where a loop over its rows, or columns, has not been."""
    at = np.isin(np.arange(len(G)), which(len(G))).astype(float)
    return G * (at[:, None] if rows else 1.0) * (at if columns else 1.0)
