"""Exercise 5: which cost gives the J that a train_step returned? Its wrong terms and weights."""

# ruff: noqa: E501
# (One line a sentence, so that the tables can be read.)

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .facts import near, number, same
from .tiny_network import (
    pixels_same,
    rollout,
    step_of,
    style_weights,
    terms_of,
    total_of,
    weighted,
)
from .verdict import FACTOR, NO_GRADIENT, PART, SLIP, TOLERANCE, TWO, Finding, Mistake

RIGHT = ("", "C", "S")  # the key of J itself
MEANS = np.array([103.939, 116.779, 123.68])  # what preprocess_input subtracts from BGR


@dataclass(frozen=True)
class Attempt:
    """What a train_step did on one case, beside what it should have done."""

    case: dict
    fact: dict

    @cached_property
    def steps(self) -> list[dict]:
        """Two right steps."""
        return rollout(self.case)

    @property
    def J(self) -> np.ndarray | None:
        """What the first call returned."""
        return number(self.fact, "value_1")

    @cached_property
    def pixels(self) -> np.ndarray | None:
        """The image after the first call, None if that is not one."""
        pixels = number(self.fact, "pixels_1")
        known = pixels is not None and pixels.shape == self.steps[0]["image"].shape
        return pixels if known and abs(pixels).max() < 300 else None

    @property
    def iterations(self) -> float:
        """How many steps the optimizer counted in the first call."""
        count = number(self.fact, "iterations_1")
        known = count is not None and count.shape == () and 0 <= count <= 1e6
        return float(count) if known else np.nan

    @property
    def before(self) -> dict:
        """The terms of J on the image before the step."""
        return self.steps[0]["terms"]

    @cached_property
    def after(self) -> dict:
        """The terms of J on the image that the first call left behind."""
        return terms_of(self.case, self.pixels)


def _single(i: int, weight: float | None, says: str) -> Mistake:
    """Only one of the layers counts, with its weight in the course or with 1."""
    return Mistake(
        "train-one-layer",
        0,
        FACTOR,
        lambda w: [(weight or w[i] or w[0]) * (k == i) for k in range(6)],
        says,
    )


# fmt: off
CONTENT = {
    "C": Mistake("", 2, 1, None, ""),
    "S": Mistake("train-content-target", 2, NO_GRADIENT, None, "the content cost compares G with the style image S: compare with a_C"),
    "fixed": Mistake("train-content-fixed", 2, FACTOR, None, "the content cost compares C with S, G does not appear in it: compare a_C with the activations of G"),
    "none": Mistake("train-no-content", 3, FACTOR, None, "the content term is missing, or 0: is something compared with itself?"),
    "first": Mistake("train-content-layer", 2, FACTOR, None, "the content cost compares the first layer, a style layer: the content layer is the last one"),
}
STYLE = {
    "S": Mistake("", 2, 1, None, ""),
    "C": Mistake("train-style-target", 2, NO_GRADIENT, None, "the style cost compares G with the content image C: compare with a_S"),
    "fixed": Mistake("train-style-fixed", 2, FACTOR, None, "the style cost compares S with C, G does not appear in it: compare a_S with the activations of G"),
    "none": Mistake("train-no-style", 3, FACTOR, None, "the style term is missing, or 0: is something compared with itself?"),
}
LAYERS = {  # the weights of the layers, the content layer last -> those that count
    "unweighted": Mistake("train-layers-unweighted", 0, NO_GRADIENT, lambda w: [1, 1, 1, 1, 1, 0], "the weights of the style layers are forgotten: each counts with its own (0.2)"),
    "squared": Mistake("train-layers-weighted-twice", 0, NO_GRADIENT, lambda w: [x * x for x in w], "the weights of the style layers count twice: compute_style_cost has them already"),
    "averaged": Mistake("train-layers-averaged", 0, NO_GRADIENT, lambda w: [x / 5 for x in w], "the style cost is divided by the number of layers: their weights do that already"),
    "no-last": Mistake("train-layer-missing", 0, FACTOR, lambda w: [*w[:4], 0, 0], "the last of the style layers is missing: is [:-1] taken twice? (compute_style_cost leaves out the content layer itself)"),
    "no-first": Mistake("train-layer-missing", 0, FACTOR, lambda w: [0, *w[1:]], "the first of the style layers is missing"),
    "no-two": Mistake("train-layer-missing", 0, FACTOR, lambda w: [*w[:3], 0, 0, 0], "the last two of the style layers are missing"),
    "reversed": Mistake("train-layer-too-many", 0, FACTOR, lambda w: [0, *w[1:5], w[0]], "the first style layer is left out, and the content layer counts in its place: the style layers are all but the last"),
    "content-too": Mistake("train-layer-too-many", 0, FACTOR, lambda w: [*w[:5], w[4]], "the content layer counts as a style layer: the style layers are all but the last"),
    "six": Mistake("train-layer-too-many", 0, FACTOR, lambda w: [1 / 6] * 6, "the content layer counts as a style layer: the style layers are all but the last"),
    "all-six": Mistake("train-layer-too-many", 0, FACTOR, lambda w: [1] * 6, "the content layer counts as a style layer, and the weights are forgotten: the style layers are all but the last"),
}
for _i, _name in enumerate(("first", "second", "third", "fourth", "fifth")):
    _says = f"only the {_name} of the style layers counts: sum over all five, each with its weight"
    LAYERS |= {f"only {_i}": _single(_i, None, _says), f"only {_i} unweighted": _single(_i, 1.0, _says)}
