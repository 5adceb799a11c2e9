"""Exercise 3, compute_layer_style_cost: its cases, its mistakes, its judge."""

# ruff: noqa: E501
# (One line a sentence, so that the tables can be read.)

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np

from . import callees
from .activations import BIG, channels_first, draw, shapes
from .factors import Normaliser, divided_by, recognise
from .facts import well_formed
from .gram_matrix import centred, unit_rows
from .judge import Answers, find, judge_values
from .losses import losses
from .parts import TURNS, chunks, in_words, masked, parts
from .scaled import SCALES
from .source import may_hold
from .verdict import FACTOR, PART, Exercise, Finding, Mistake, Verdict


def cases(rng: np.random.Generator) -> list[dict]:
    """Six small layers, one with large numbers, and one in a graph with more than 2^31 / 4 squares."""
    drawn = shapes(rng, 6)
    drawn[4] = drawn[0]  # other numbers: what is remembered by its shape shows
    kinds = [(shape, int(i == 5), 0) for i, shape in enumerate(drawn)]
    kinds += [((260, int(rng.integers(185, 195)), 6), 0, 1)]
    found = []
    for shape, big, graph in kinds:
        case = {"big": big, "graph": graph, "dtype": "float32"}
        for key, odd in (("a_S", 0), ("a_G", 1)):
            case[key] = draw(rng, (1, *shape), BIG if big else 1.0)
            case[key][..., odd::2] *= (
                3  # so that the difference of the Gram matrices has both signs
            )
        found.append(case | {"gram_input": rng.normal(size=(4, 7)).astype("float32")})
    return found


def style_cost(a_S: np.ndarray, a_G: np.ndarray) -> tuple[float, np.ndarray]:
    """The cost (Gatys 2015, eq. 4) and its gradient with respect to a_G (eq. 6), in float64."""
    S, G = (channels_first(a.astype("float64")) for a in (a_S, a_G))
    D = G @ G.T - S @ S.T
    normaliser = 4 * G.size**2
    return (D * D).sum() / normaliser, (4 * D @ G / normaliser).T.reshape(a_G.shape)


def _squared(D: np.ndarray) -> float:
    return (D * D).sum()


def _right_sum(S: np.ndarray, G: np.ndarray) -> float:
    """The sum of the squared differences of both Gram matrices."""
    S, G = channels_first(S), channels_first(G)
    return _squared(S @ S.T - G @ G.T)


# fmt: off
SCRAMBLED = "the activations are reshaped without bringing the channels first, so channels and positions are scrambled."


DIMENSIONS = "n_H, n_W and n_C are read in another order than a.shape has them: (1, n_H, n_W, n_C)."


