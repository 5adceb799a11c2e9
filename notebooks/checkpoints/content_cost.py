"""Exercise 1, compute_content_cost: its cases, its mistakes, its judge."""

# ruff: noqa: E501
# (One line a sentence, so that the tables can be read.)

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from .activations import BIG, channels_first, draw, shapes
from .factors import Normaliser, divided_by, recognise
from .facts import same
from .judge import judge_values
from .losses import losses, summed_first
from .parts import parts
from .scaled import SCALES
from .source import may_hold
from .verdict import FACTOR, PART, Exercise, Finding, Mistake, Verdict


def cases(rng: np.random.Generator) -> list[dict]:
    """Lists of 2 to 6 activations; one with large numbers, one of realistic size in a graph."""
    drawn, drawn_before = [], []
    for count, big, graph in ((6, 0, 0), (2, 0, 0), (3, 0, 0), (6, 0, 0), (4, 1, 0), (6, 0, 1)):
        sizes = drawn_before if len(drawn) == 3 else shapes(rng, count)
        drawn_before = drawn_before or sizes  # once more: what is remembered by its shape shows
        if graph:
            sizes[-1] = (int(rng.integers(50, 60)), int(rng.integers(36, 46)), 24)
        case = {"layers": count, "big": big, "graph": graph, "dtype": "float32"}
        for i, shape in enumerate(sizes):
            scale = BIG if big else 1
            case[f"content_{i}"] = draw(rng, (1, *shape), scale * (1 + 0.3 * i))
            case[f"generated_{i}"] = draw(rng, (1, *shape), scale * (2.3 - 0.2 * i))
        drawn.append(case)
    return drawn


def _pair(case: dict) -> tuple[list, list]:
    layers = range(case["layers"])
    return tuple(
        [case[f"{key}_{i}"].astype("float64") for i in layers] for key in ("content", "generated")
    )


def _difference(C: list, G: list, layer: int = -1) -> np.ndarray:
    return C[layer] - G[layer]


def _squares(C: list, G: list, layer: int) -> float:
    """Squared differences of another layer, as if they were normalised like the last one."""
    return (_difference(C, G, layer) ** 2).mean() * C[-1].size


def _mean_inside(C: list, G: list, start: int, stop: int | None) -> float:
    """Squared differences without a border, as if they were all."""
    inside = _difference(C, G)[:, start:stop, start:stop]
    return (inside**2).sum() * C[-1].size / max(inside.size, 1)


def _gram_difference(C: list, G: list) -> float:
    C, G = channels_first(C[-1]), channels_first(G[-1])
    return ((C @ C.T - G @ G.T) ** 2).sum()


def _all_pairs(C: list, G: list) -> float:
    """The squared differences of every entry from every other, summed."""
    C, G = C[-1], G[-1]
    return C.size * ((C**2).sum() + (G**2).sum()) - 2 * C.sum() * G.sum()


# Several ways to divide are common where another thing is compared: none is a second mistake.
FACTORS = (lambda size: 1, lambda size: 1 / size, lambda size: size)