_says = "the style cost is that of the content layer: the style layers are all but the last"
LAYERS |= {"only 5": _single(5, None, _says), "only 5 unweighted": _single(5, 1.0, _says)}
WEIGHTS = {  # the case -> alpha and beta that count; "ignored" are the numbers always taken
    "": Mistake("", 3, 1, lambda c: (c["alpha"], c["beta"]), ""),
    "hard": Mistake("train-weights-ignored", 3, NO_GRADIENT, lambda c: c["ignored"], "alpha and beta are ignored: whatever is passed, J is the same. Pass both on to total_cost"),
    "hard-alpha": Mistake("train-alpha-ignored", 3, NO_GRADIENT, lambda c: (c["ignored_alpha"], c["beta"]), "alpha is ignored: pass on to total_cost what the caller gives (beta is passed on)"),
    "hard-beta": Mistake("train-beta-ignored", 3, NO_GRADIENT, lambda c: (c["alpha"], c["ignored_beta"]), "beta is ignored: pass on to total_cost what the caller gives (alpha is passed on)"),
    "swapped": Mistake("train-weights-swapped", 3, NO_GRADIENT, lambda c: (c["beta"], c["alpha"]), "alpha and beta are swapped (or J_content and J_style are)"),
    "hard-swapped": Mistake("train-weights-swapped", 3, NO_GRADIENT, lambda c: (40, 10), "alpha is always 40 and beta always 10: swapped, and the arguments are ignored"),
    "one": Mistake("train-no-weights", 3, FACTOR, lambda c: (1, 1), "alpha and beta are not used"),
    "alpha": Mistake("train-no-beta", 3, FACTOR, lambda c: (c["alpha"], 1), "beta is not used"),
    "beta": Mistake("train-no-alpha", 3, FACTOR, lambda c: (1, c["beta"]), "alpha is not used"),
    "alpha-both": Mistake("train-one-weight", 3, FACTOR, lambda c: (c["alpha"], c["alpha"]), "alpha is the weight of both costs: beta belongs to the style cost"),
    "beta-both": Mistake("train-one-weight", 3, FACTOR, lambda c: (c["beta"], c["beta"]), "beta is the weight of both costs: alpha belongs to the content cost"),
    "twice": Mistake("train-weights-twice", 3, FACTOR, lambda c: (c["alpha"] ** 2, c["beta"] ** 2), "the weights count twice: total_cost multiplies by alpha and beta already"),
}
INPUTS = (  # what is done to the image before it goes through the network
    (lambda x: 255 * x, "the image is multiplied by 255 before it goes through vgg: leave it in [0, 1], the network prepares it itself"),
    (lambda x: x / 255, "the image is divided by 255 before it goes through vgg: it is in [0, 1] already"),
    (lambda x: 2 * x - 1, "the image is brought to [-1, 1] before it goes through vgg: leave it in [0, 1], the network prepares it itself"),
    (lambda x: x[..., ::-1], "the colours of the image are turned round (BGR) before vgg: leave them, the network does that itself"),
    (lambda x: x - MEANS[::-1] / 255, "the mean colour is subtracted before the image goes through vgg: leave it, the network does that itself"),
    (lambda x: x - [0.485, 0.456, 0.406], "the mean colour is subtracted before the image goes through vgg: leave it, the network does that itself"),
    (lambda x: (x - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225], "mean and spread of the colours are brought to 0 and 1 before the image goes through vgg, as PyTorch's networks want it: leave it in [0, 1]"),
    (lambda x: x - MEANS / 255, "the mean colour is subtracted before the image goes through vgg: leave it, the network does that itself"),
    (lambda x: 255 * x[..., ::-1] - MEANS, "the image goes through preprocess_input before vgg: leave it in [0, 1], the network has that inside"),
    (lambda x: x[..., ::-1] - MEANS, "the image goes through preprocess_input before vgg: leave it in [0, 1], the network has that inside"),
)
# fmt: on