PERMUTED = "After the transpose the channels come first, but the reshape goes to (n_H*n_W, n_C): reshape to (n_C, n_H*n_W), or the numbers are scrambled."
MATRICES = (  # (1, n_H, n_W, n_C) -> the matrix whose Gram matrix is taken
    Mistake("", 0, 1, lambda a: channels_first(a), ""),
    Mistake("style-reshape-only", 2, FACTOR, lambda a: a.reshape(a.shape[3], -1), "Only reshape is used: " + SCRAMBLED),
    Mistake("style-wrong-perm", 2, FACTOR, lambda a: a.transpose(0, 2, 1, 3).reshape(a.shape[3], -1), "The perm of the transpose swaps height and width: " + SCRAMBLED),
    Mistake("style-wrong-perm", 2, FACTOR, lambda a: a.transpose(0, 1, 3, 2).reshape(a.shape[3], -1), "The perm of the transpose leaves the height first: " + SCRAMBLED),
    Mistake("style-wrong-perm", 2, FACTOR, lambda a: a.transpose(0, 2, 3, 1).reshape(a.shape[3], -1), "The perm of the transpose leaves the width first: " + SCRAMBLED),
    Mistake("style-dims-misread", 1, PART, lambda a: channels_first(a).reshape(a.shape[1], -1), DIMENSIONS),
    Mistake("style-dims-misread", 1, PART, lambda a: channels_first(a).reshape(a.shape[2], -1), DIMENSIONS),
    Mistake("style-dims-misread", 1, PART, lambda a: a.reshape(a.shape[1], -1), DIMENSIONS),
    Mistake("style-dims-misread", 1, PART, lambda a: a.reshape(a.shape[2], -1), DIMENSIONS),
    Mistake("style-dims-misread", 1, PART, lambda a: a.reshape(-1, a.shape[1]).T, DIMENSIONS),
    Mistake("style-dims-misread", 1, PART, lambda a: a.reshape(-1, a.shape[2]).T, DIMENSIONS),
    Mistake("style-permuted-then-positions", 2, FACTOR, lambda a: channels_first(a).reshape(-1, a.shape[3]), PERMUTED),
    Mistake("style-permuted-then-positions", 2, FACTOR, lambda a: channels_first(a).reshape(-1, a.shape[3]).T, PERMUTED),
    Mistake("style-permuted-then-positions", 2, FACTOR, lambda a: a.T.reshape(-1, a.shape[3]), PERMUTED),
    Mistake("style-permuted-then-positions", 2, FACTOR, lambda a: a.T.reshape(-1, a.shape[3]).T, PERMUTED),
    Mistake("style-wrong-perm", 2, FACTOR, lambda a: a.transpose(0, 1, 3, 2).reshape(-1, a.shape[3]), "The perm of the transpose leaves the height first: " + SCRAMBLED),
    Mistake("style-wrong-perm", 2, FACTOR, lambda a: a.transpose(0, 2, 3, 1).reshape(-1, a.shape[3]), "The perm of the transpose leaves the width first: " + SCRAMBLED),
    Mistake("style-one-row", 2, PART, lambda a: a.reshape(1, -1), "All activations are put into one row, or only the traces of the Gram matrices are compared (both give this number): a row for each channel, (n_C, n_H*n_W), and every entry of the Gram matrices."),
    Mistake("style-positions-after-reshape", 2, PART, lambda a: a.reshape(a.shape[3], -1).T, "The Gram matrix is taken over positions, and " + SCRAMBLED),
    Mistake("style-positions", 2, FACTOR, lambda a: channels_first(a).T, "The Gram matrix is taken over positions, (n_H*n_W, n_H*n_W): it must be (n_C, n_C), channels by channels."),
)


GRAMS = (
    Mistake("", 0, 1, lambda M: M @ M.T, ""),
    Mistake("style-elementwise", 3, PART, lambda M: M * M, "In place of the Gram matrix the activations are multiplied element by element."),
    Mistake("style-no-gram", 3, PART, lambda M: M, "The activations themselves are compared: take the Gram matrix of both."),
    Mistake("style-triangle", 3, FACTOR, lambda M: np.triu(M @ M.T), "Only one triangle of the Gram matrix counts: sum over all its entries."),
    Mistake("style-triangle", 3, FACTOR, lambda M: np.triu(M @ M.T, 1), "Only the entries above the diagonal count: sum over the whole Gram matrix."),
    Mistake("style-diagonal", 3, PART, lambda M: (M * M).sum(axis=1), "Only the diagonal of the Gram matrix counts: sum over all its entries."),
    Mistake("style-centred", 3, PART, lambda M: centred(M) @ centred(M).T, "The mean of each channel is subtracted first: take the activations as they are."),
    Mistake("style-unit-rows", 3, PART, lambda M: unit_rows(M) @ unit_rows(M).T, "The channels are scaled to length 1 first: take the activations as they are."),
    Mistake("style-means", 3, 0, lambda M: M.mean(axis=1), "The means of the channels are compared: take the Gram matrix of both.", True),
    Mistake("style-gram-twice", 3, PART, lambda M: M @ M.T @ (M @ M.T).T, "gram_matrix is applied twice: once is enough."),
)