# fmt: off
MISTAKES = (
    Mistake("content-no-square", 3, PART, lambda C, G: _difference(C, G).sum(),
            "The difference is summed without being squared."),
    Mistake("content-times-two", 3, PART, lambda C, G: 2 * _difference(C, G).sum(),
            "The difference is doubled, not squared: * 2 doubles, ** 2 squares."),
    Mistake("content-absolute", 3, PART, lambda C, G: abs(_difference(C, G)).sum(),
            "The absolute difference is summed: square it instead."),
    Mistake("content-sum-then-square", 3, PART, lambda C, G: _difference(C, G).sum() ** 2,
            "The sum of the differences is squared: square each difference first, then sum."),
    Mistake("content-root", 3, PART, lambda C, G: (_difference(C, G) ** 2).sum() ** 0.5,
            "A square root is taken (a norm): the cost is the sum of squares itself."),
    Mistake("content-root", 3, PART, lambda C, G: (_difference(C, G) ** 2).mean() ** 0.5 * C[-1].size,
            "A square root is taken of the mean: the cost is the mean of squares itself."),
    Mistake("content-whole-numbers", 3, PART, lambda C, G: ((np.trunc(C[-1]) - np.trunc(G[-1])) ** 2).sum(),
            "The activations are cut to whole numbers (int) first: keep float32 throughout."),
    Mistake("content-part", 1, PART, lambda C, G: (_difference(C, G)[:, -1] ** 2).mean() * C[-1].size,
            "Only the last row of positions is compared: is there an index [-1] too many, or = in a loop where += is meant?"),
    Mistake("content-part", 1, PART, lambda C, G: (_difference(C, G)[:, 0] ** 2).mean() * C[-1].size,
            "Only the first row of positions is compared: [0] drops the axis of one picture, a second one takes a row of it."),
    Mistake("content-sizes-of-first-layer", 2, FACTOR, lambda C, G: (_difference(C, G) ** 2).sum() * C[-1].size / C[0].size,
            "The sizes n_H, n_W, n_C are those of the first layer ([0]): read them from the content layer, the last one."),
    Mistake("content-sizes-of-another-layer", 2, FACTOR, lambda C, G: (_difference(C, G) ** 2).sum() * C[-1].size / C[-2].size,
            "The sizes n_H, n_W, n_C are those of the last but one layer: read them from the content layer, the last one."),
    Mistake("content-sizes-added", 4, FACTOR, lambda C, G: (_difference(C, G) ** 2).sum() * C[-1].size / sum(C[-1].shape[1:]),
            "In your denominator the sizes are added: multiply n_H, n_W and n_C."),
    Mistake("content-sizes-added", 4, FACTOR, lambda C, G: (_difference(C, G) ** 2).sum() * C[-1].size / (C[-1].shape[1] + C[-1].shape[2]) / C[-1].shape[3],
            "In your denominator n_H and n_W are added: multiply them."),
    Mistake("content-sizes-added", 4, FACTOR, lambda C, G: 4 * (_difference(C, G) ** 2).sum() * C[-1].size / (3 * C[-1].shape[1] + sum(C[-1].shape[1:])),
            "In your denominator the sizes are added (4*n_H + n_W + n_C): multiply them."),
    Mistake("content-root", 3, PART, lambda C, G: 2 * (_difference(C, G) ** 2).sum() ** 0.5 * C[-1].size**0.5,
            "A square root is taken of the whole: the cost is the sum of squares, divided."),
    Mistake("content-variance", 3, PART, lambda C, G: _difference(C, G).var() * C[-1].size,
            "The mean of the differences is subtracted before the square (a variance): square the differences as they are."),
    Mistake("content-unit-length", 3, PART, lambda C, G: ((C[-1] / (C[-1] ** 2).sum() ** 0.5 - G[-1] / (G[-1] ** 2).sum() ** 0.5) ** 2).sum(),
            "The activations are scaled to length 1 first: take them as they are."),
    Mistake("content-other-power", 3, PART, lambda C, G: (_difference(C, G) ** 3).sum(),
            "The third power of the difference is summed: the square is wanted."),
    Mistake("content-number-of-layers", 1, FACTOR, lambda C, G: (_difference(C, G) ** 2).sum() / len(C),
            "Your J_content is divided by the number of layers: only one layer counts."),
    Mistake("content-squares-subtracted", 3, PART, lambda C, G: (C[-1] ** 2 - G[-1] ** 2).sum(),
            "The activations are squared before they are subtracted: subtract first, then square."),
    Mistake("content-plus", 3, PART, lambda C, G: ((C[-1] + G[-1]) ** 2).sum(),
            "The activations are added: subtract them."),
    Mistake("content-product", 3, 0, lambda C, G: (C[-1] * G[-1]).sum(),
            "The activations are multiplied with each other: subtract them and square."),
    Mistake("content-one-side", 3, 0, lambda C, G: (C[-1] ** 2).sum(),
            "Only the content activations are used: subtract the generated ones."),
    Mistake("content-one-side", 3, 0, lambda C, G: (G[-1] ** 2).sum(),
            "Only the generated activations are used: subtract them from the content ones."),
    *(Mistake("content-all-pairs", 3, PART, lambda C, G, f=factor: _all_pairs(C, G) * f(C[-1].size),
              "Every entry of one activation is compared with every entry of the other: subtract entry by entry, of the same place.", True) for factor in FACTORS[:2]),
    *(Mistake("content-means", 3, PART, lambda C, G, f=factor: ((C[-1].mean(axis=(0, 1, 2)) - G[-1].mean(axis=(0, 1, 2))) ** 2).mean() * f(C[-1].size),
              "The means of the channels are compared: compare every position.", True) for factor in FACTORS),
    Mistake("content-scrambled", 3, PART, lambda C, G: ((C[-1].transpose(0, 3, 1, 2).ravel() - G[-1].ravel()) ** 2).sum(),
            "Only the content activation is transposed, so its entries meet others than their own: treat both alike."),
    Mistake("content-scrambled", 3, PART, lambda C, G: ((C[-1].ravel() - G[-1].transpose(0, 3, 1, 2).ravel()) ** 2).sum(),
            "Only the generated activation is transposed, so its entries meet others than their own: treat both alike."),
    Mistake("content-unit-length", 3, PART, lambda C, G: 4 * C[-1].size * (1 - (C[-1] * G[-1]).sum() / ((C[-1] ** 2).sum() * (G[-1] ** 2).sum()) ** 0.5),
            "That is a cosine distance, for which both are scaled to length 1: sum the squared differences of the activations as they are.", True),
    Mistake("content-relative", 3, PART, lambda C, G: C[-1].size * (_difference(C, G) ** 2).sum() / (C[-1] ** 2).sum(),
            "The difference is divided by the size of the content activations (a relative error): leave that out.", True),
    Mistake("content-relative", 3, PART, lambda C, G: (_difference(C, G) ** 2).sum() / (C[-1] ** 2).sum() ** 0.5,
            "The difference is divided by the length of the content activations: leave that out.", True),
    Mistake("content-one-sign", 3, PART, lambda C, G: (_difference(C, G).clip(0) ** 2).sum(),
            "Only the entries where the content activation is larger count (relu, maximum): square all differences."),
    Mistake("content-one-sign", 3, PART, lambda C, G: ((-_difference(C, G)).clip(0) ** 2).sum(),
            "Only the entries where the generated activation is larger count (relu, maximum): square all differences."),
    Mistake("content-part", 1, PART, lambda C, G: (_difference(C, G)[..., 0] ** 2).mean() * C[-1].size,
            "Only the first channel is compared: take all."),
    Mistake("content-part", 1, PART, lambda C, G: (_difference(C, G)[..., 0] ** 2).sum(),
            "Only the first channel is compared: take all."),
    Mistake("content-part", 1, PART, lambda C, G: _mean_inside(C, G, 1, None),
            "The first row and column of positions are left out: compare every position."),
    Mistake("content-part", 1, PART, lambda C, G: _mean_inside(C, G, 0, -1),
            "The last row and column of positions are left out: compare every position."),
    Mistake("content-part", 1, PART, lambda C, G: _mean_inside(C, G, 1, -1),
            "The border is left out: compare every position."),
    *(Mistake("content-gram", 3, PART, lambda C, G, f=factor: _gram_difference(C, G) * f(C[-1].size),
              "Gram matrices are compared, which is the style cost: compare the activations themselves.", True) for factor in FACTORS[:2]),
    Mistake("content-cubed", 3, PART, lambda C, G: (_difference(C, G) ** 4).sum(),
            "The squared difference is squared once more."),
    Mistake("content-largest", 3, 0, lambda C, G: (_difference(C, G) ** 2).max(),
            "Only the largest squared difference is taken: sum over all."),
    Mistake("content-first-layer", 1, FACTOR, lambda C, G: _squares(C, G, 0),
            "The first layer ([0], a style layer) is compared: the content layer is the last one."),
    Mistake("content-first-layer", 1, FACTOR, lambda C, G: (_difference(C, G, 0) ** 2).sum(),
            "The first layer ([0], a style layer) is compared: the content layer is the last one."),
    Mistake("content-second-layer", 1, FACTOR, lambda C, G: _squares(C, G, 1),
            "The second layer ([1]) is compared: the content layer is the last one."),
    Mistake("content-layer-before", 1, FACTOR, lambda C, G: _squares(C, G, -2),
            "The last but one layer ([-2], a style layer) is compared: the content layer is the last."),
    Mistake("content-all-layers", 1, PART, lambda C, G: sum(_squares(C, G, i) for i in range(len(C))),
            "All the layers are summed: only the last one is the content layer."),
    Mistake("content-all-layers", 1, PART, lambda C, G: sum((c - g).ravel() @ (c - g).ravel() for c, g in zip(C, G, strict=True)),
            "All the layers are summed: only the last one is the content layer."),
    Mistake("content-all-layers", 1, PART, lambda C, G: sum(_squares(C, G, i) for i in range(len(C))) / len(C),
            "All the layers are averaged: only the last one is the content layer."),
    Mistake("content-all-layers", 1, PART, lambda C, G: sum(_squares(C, G, i) for i in range(len(C) - 1)),
            "The style layers are summed: only the last layer, the content layer, counts."),
)

