"""Exercise 3, compute_layer_style_cost: its cases, its mistakes, its judge."""

# ruff: noqa: E501
# (One line a sentence, so that the tables can be read.)

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from .activations import channels_first, draw, shapes
from .factors import Normaliser, recognise
from .facts import number, same, text, well_formed
from .gram_matrix import centred, unit_rows
from .judge import judge_values
from .verdict import FACTOR, NO_GRADIENT, PART, Exercise, Finding, Mistake, Verdict


def cases(rng: np.random.Generator) -> list[dict]:
    """Five small layers, one of realistic size, and one in a graph with more than 2^31 / 4 squares."""
    kinds = [(shape, 0, 0) for shape in shapes(rng, 5)]
    kinds += [
        ((int(rng.integers(52, 56)), 41, 12), 1, 0),
        ((260, int(rng.integers(185, 195)), 6), 1, 1),
    ]
    drawn = []
    for shape, large, graph in kinds:
        case = {"a_S": draw(rng, (1, *shape), 2.5), "a_G": draw(rng, (1, *shape))}
        case["a_S"][..., 1::2] *= -1  # so that the difference of the Gram matrices has both signs
        if not large:  # what the student's own gram_matrix gives here tells whose mistake it is
            for side in "SG":
                case["own_input_" + side] = channels_first(case["a_" + side]).copy()
        drawn.append(case | {"large": large, "graph": graph, "dtype": "float32"})
    return drawn


def style_cost(a_S: np.ndarray, a_G: np.ndarray) -> tuple[float, np.ndarray]:
    """The cost (Gatys 2015, eq. 4) and its gradient with respect to a_G (eq. 6), in float64."""
    S, G = (channels_first(a.astype("float64")) for a in (a_S, a_G))
    D = G @ G.T - S @ S.T
    normaliser = 4 * G.size**2
    return (D * D).sum() / normaliser, (4 * D @ G / normaliser).T.reshape(a_G.shape)


def _squared(D: np.ndarray) -> float:
    return (D * D).sum()


# fmt: off
SCRAMBLED = "the activations are reshaped without bringing the channels first, so channels and positions are scrambled."


DIMENSIONS = "n_H, n_W and n_C are read in another order than a.shape has them: (1, n_H, n_W, n_C)."


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
    Mistake("style-means", 3, 0, lambda M: M.mean(axis=1), "The means of the channels are compared: take the Gram matrix of both."),
    Mistake("style-gram-twice", 3, PART, lambda M: M @ M.T @ (M @ M.T).T, "gram_matrix is applied twice: once is enough."),
)


DIFFERENCES = (
    Mistake("", 0, 1, lambda S, G: _squared(S - G), ""),
    Mistake("style-no-square", 4, PART, lambda S, G: (S - G).sum(), "The difference of the Gram matrices is summed without being squared."),
    Mistake("style-absolute", 4, PART, lambda S, G: abs(S - G).sum(), "The absolute difference is summed: square it instead."),
    Mistake("style-sum-then-square", 4, PART, lambda S, G: (S - G).sum() ** 2, "The sum of the differences is squared: square each difference first, then sum."),
    Mistake("style-root", 4, PART, lambda S, G: _squared(S - G) ** 0.5, "A square root is taken (a norm): the cost is the sum of squares itself."),
    Mistake("style-squares-subtracted", 4, PART, lambda S, G: (S * S - G * G).sum(), "The Gram matrices are squared before they are subtracted: subtract first."),
    Mistake("style-plus", 4, PART, lambda S, G: _squared(S + G), "The Gram matrices are added: subtract them."),
    Mistake("style-product", 4, 0, lambda S, G: (S * G).sum(), "The Gram matrices are multiplied with each other: subtract them and square."),
    Mistake("style-one-side", 3, PART, lambda S, G: _squared(S), "Only the Gram matrix of a_S is used: subtract the one of a_G."),
    Mistake("style-one-side", 3, PART, lambda S, G: _squared(G), "Only the Gram matrix of a_G is used: subtract it from the one of a_S."),
    Mistake("style-matrix-square", 4, PART, lambda S, G: ((S - G) @ (S - G)).sum() if S.ndim == 2 and len(S) == S.shape[1] else 0.0, "The difference is multiplied by itself as a matrix: square every entry (* or tf.square)."),
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
        (1 / 16, (-2, -2, -2), "style-quarter-squared", "Your J_style is exactly 4 times too small: the 4 is squared too (the 2 of (2 n_C n_H n_W)^2 would be right)."),
        (0.25, (-1, -1, -1), "style-not-squared", "Your J_style is divided by 4 n_C n_H n_W: both n_C and n_H n_W must be squared."),
        (1.0, (-1, -1, -1), "style-not-squared", "Your J_style is divided by n_C n_H n_W: the 4 is missing, and both n_C and n_H n_W must be squared."),
        (0.25, (-1, -1, -2), "style-positions-not-squared", "In your normaliser n_C is squared, but n_H n_W is not."),
        (0.25, (-2, -2, -1), "style-channels-not-squared", "In your normaliser n_H n_W is squared, but n_C is not."),
        (0.25, (-2, -1, -2), "style-positions-not-squared", "In your normaliser n_H is squared, but n_W is not: put brackets, (n_H n_W)^2."),
        (0.25, (-1, -2, -2), "style-positions-not-squared", "In your normaliser n_W is squared, but n_H is not: put brackets, (n_H n_W)^2."),
        (0.25, (-4, 0, -2), "style-n_H-twice", "In your normaliser n_H stands where n_W should."),
        (0.25, (0, -4, -2), "style-n_W-twice", "In your normaliser n_W stands where n_H should."),
        (0.25, (-2, -2, -4), "style-mean-and-normaliser", "You divide by n_C^2 twice: a mean over the Gram matrix divides already."),
        (1.0, (-2, -2, -4), "style-mean-and-normaliser", "You divide by n_C^2 twice (mean and normaliser), and the 1/4 is missing."),
        (1.0, (0, 0, -2), "style-mean-only", "Your J_style is the mean squared difference of the Gram matrices: 4 (n_H n_W)^2 is missing below."),
        (0.25, (0, 0, -2), "style-no-positions", "Your J_style is not divided by (n_H n_W)^2."),
        (0.25, (-2, -2, 0), "style-no-channels", "Your J_style is not divided by n_C^2."),
        (0.25, (0, 0, 0), "style-not-normalised", "Your J_style has the 1/4, but it is not divided by n_C^2 (n_H n_W)^2."),
        (0.5, (0, 0, 0), "style-not-normalised", "Your J_style is half the sum of squares: divide by 4 n_C^2 (n_H n_W)^2."),
        (1.0, (0, 0, 0), "style-not-normalised", "Your J_style is the plain sum of squares: divide by 4 n_C^2 (n_H n_W)^2."),
        (0.25, (-4, -4, -2), "style-gram-divided", "You divide by (n_H n_W)^2 twice: are the Gram matrices divided by n_H n_W before?"),
        (0.25, (-4, -4, -4), "style-gram-divided", "You divide by (n_C n_H n_W)^2 twice: are the Gram matrices divided before?"),
    ),
)
# fmt: on