DIFFERENCES = (
    Mistake("", 0, 1, lambda S, G: _squared(S - G), ""),
    Mistake("style-no-square", 4, PART, lambda S, G: (S - G).sum(), "The difference of the Gram matrices is summed without being squared."),
    Mistake("style-times-two", 4, PART, lambda S, G: 2 * (S - G).sum(), "The difference of the Gram matrices is doubled, not squared: * 2 doubles, ** 2 squares."),
    Mistake("style-absolute", 4, PART, lambda S, G: abs(S - G).sum(), "The absolute difference is summed: square it instead."),
    Mistake("style-sum-then-square", 4, PART, lambda S, G: (S - G).sum() ** 2, "The sum of the differences is squared: square each difference first, then sum."),
    Mistake("style-root", 4, PART, lambda S, G: _squared(S - G) ** 0.5, "A square root is taken (a norm): the cost is the sum of squares itself."),
    Mistake("style-squares-subtracted", 4, PART, lambda S, G: (S * S - G * G).sum(), "The Gram matrices are squared before they are subtracted: subtract first."),
    Mistake("style-largest", 4, 0, lambda S, G: ((S - G) ** 2).max(), "Only the largest squared difference is taken: sum over all."),
    Mistake("style-one-sign", 4, PART, lambda S, G: _squared((S - G).clip(0)), "Only the entries where a_S has more count (relu, maximum): square all differences."),
    Mistake("style-one-sign", 4, PART, lambda S, G: _squared((G - S).clip(0)), "Only the entries where a_G has more count (relu, maximum): square all differences."),
    Mistake("style-plus", 4, PART, lambda S, G: _squared(S + G), "The Gram matrices are added: subtract them."),
    Mistake("style-product", 4, 0, lambda S, G: (S * G).sum(), "The Gram matrices are multiplied with each other: subtract them and square."),
    Mistake("style-product", 4, 0, lambda S, G: _squared(S * G), "The Gram matrices are multiplied with each other: subtract them."),
    Mistake("style-product", 4, 0, lambda S, G: _squared(S @ G) if S.ndim == 2 and len(S) == S.shape[1] else 0.0, "The Gram matrices are multiplied with each other: subtract them."),
    Mistake("style-one-side", 3, PART, lambda S, G: _squared(S), "Only the Gram matrix of a_S is used: subtract the one of a_G."),
    Mistake("style-one-side", 3, PART, lambda S, G: _squared(G), "Only the Gram matrix of a_G is used: subtract it from the one of a_S."),
    Mistake("style-matrix-square", 4, PART, lambda S, G: ((S - G) @ (S - G)).sum() if S.ndim == 2 and len(S) == S.shape[1] else 0.0, "The difference is multiplied by itself as a matrix (@), or summed along an axis before it is squared (both give this number): square every entry first (* or tf.square), then sum."),
)

WHOLES = (  # both activations -> the sum, before it is divided
    Mistake("style-gram-of-difference", 3, PART, lambda S, G: _squared(channels_first(S - G) @ channels_first(S - G).T), "The Gram matrix of the difference of the activations is taken: first both Gram matrices, then the difference."),
    Mistake("style-content-cost", 3, PART, lambda S, G: _squared(S - G) * S.size, "The activations themselves are compared, which is the content cost: take the Gram matrix of both first."),
    Mistake("style-root", 4, PART, lambda S, G: 2 * S.size * _squared(channels_first(S) @ channels_first(S).T - channels_first(G) @ channels_first(G).T) ** 0.5, "A square root is taken of the whole (a norm): the cost is the sum of squares, divided."),
    Mistake("style-not-unrolled", 2, PART, lambda S, G: _squared(S[0] @ S[0].transpose(0, 2, 1) - G[0] @ G[0].transpose(0, 2, 1)), "The activations still have four dimensions when gram_matrix gets them, so it works row by row: unroll them to (n_C, n_H*n_W)."),
    Mistake("style-not-unrolled", 2, PART, lambda S, G: _squared(np.einsum("bhwc,bhwd->bhcd", S, S) - np.einsum("bhwc,bhwd->bhcd", G, G)), "There is a Gram matrix for each row of the picture: unroll all positions to one axis first, (n_C, n_H*n_W)."),
    Mistake("style-cross", 3, PART, lambda S, G: _squared(channels_first(S) @ channels_first(G).T), "a_S is multiplied with a_G, which gives one matrix: take the Gram matrix of each, then the difference."),
    Mistake("style-cross", 3, PART, lambda S, G: _squared(channels_first(S) @ channels_first(S - G).T),
            "One of the two matrices is a_S times a_G: take the Gram matrix of each, then the difference."),
    Mistake("style-cross", 3, PART, lambda S, G: _squared(channels_first(G) @ channels_first(S - G).T),
            "One of the two matrices is a_G times a_S: take the Gram matrix of each, then the difference."),
    Mistake("style-sizes-added", 5, FACTOR, lambda S, G: _right_sum(S, G) * (S.shape[1] * S.shape[2] / (S.shape[1] + S.shape[2])) ** 2, "In your normaliser n_H and n_W are added: multiply them."),
    Mistake("style-sizes-added", 5, FACTOR, lambda S, G: _right_sum(S, G) * (S.size / sum(S.shape[1:])) ** 2, "In your normaliser the sizes are added: multiply them."),
    Mistake("style-outer", 3, 0, lambda S, G: (S * S).sum() ** 2 + (G * G).sum() ** 2 - 2 * (S * G).sum() ** 2, "Every entry is multiplied with every other (axes=0): the Gram matrix is a matrix product."),
)
AXES = {1: "row of positions", 2: "column of positions", 3: "channel"}