AXES = {1: "row of positions", 2: "column of positions", 3: "channel"}
SUMMED = {3: "the channels", 1: "the rows", 2: "the columns", (1, 2): "the positions", (0, 1, 2, 3): "all entries"}


def _last(C: list, G: list) -> tuple:
    return C[-1], G[-1]


def _part(C: list, G: list, take: Callable) -> np.ndarray:
    return take(_difference(C, G))


def _scaled(C: list, G: list, scale: Callable) -> float:
    return ((scale(channels_first(C[-1])) - scale(channels_first(G[-1]))) ** 2).sum()


MORE = (  # tried after those above, with any factor
    *losses("content", 3, _last),
    *summed_first("content", 3, _last, SUMMED),
    *(Mistake("content-part", 1, PART, lambda C, G, t=take: (_part(C, G, t) ** 2).sum(), says) for says, take in parts(AXES)),
    *(Mistake("content-part", 1, PART, lambda C, G, t=take: (_part(C, G, t) ** 2).sum() * C[-1].size / max(_part(C, G, t).size, 1), says) for says, take in parts(AXES)),
    *(Mistake("content-scaled", 3, PART, lambda C, G, f=scale: _scaled(C, G, f), says.format(them="The activations"), True) for scale, says in SCALES),
)
ADDED = tuple(  # denominators in which a + stands for a *
    (lambda H, W, C, f=formula, order=order: f(*((H, W, C)[i] for i in order)))
    for order in itertools.permutations(range(3))
    for formula in (
        lambda a, b, c: 4 * a * b + c,
        lambda a, b, c: 4 * a + b * c,
        lambda a, b, c: 4 + a * b * c,
        lambda a, b, c: 4 + a + b * c,
        lambda a, b, c: 4 + a * b + c,
        lambda a, b, c: 4 + a + b + c,
        lambda a, b, c: 4 * (a * b + c),
        lambda a, b, c: 4 * a * (b + c),
        lambda a, b, c: 4 * a + b + c,
        lambda a, b, c: a * b + c,
        lambda a, b, c: a * (b + c),
        lambda a, b, c: a + b + c,
        lambda a, b, c: 2 * (a * b + c),
        lambda a, b, c: 2 * a * b + c,
    )
)
NORMALISER = Normaliser(
    "J_content",
    ("n_H", "n_W", "n_C"),
    k=0.25,
    exponents=(-1, -1, -1),
    hint=4,
    known=(
        (1.0, (-1, -1, -1), "content-no-quarter", "Your J_content is exactly 4 times too large: is the 1/4 there? (A mean has no 1/4 yet.)"),
        (0.5, (-1, -1, -1), "content-half", "Your J_content is exactly 2 times too large: the factor is 1/4, not 1/2."),
        (0.5, (0, 0, 0), "content-not-normalised", "Your J_content is half the sum of squares, as in the lecture: divide by 4 n_H n_W n_C here."),
        (0.25, (0, 0, 0), "content-not-normalised", "Your J_content has the 1/4, but it is not divided by n_H n_W n_C."),
        (1.0, (0, 0, 0), "content-not-normalised", "Your J_content is the plain sum of squares: it is not divided by 4 n_H n_W n_C."),
        (1 / 16, (-2, -2, -2), "content-denominator-squared", "The denominator 4 n_H n_W n_C is squared, too: divide after the square, not inside it."),
        (0.25, (-2, -2, -2), "content-mean-and-normaliser", "You divide by n_H n_W n_C twice: is it squared, or is there a mean besides, which divides already?"),
        (1.0, (-2, -2, -2), "content-mean-and-normaliser", "You divide by n_H n_W n_C twice (a mean divides already), and the 1/4 is missing."),
        (0.25, (-1, -1, 0), "content-no-channels", "Your J_content is not divided by n_C, the number of channels."),
    ),
)
# fmt: on