def parts_of(key: tuple) -> list[Mistake]:
    """The mistakes of a (weights, content, style) key, none for the right one."""
    style = STYLE.get(key[2]) or LAYERS[key[2]]
    return [part for part in (WEIGHTS[key[0]], CONTENT[key[1]], style) if part.id]


def _keys() -> list[tuple]:
    """All (weights, content, style) keys, the right one first, then the fewest mistakes first."""
    keys = itertools.product(WEIGHTS, CONTENT, (*STYLE, *LAYERS))
    keys = [k for k in keys if k[1:] != ("none", "none")]
    return sorted(keys, key=lambda k: len(parts_of(k)))


KEYS = _keys()


def cost_of(case: dict, terms: dict, key: tuple) -> tuple:
    """J and its gradient under the wrong (or right) weights, targets and layers of `key`."""
    style = terms["style"].get(key[2])
    if style is None:
        style = weighted(terms["layers"], LAYERS[key[2]].formula(style_weights(case)))
    weights = WEIGHTS[key[0]].formula(case)
    return total_of(case, terms["content"][key[1]], style, weights)


def fitting(attempts: list[Attempt]) -> Iterator[tuple[Finding | None, tuple]]:
    """The costs that give the J of the first step, the likeliest first. (None, key) for the right one.

    Numbers are drawn, so two costs can agree by chance: only the pixels tell which one it is.
    """
    for key in _fitting_keys(attempts, [a.before for a in attempts]):
        parts = parts_of(key)
        says = ", and ".join(p.says for p in parts)
        credit = parts[0].credit if len(parts) == 1 else TWO
        ids = "+".join(p.id for p in parts)
        yield Finding(ids, parts[0].hint, credit, says) if parts else None, key
    if all(a.pixels is not None for a in attempts):
        for key in _fitting_keys(attempts, [a.after for a in attempts]):
            parts = parts_of(key)
            says = "J is computed after the step: return the J of the image before it"
            says += "".join(", and " + p.says for p in parts)
            ids = "+".join(["train-cost-after"] + [p.id for p in parts])
            yield Finding(ids, 6, TWO if parts else SLIP, says), key
    yield _unlisted_cost(attempts), RIGHT


def _fitting_keys(attempts: list[Attempt], terms: list[dict]) -> Iterator[tuple]:
    """The keys whose J is the returned one in every attempt."""
    fits = np.ones(len(KEYS), bool)
    for a, t in zip(attempts, terms, strict=True):
        fits &= _J_is(a.J, _costs(a.case, t))
    found = [key for key, fit in zip(KEYS, fits, strict=True) if fit]
    yield from sorted(
        found, key=lambda key: (len(parts_of(key)), _off(attempts, terms, key) > 1e-4)
    )


def _off(attempts: list[Attempt], terms: list[dict], key: tuple) -> float:
    """How far the J of `key` is from those that were returned, relative: of two alike, the nearer."""
    costs = [cost_of(a.case, t, key)[0] for a, t in zip(attempts, terms, strict=True)]
    return max(abs(float(a.J) / cost - 1) for a, cost in zip(attempts, costs, strict=True))