def _grams(S: np.ndarray, G: np.ndarray) -> tuple:
    S, G = channels_first(S), channels_first(G)
    return S @ S.T, G @ G.T


def _of_parts(S: np.ndarray, G: np.ndarray, take: Callable, by_own_size: bool) -> float:
    """Both Gram matrices from a part of the activations, divided by its size or by that of all."""
    if not take(S).size:
        return 0.0
    return _right_sum(take(S), take(G)) * ((S.size / max(take(S).size, 1)) ** 2 if by_own_size else 1)


def _of_scaled(S: np.ndarray, G: np.ndarray, scale: Callable) -> float:
    S, G = (scale(channels_first(a)) for a in (S, G))
    return _squared(S @ S.T - G @ G.T)


def _moments(S: np.ndarray, G: np.ndarray, mean: int, power: float) -> float:
    """Means (if `mean`) and powers of the variances of the channels, compared."""
    S, G = channels_first(S), channels_first(G)
    spread = _squared(S.var(axis=1) ** power - G.var(axis=1) ** power)
    return mean * _squared(S.mean(axis=1) - G.mean(axis=1)) + spread


def _abs_rows(S: np.ndarray, G: np.ndarray) -> float:
    S, G = _grams(S, G)
    return (abs(S - G).sum(axis=1) ** 2).sum()