def _combinations(pairs: list):
    """A wrong layer together with a wrong difference, normalised by either layer's size."""
    layers = {"content-first-layer": 0, "content-second-layer": 1, "content-layer-before": -2}
    wrong_layers = {known.id: known for known in MISTAKES if known.id in layers}
    differences = [
        m for m in MISTAKES if m.hint != 1 and "sizes-of" not in m.id
    ]  # one layer is enough
    for layer, difference in itertools.product(wrong_layers.values(), differences):
        at = layers[layer.id]
        values = [difference.formula([C[at]], [G[at]]) for C, G in pairs]
        yield (layer, difference), values
        yield (
            (layer, difference),
            [v * C[-1].size / C[at].size for v, (C, _) in zip(values, pairs, strict=True)],
        )


def _other_layers(pairs: list, gots: list) -> Finding | None:
    """The right cost, but of a layer that is the last one in some cases only."""
    for (C, G), got in zip(pairs, gots, strict=True):
        costs = [(_difference(C, G, i) ** 2).mean() / 4 for i in range(len(C))]
        if not any(same(got, np.array(cost)) for cost in costs):
            return None
    says = "It depends on the input which layer is compared (the largest one, or one with a certain size?): the content layer is always the last one."
    return CONTENT_COST.finding("layer-varies", 1, FACTOR, says)