def _costs(case: dict, terms: dict) -> np.ndarray:
    """J under every key, (len(KEYS),): 1,548 of them, so all at once."""
    layers = [(cost, 0.0) for cost, _ in terms["layers"]]
    style = {name: cost for name, (cost, _) in terms["style"].items()}
    for name, known in LAYERS.items():
        style[name] = weighted(layers, known.formula(style_weights(case)))[0]
    weights = {name: known.formula(case) for name, known in WEIGHTS.items()}
    costs = [(*weights[w], terms["content"][c][0], style[s]) for w, c, s in KEYS]
    alpha, beta, content, style = np.array(costs, dtype="float64").T
    return total_of(case, (content,), (style,), (alpha, beta))[0]


def _J_is(got: np.ndarray | None, costs: np.ndarray) -> np.ndarray:
    """For each of many costs what `same(got, cost)` says."""
    if got is None or got.shape != () or not np.isfinite(got):
        return np.zeros(len(costs), bool)
    return abs(got - costs) <= TOLERANCE * abs(costs) + 1e-12


def _unlisted_cost(attempts: list[Attempt]) -> Finding:
    """A J that no terms, weights and layers give: a scaled image, a further term, or unknown."""
    for prepared, says in INPUTS:
        terms = [terms_of(a.case, prepared(a.steps[0]["image"])) for a in attempts]
        if RIGHT in _fitting_keys(attempts, terms):
            return Finding("train-image-scaled", 0, FACTOR, says)
    says = (
        "the J that is returned is not alpha J_content + beta J_style of the image before the step"
    )
    values = [a.J for a in attempts]
    if not all(v is not None and v.shape == () and np.isfinite(v) for v in values):
        return Finding("train-cost", 0, PART, says)
    ratios = [float(v) / a.steps[0]["J"] for v, a in zip(values, attempts, strict=True)]
    if ratios[0] and all(near(r, ratios[0]) for r in ratios):
        says = f"the J that is returned is {ratios[0]:.4g} times alpha J_content + beta J_style"
        return Finding("train-cost-scaled", 0, NO_GRADIENT, says)
    return _further_term(attempts) or Finding("train-cost", 0, PART, says)


def _further_term(attempts: list[Attempt]) -> Finding | None:
    """J with a term more, as far as it shows beside costs of different sizes, on two steps each."""
    rows = []  # picture, right J, returned J
    for a in attempts:
        rows.append((a.steps[0]["image"], a.steps[0]["J"], a.J))
        second = number(a.fact, "value_2")
        if a.pixels is not None and second is not None and second.shape == ():
            rows.append((a.pixels, cost_of(a.case, a.after, RIGHT)[0], second))
    shows = [row for row in rows if not same(row[2], row[1])]
    fits = {}  # how far the factors of a term are apart -> the factor, and its name
    for name, variation in VARIATIONS.items():
        sizes = np.array([variation(image)[0] for image, _, _ in shows])
        factors = np.array([float(got - right) for _, right, got in shows]) / sizes
        apart = np.ptp(factors) / abs(factors[0]) if len(factors) > 1 else 1
        if apart < 3e-3 and _explains_pixels(attempts, variation, factors[0]):
            fits[apart] = f"{factors[0]:.3g} times {name}"
    if fits:
        term = fits[min(fits)].replace("times 1, a", "as a")
        says = (
            f"J has a further term, about {term}: here it is alpha J_content + beta J_style alone"
        )
        return Finding("train-further-term", 0, FACTOR, says)
    added = [float(got - right) for _, right, got in shows]
    alike = added and max(map(abs, added)) < 4 * min(map(abs, added))  # the pictures are
    if len(shows) < len(rows) and alike and all(x * added[0] > 0 for x in added):
        least = min(added, key=abs)
        says = f"J is right where it is large, but where it is small, about {least:.3g} is added to it: here J is alpha J_content + beta J_style alone"
        return Finding("train-further-term", 0, FACTOR, says)
    return None