MORE = (  # both activations -> the sum, tried after those above, with any factor
    *losses("style", 4, _grams),
    *(Mistake("style-part", 2, PART, lambda S, G, t=take: _of_scaled(S, G, t), says) for says, take in (*parts({1: "position"}), *chunks())),
    Mistake("style-sum-then-square", 4, PART, _abs_rows, "The absolute differences are summed along a row before they are squared: square every entry first, then sum."),
    *(Mistake("style-part", 2, PART, lambda S, G, t=take, own=own: _of_parts(S, G, t, own), says) for says, take in parts(AXES) for own in (False, True)),
    *(
        Mistake("style-part", 4, PART, lambda S, G, w=which, both=both: _squared(masked(np.subtract(*_grams(S, G)), w, True, both)), in_words(says, one))
        for which, says in TURNS
        for both, one in ((False, "row of the Gram matrix"), (True, "row and column of the Gram matrix"))
    ),
    *(Mistake("style-moments", 3, 0, lambda S, G, m=mean, p=power: _moments(S, G, m, p), "Means, variances or standard deviations of the channels are compared: compare the Gram matrices of both.", True) for mean in (0, 1) for power in (0.5, 1)),
    *(Mistake("style-scaled", 3, PART, lambda S, G, f=scale: _of_scaled(S, G, f), says.format(them="The activations"), True) for scale, says in SCALES),
    *(Mistake("style-gram-scaled", 3, PART, lambda S, G, f=scale: _squared(f(_grams(S, G)[0]) - f(_grams(S, G)[1])), says.format(them="The entries of the Gram matrices").replace("channel", "row").replace("position", "column"), True) for scale, says in SCALES),
)
ADDED = (  # normalisers in which a + stands for a *
    lambda H, W, C: 4 * C**2 + (H * W) ** 2,
    lambda H, W, C: 4 * (C**2 + (H * W) ** 2),
    lambda H, W, C: 4 * (C + H * W) ** 2,
    lambda H, W, C: (2 * C + H * W) ** 2,
    lambda H, W, C: C**2 + (H * W) ** 2,
    lambda H, W, C: 4 * C**2 * (H**2 + W**2),
    lambda H, W, C: 4 * C**2 + H**2 + W**2,
    lambda H, W, C: 4 * C**2 * H**2 + W**2,
    lambda H, W, C: 4 * C**2 + (H + W) ** 2,
    lambda H, W, C: 4 * C**2 * H + W,
    lambda H, W, C: 4 * C**2 + H * W,
    lambda H, W, C: 4 * C + H * W,
    lambda H, W, C: 4 * C**2 * H * W + W**2,
    lambda H, W, C: (4 * C * H + W) ** 2,
)
XOR = (  # ^ in Python is no power: what it makes of the normaliser
    lambda H, W, C: 4 * C ^ 2 * (H * W) ^ 2,
    lambda H, W, C: 4 * (C ^ 2) * ((H * W) ^ 2),
    lambda H, W, C: 4 * (C * H * W) ^ 2,
    lambda H, W, C: (2 * C * H * W) ^ 2,
    lambda H, W, C: 4 * (C ^ 2) * (H * W) ^ 2,
    lambda H, W, C: 4 * (C ^ 2) * (H * W) ** 2,
    lambda H, W, C: 4 * C**2 * ((H * W) ^ 2),
    lambda H, W, C: 4 * C**2 * (H * W) ^ 2,
    lambda H, W, C: 4 * C ^ 2 * (H * W) ** 2,
    lambda H, W, C: 4 * C ^ 2 * H ^ 2 * W ^ 2,
    lambda H, W, C: 4 * (C ^ 2) * (H ^ 2) * (W ^ 2),
)
NORMALISER = Normaliser(
    "J_style",
    ("n_H", "n_W", "n_C"),
    k=0.25,
    exponents=(-2, -2, -2),
    hint=5,
    known=(
        (1.0, (-2, -2, -2), "style-no-quarter", "Your J_style is exactly 4 times too large: is the 1/4 there?"),
        (0.5, (-2, -2, -2), "style-half", "Your J_style is exactly 2 times too large: the factor is 1/4, not 1/2."),
        (0.05, (-2, -2, -2), "style-weighted", "Your J_style is exactly 5 times too small: the weight of the layer, 0.2, comes later, in compute_style_cost."),
        (1 / 16, (-2, -2, -2), "style-quarter-squared", "Your J_style is exactly 4 times too small: the 4 is squared too (the 2 of (2 n_C n_H n_W)² would be right)."),
        (0.25, (-1, -1, -1), "style-not-squared", "Your J_style is divided by 4 n_C n_H n_W: both n_C and n_H n_W must be squared."),
        (1.0, (-1, -1, -1), "style-not-squared", "Your J_style is divided by n_C n_H n_W: the 4 is missing, and both n_C and n_H n_W must be squared."),
        (1 / 16, (-1, -1, -1), "style-times-two", "In your normaliser n_C*2 and (n_H*n_W)*2 stand for squares: * 2 doubles, ** 2 squares."),
        (1 / 8, (-2, -2, -1), "style-times-two", "In your normaliser n_C*2 stands for a square: * 2 doubles, ** 2 squares."),
        (1 / 8, (-1, -1, -2), "style-times-two", "In your normaliser (n_H*n_W)*2 stands for a square: * 2 doubles, ** 2 squares."),
        (0.25, (-1, -1, -2), "style-positions-not-squared", "In your normaliser n_C is squared, but n_H n_W is not."),
        (0.25, (-2, -2, -1), "style-channels-not-squared", "In your normaliser n_H n_W is squared, but n_C is not."),
        (0.25, (-2, -1, -2), "style-positions-not-squared", "In your normaliser n_H is squared, but n_W is not: put brackets, (n_H n_W)²."),
        (0.25, (-1, -2, -2), "style-positions-not-squared", "In your normaliser n_W is squared, but n_H is not: put brackets, (n_H n_W)²."),
        (0.25, (-4, 0, -2), "style-n_H-twice", "In your normaliser n_H stands where n_W should."),
        (0.25, (0, -4, -2), "style-n_W-twice", "In your normaliser n_W stands where n_H should."),
        (0.25, (-2, -2, -4), "style-mean-and-normaliser", "You divide by n_C² twice: is it squared once more, or is there a mean over the Gram matrix besides, which divides already?"),
        (1.0, (-2, -2, -4), "style-mean-and-normaliser", "You divide by n_C² twice (a mean over the Gram matrix divides already), and the 1/4 is missing."),
        (1.0, (0, 0, -2), "style-mean-only", "Your J_style is the mean squared difference of the Gram matrices: 4 (n_H n_W)² is missing below."),
        (0.25, (0, 0, -2), "style-no-positions", "Your J_style is not divided by (n_H n_W)²."),
        (0.25, (-2, -2, 0), "style-no-channels", "Your J_style is not divided by n_C²."),
        (0.25, (0, 0, 0), "style-not-normalised", "Your J_style has the 1/4, but it is not divided by n_C² (n_H n_W)²."),
        (0.5, (0, 0, 0), "style-not-normalised", "Your J_style is half the sum of squares: divide by 4 n_C² (n_H n_W)²."),
        (1.0, (0, 0, 0), "style-not-normalised", "Your J_style is the plain sum of squares: divide by 4 n_C² (n_H n_W)²."),
        (0.25, (-4, -4, -2), "style-gram-divided", "You divide by (n_H n_W)² twice: are the Gram matrices divided by n_H n_W before?"),
        (0.25, (-4, -4, -4), "style-gram-divided", "You divide by (n_C n_H n_W)² twice: are the Gram matrices divided before?"),
    ),
)
# fmt: on