def judge(cases: list[dict], observations) -> Verdict:
    """J = sum((a_C - a_G)^2) / (4 n_H n_W n_C) of the last layer (Gatys 2015, eq. 1, rescaled)."""
    pairs = [_pair(case) for case in cases]
    expected = [(_difference(*pair) ** 2).sum() / (4 * pair[0][-1].size) for pair in pairs]
    gradients = []
    for C, G in pairs:
        wanted = {f"{k}_{i}": 0 * C[i] for k in ("content", "generated") for i in range(len(C))}
        wanted[f"content_{len(C) - 1}"] = _difference(C, G) / (2 * C[-1].size)
        wanted[f"generated_{len(C) - 1}"] = -_difference(C, G) / (2 * C[-1].size)
        gradients.append(wanted)

    def explain(rows: list, gots: list, facts: list) -> Finding | None:
        def bases():
            yield (), [(_difference(*pairs[i]) ** 2).sum() for i in rows]
            for known in (*MISTAKES, *MORE):
                yield (known,), [known.formula(*pairs[i]) for i in rows]
            yield from _combinations([pairs[i] for i in rows])

        dims = [pairs[i][0][-1].shape[1:] for i in rows]
        sums = [(_difference(*pairs[i]) ** 2).sum() for i in rows]
        if may_hold(facts, "+") and divided_by(ADDED, dims, sums, gots):
            says = "In your denominator a + stands where * should: 4 n_H n_W n_C is a product of all four."
            return CONTENT_COST.finding("sizes-added", 4, FACTOR, says)
        found = recognise(CONTENT_COST, NORMALISER, gots, dims, bases())
        return found or _other_layers([pairs[i] for i in rows], gots)

    return judge_values(CONTENT_COST, cases, observations, expected, gradients, explain)


CONTENT_COST = Exercise(
    "compute_content_cost",
    number=1,
    points=15,
    short="content",
    cases=cases,
    judge_facts=judge,
    topics={"gradient": 3, "dims": 2, "zero": 3, "as in NumPy": 3},
    zero="are the same activations subtracted from each other, or is // (whole numbers) used for /?",
    more=(
        "Lists count from the end with negative indices. Print len(content_output) and the shape of what you picked.",
        "a.shape has four entries: 1, n_H, n_W, n_C. Print them beside the ones that you use.",
        "Work one small example by hand: activations 1, 2 against 3, 5 differ by -2, -3; what must be summed is 4 and 9.",
        "Python reads a / b * c as (a / b) * c. Print your denominator alone for a layer of shape (1, 2, 3, 5): it must be 120.",
    ),
)