def _bases(pairs: list[tuple]) -> Iterator[tuple[tuple[Mistake, ...], list]]:
    """Every listed matrix, Gram and difference, and their combinations of two."""
    right = channels_first
    for matrix, gram, difference in itertools.product(MATRICES, GRAMS, DIFFERENCES):
        parts = tuple(m for m in (matrix, gram, difference) if m.id)
        if len(parts) < 3:
            sides = [[gram.formula(matrix.formula(a)) for a in pair] for pair in pairs]
            yield parts, [difference.formula(*side) for side in sides]
    says = "The Gram matrix of the difference of the activations is taken: first both Gram matrices, then the difference."
    difference_first = Mistake("style-gram-of-difference", 3, PART, right, says)
    yield (difference_first,), [_squared(right(S - G) @ right(S - G).T) for S, G in pairs]
    for known in MATRICES[1:5]:
        for one, other in ((known.formula, right), (right, known.formula)):
            says = f"Only one of a_S and a_G is brought into the right order. For the other: {known.says}"
            half = Mistake("style-one-scrambled", 2, FACTOR, right, says)
            grams = [(one(S) @ one(S).T, other(G) @ other(G).T) for S, G in pairs]
            yield (half,), [_squared(S - G) for S, G in grams]


def _own_gram_finding(cases, facts, pairs) -> Finding | None:
    """Is the student's own gram_matrix, which this function calls, the one to put right?"""
    rows = [i for i, case in enumerate(cases) if not case["large"]]
    if "gram_matrix" not in text(facts[rows[0]], "names", 2000).split():
        return None
    follows = wrong = detached = 0
    for i in rows:
        own = [number(facts[i], "own_value_" + side) for side in "SG"]
        grams = [channels_first(a) @ channels_first(a).T for a in pairs[i]]
        if "own_value_S" not in facts[i]:
            return None
        wrong += not all(same(o, g) for o, g in zip(own, grams, strict=True))
        detached += facts[i].get("own_grad_A_S") is None
        if all(o is not None and abs(o).any() for o in own) and own[0].shape == own[1].shape:
            cost = _squared(own[0] - own[1]) / (4 * pairs[i][0].size ** 2)
            follows += same(number(facts[i], "value"), cost) and cost > 0
    first = "fix Exercise 2 first, then run this again."
    if wrong and follows == len(rows):
        says = (
            "The layer style cost itself looks right, but it calls your gram_matrix, which is not right yet: "
            + first
        )
        return Finding("style-fix-gram", 3, NO_GRADIENT, says)
    if wrong:
        return Finding(
            "style-fix-gram", 3, 0, "It calls your gram_matrix, which is not right yet: " + first
        )
    if detached and follows == len(rows):
        return Finding(
            "style-fix-gram-gradient",
            3,
            NO_GRADIENT,
            "The value is right, but no gradient flows through your gram_matrix: " + first,
        )
    return None


def judge(cases: list[dict], observations) -> Verdict:
    """J = sum((G_S - G_G)^2) / (4 n_C^2 (n_H n_W)^2) (Gatys 2015, eq. 4)."""
    pairs = [(case["a_S"].astype("float64"), case["a_G"].astype("float64")) for case in cases]
    expected = [style_cost(*pair)[0] for pair in pairs]
    gradients = [{"a_G": style_cost(S, G)[1], "a_S": style_cost(G, S)[1]} for S, G in pairs]

    def explain(rows: list, gots: list) -> Finding | None:
        few = [pairs[i] for i in rows]
        dims = [S.shape[1:] for S, _ in few]
        return recognise(LAYER_STYLE_COST, NORMALISER, gots, dims, _bases(few))

    verdict = judge_values(LAYER_STYLE_COST, cases, observations, expected, gradients, explain)
    facts = well_formed(cases, observations)
    if verdict.mistake and facts is not None:
        own = _own_gram_finding(cases, facts, pairs)
        if own is not None:
            return LAYER_STYLE_COST.verdict(own, verdict.expected, verdict.got)
    return verdict


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