def _bases(pairs: list[tuple]) -> Iterator[tuple[tuple[Mistake, ...], list]]:
    """Every listed matrix, Gram and difference, and their combinations of two."""
    for matrix, gram, difference in itertools.product(MATRICES, GRAMS, DIFFERENCES):
        parts = tuple(m for m in (matrix, gram, difference) if m.id)
        if len(parts) < 3:
            sides = [[gram.formula(matrix.formula(a)) for a in pair] for pair in pairs]
            yield parts, [difference.formula(*side) for side in sides]
    for whole in (*WHOLES, *MORE):
        yield (whole,), [whole.formula(*pair) for pair in pairs]
    yield from _one_scrambled(pairs)
    yield from _sizes_with_batch(pairs)


def _one_scrambled(pairs: list[tuple]) -> Iterator[tuple[tuple[Mistake, ...], list]]:
    """Only one of the two activations is brought into the right order."""
    for known in MATRICES[1:5]:
        for one, other in ((known.formula, channels_first), (channels_first, known.formula)):
            says = f"Only one of a_S and a_G is brought into the right order. For the other: {known.says}"
            half = Mistake("style-one-scrambled", 2, FACTOR, None, says)
            grams = [(one(S) @ one(S).T, other(G) @ other(G).T) for S, G in pairs]
            yield (half,), [_squared(S - G) for S, G in grams]


def _sizes_with_batch(pairs: list[tuple]) -> Iterator[tuple[tuple[Mistake, ...], list]]:
    """The 1 in front is read as a size: the matrix is wrong, and a size is missing below."""
    for known in [m for m in MATRICES if m.id == "style-dims-misread"]:
        costs = [
            _squared(known.formula(S) @ known.formula(S).T - known.formula(G) @ known.formula(G).T)
            for S, G in pairs
        ]
        for lost in (1, 2, 3):
            sizes = [S.shape[lost] ** 2 for S, _ in pairs]
            yield (known,), [cost * size for cost, size in zip(costs, sizes, strict=True)]


def judge(cases: list[dict], observations) -> Verdict:
    """J = sum((G_S - G_G)^2) / (4 n_C² (n_H n_W)²) (Gatys 2015, eq. 4)."""
    expected, gradients = _expected(cases, style_cost)
    explain = _explain(cases, _bases, lambda M: M @ M.T)
    verdict = judge_values(LAYER_STYLE_COST, cases, observations, expected, gradients, explain)
    facts = well_formed(cases, observations) if verdict.mistake else None
    if facts is None:
        return verdict
    eager = [i for i, case in enumerate(cases) if not case["graph"]]
    cases, facts = [cases[i] for i in eager], [facts[i] for i in eager]
    problems = _gram_problems(cases, facts)
    if not problems:
        return verdict
    found = callees.with_problems(LAYER_STYLE_COST, problems, lambda: _itself(cases, facts))
    return LAYER_STYLE_COST.verdict(found, verdict.expected, verdict.got)


def _expected(cases: list[dict], cost: Callable) -> tuple[list, list[dict]]:
    """Value and gradients of every case; `cost` gives the value and the gradient to its second."""
    pairs = [(case["a_S"].astype("float64"), case["a_G"].astype("float64")) for case in cases]
    gradients = [{"a_G": cost(S, G)[1], "a_S": cost(G, S)[1]} for S, G in pairs]
    return [cost(*pair)[0] for pair in pairs], gradients


def _explain(cases: list[dict], bases: Callable, gram: Callable) -> Callable:
    """Names a wrong value with the help of these bases, where `gram` is the Gram matrix."""

    def explain(rows: list, gots: list, facts: list) -> Finding | None:
        few = [(cases[i]["a_S"].astype("float64"), cases[i]["a_G"].astype("float64")) for i in rows]
        dims = [S.shape[1:] for S, _ in few]
        sums = [_squared(gram(channels_first(S)) - gram(channels_first(G))) for S, G in few]
        return _operator_finding(facts, dims, sums, gots) or recognise(
            LAYER_STYLE_COST, NORMALISER, gots, dims, bases(few)
        )

    return explain