def _explains_pixels(attempts: list[Attempt], variation: Callable, factor: float) -> bool:
    """Are the pixels those of a step of SGD with this term, or of one without it?"""
    for a in attempts:
        image, gradient = a.steps[0]["image"], a.steps[0]["gradient"]
        with_term = gradient + factor * variation(image)[1]
        after = [image - step_of(a.case, moved, {}) for moved in (gradient, with_term)]
        after += [pixels.clip(0, 1) for pixels in after]  # or not: another mistake
        if a.case["optimizer"] == "sgd" and not any(
            pixels_same(a.case, a.pixels, pixels, gradient) for pixels in after
        ):
            return False
    return True


def _differences(image: np.ndarray) -> list[np.ndarray]:
    return [np.diff(image, axis=1), np.diff(image, axis=2)]


def _spread(parts: list[np.ndarray], shape: tuple) -> np.ndarray:
    """The gradient to the image from the gradients to its differences."""
    gradient = np.zeros(shape)
    gradient[:, 1:] += parts[0]
    gradient[:, :-1] -= parts[0]
    gradient[:, :, 1:] += parts[1]
    gradient[:, :, :-1] -= parts[1]
    return gradient


def _total_variation(image: np.ndarray) -> tuple[float, np.ndarray]:
    parts = _differences(image)
    return sum(abs(d).sum() for d in parts), _spread([np.sign(d) for d in parts], image.shape)


def _squared_variation(image: np.ndarray) -> tuple[float, np.ndarray]:
    parts = _differences(image)
    return sum((d * d).sum() for d in parts), _spread([2 * d for d in parts], image.shape)


def _from_grey(image: np.ndarray) -> tuple[float, np.ndarray]:
    return ((image - 0.5) ** 2).sum(), 2 * image - 1


def _length(image: np.ndarray) -> tuple[float, np.ndarray]:
    length = (image**2).sum() ** 0.5
    return length, image / length


VARIATIONS = {  # the image -> value and gradient
    "the total variation": _total_variation,
    "the squared total variation": _squared_variation,
    "the sum of the squared pixels": lambda image: ((image**2).sum(), 2 * image),
    "the sum of the pixels": lambda image: (image.sum(), np.ones(image.shape)),
    "the sum of the squared pixels, after 0.5 is subtracted": _from_grey,
    "the length (norm) of the image": _length,
    "1, a constant": lambda image: (1.0, np.zeros(image.shape)),
}


def ignored_weights(attempts: list[Attempt]) -> dict:
    """The constant alpha, beta, or one of them, that give every J that was returned; else 10 and 40.

    One case alone would give some for any J.
    """
    found = {"ignored": (10, 40), "ignored_alpha": 10, "ignored_beta": 40}
    rows = []
    if len(attempts) < 2:
        return found
    for a in attempts:
        values = [number(a.fact, f"value_{n}") for n in (1, 2)]
        if a.pixels is None or any(
            v is None or v.shape != () or not np.isfinite(v) for v in values
        ):
            return found
        for terms, value in zip((a.before, a.after), values, strict=True):
            unweighted = [
                total_of(a.case, terms["content"]["C"], terms["style"]["S"], w)[0]
                for w in ((1, 0), (0, 1))
            ]
            alpha, beta = a.case["alpha"], a.case["beta"]
            size = alpha * unweighted[0] + beta * unweighted[1]  # so that every row counts alike
            rows.append([*(x / size for x in (*unweighted, float(value))), alpha, beta])
    J_c, J_s, J, a, b = np.array(rows).T
    fit = np.linalg.lstsq(np.stack([J_c, J_s], axis=1), J, rcond=None)[0]
    fit_a, fit_b = (J - b * J_s) @ J_c / (J_c @ J_c), (J - a * J_c) @ J_s / (J_s @ J_s)
    known = ((40, 10), (1, 1))  # these have names of their own
    named = any(near(fit[0], x) and near(fit[1], y) for x, y in known)
    if fit.min() > 1e-3 and same(fit @ [J_c, J_s], J) and not named:
        found["ignored"] = tuple(fit)
    if fit_a > 1e-3 and not near(fit_a, 1) and same(fit_a * J_c + b * J_s, J):
        found["ignored_alpha"] = fit_a
    if fit_b > 1e-3 and not near(fit_b, 1) and same(a * J_c + fit_b * J_s, J):
        found["ignored_beta"] = fit_b
    return found