def _operator_finding(facts: list, dims: list, sums: list, gots: list) -> Finding | None:
    """Is the normaliser the right one but for ^, which Python reads as XOR, or + in place of *?

    Numbers alone can agree by chance: 4 n_C² n_H n_W ^ 2 is hardly another than without ^ 2.
    """
    if may_hold(facts, "^") and divided_by(XOR, dims, sums, gots):
        says = "In Python ^ is no power, but XOR, and binds less than *: write n_C**2 and (n_H*n_W)**2."
        return LAYER_STYLE_COST.finding("power", 5, FACTOR, says)
    if may_hold(facts, "+") and divided_by(ADDED, dims, sums, gots):
        says = "In your normaliser a + stands where * should: 4 n_C² (n_H n_W)² is a product."
        return LAYER_STYLE_COST.finding("sizes-added", 5, FACTOR, says)
    return None


# --- The student's gram_matrix -------------------------------------------------------------------


def _gram_problems(cases: list[dict], facts: list[dict]) -> dict[str, str]:
    """What is wrong with the student's gram_matrix, if the function calls it."""
    found = callees.stopped_in(facts)
    if found or "gram_matrix" not in callees.called(facts):
        return found
    for case, fact in zip(cases, facts, strict=True):
        A = case["gram_input"].astype("float64")
        gradient = 2 * np.tile(A.sum(axis=0), (len(A), 1))
        if why := callees.problem(fact, "gram_matrix", A @ A.T, ("A", gradient)):
            return {"gram_matrix": why}
    return {}


def _itself(cases: list[dict], facts: list[dict]) -> Finding | None:
    """What is wrong with the function itself: it was called with a stand-in for gram_matrix."""
    expected, gradients = _expected(cases, _cost_with_stand_in)
    answers = Answers(LAYER_STYLE_COST, cases, callees.alone(facts), expected, gradients)
    return find(answers, _explain(cases, _bases_with_stand_in, _gram_stand_in))


def _gram_stand_in(M: np.ndarray) -> np.ndarray:
    """What the observer puts in the place of gram_matrix."""
    return M @ np.roll(M, 1, axis=1).T


def _cost_with_stand_in(a_S: np.ndarray, a_G: np.ndarray) -> tuple[float, np.ndarray]:
    """Cost and gradient when the stand-in is called."""
    S, G = (channels_first(a) for a in (a_S, a_G))
    E = (_gram_stand_in(G) - _gram_stand_in(S)) / (2 * G.size**2)
    gradient = E @ np.roll(G, 1, axis=1) + E.T @ np.roll(G, -1, axis=1)
    return (E * E).sum() * G.size**2, gradient.T.reshape(a_G.shape)


def _bases_with_stand_in(pairs: list[tuple]) -> Iterator[tuple[tuple[Mistake, ...], list]]:
    """Every listed matrix and difference around the stand-in."""
    for matrix, difference in itertools.product(MATRICES, DIFFERENCES):
        sides = [[_gram_stand_in(matrix.formula(a)) for a in pair] for pair in pairs]
        parts = tuple(m for m in (matrix, difference) if m.id)
        yield parts, [difference.formula(*side) for side in sides]


LAYER_STYLE_COST = Exercise(
    "compute_layer_style_cost",
    number=3,
    points=25,
    short="style",
    cases=cases,
    judge_facts=judge,
    topics={"gradient": 4, "dims": 1, "zero": 3, "as in NumPy": 2},
    zero="are both Gram matrices computed from the same activations, or is // (whole numbers) used for /?",
    more=(
        "a.shape has four entries: 1, n_H, n_W, n_C. As plain Python numbers they cannot overflow.",
        "reshape never moves a number, it only cuts the same row of numbers elsewhere. Try both orders on an array 0, 1, 2 ... of shape (1, 2, 2, 3): a row of the matrix must hold one channel, 0, 3, 6, 9.",
        "Print the shapes: both Gram matrices are (n_C, n_C), one from a_S and one from a_G.",
        "Subtract the two matrices, square every entry, then sum to one number.",
        "Print your denominator alone for a layer of shape (1, 2, 3, 5): it must be 3600.",
    ),
)
