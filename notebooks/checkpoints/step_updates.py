"""Exercise 5: which gradient, and which update, give the pixels that a train_step left behind?"""

# ruff: noqa: E501
# (One line a sentence, so that the tables can be read.)

from __future__ import annotations

import itertools

import numpy as np

from .facts import near, same
from .step_costs import (
    CONTENT,
    LAYERS,
    RIGHT,
    STYLE,
    VARIATIONS,
    WEIGHTS,
    Attempt,
    cost_of,
    parts_of,
)
from .tiny_network import pixels_same, step_of, style_weights, total_of
from .verdict import FACTOR, NO_GRADIENT, PART, TWO, Finding, Mistake

# fmt: off
UPDATES = (  # pixels before, what the optimiser subtracts -> pixels after
    Mistake("", 0, 1, lambda x, d: (x - d).clip(0, 1), ""),
    Mistake("train-no-clip", 5, NO_GRADIENT, lambda x, d: x - d, "the pixels leave [0, 1]: clip, and assign the clipped pixels to the variable itself, not to a new tensor"),
    Mistake("train-clip-255", 5, NO_GRADIENT, lambda x, d: (x - d).clip(0, 255), "pixels above 1 are kept: clip to [0, 1], not to 255 and not only from below"),
    Mistake("train-clip-above-only", 5, NO_GRADIENT, lambda x, d: (x - d).clip(-1, 1), "pixels below 0 are kept: clip to [0, 1]"),
    Mistake("train-not-applied", 4, PART, lambda x, d: x, "the image does not change: apply the gradient to the variable that is given, in place"),
    Mistake("train-ascent", 4, FACTOR, lambda x, d: (x + d).clip(0, 1), "the image moves up the gradient: the sign is turned round, J must fall"),
    Mistake("train-ascent+train-no-clip", 4, TWO, lambda x, d: x + d, "the image moves up the gradient (the sign is turned round), and it is not clipped"),
    Mistake("train-clip-before", 5, NO_GRADIENT, lambda x, d: x.clip(0, 1) - d, "the clipping comes before the step: clip afterwards"),
    Mistake("train-clip-other", 5, FACTOR, lambda x, d: (x - d).clip(-0.5, 0.5), "the pixels are clipped to another range than [0, 1]"),
    Mistake("train-squeezed", 5, FACTOR, lambda x, d: 1 / (1 + np.exp(d - x)), "the pixels are squeezed by a sigmoid: clip them to [0, 1], which leaves those inside as they are"),
    Mistake("train-stretched", 5, FACTOR, lambda x, d: (x - d - (x - d).min()) / np.ptp(x - d), "the pixels are stretched to [0, 1]: clip them, which leaves those inside as they are"),
    Mistake("train-squeezed", 5, FACTOR, lambda x, d: (np.tanh(x - d) + 1) / 2, "the pixels are squeezed by a tanh: clip them to [0, 1], which leaves those inside as they are"),
    Mistake("train-wrapped", 5, FACTOR, lambda x, d: (x - d) % 1, "the pixels are wrapped round (% or mod): clip them to [0, 1]"),
    Mistake("train-divided-255", 5, FACTOR, lambda x, d: (x - d) / 255, "the pixels are divided by 255 after the step: they are in [0, 1] already"),
    Mistake("train-divided-255", 5, FACTOR, lambda x, d: (x - d).clip(0, 255) / 255, "the pixels are divided by 255 after the step: they are in [0, 1] already"),
    Mistake("train-clip-subtracted", 5, FACTOR, lambda x, d: x - d - (x - d).clip(0, 1), "the clipped pixels are subtracted from the image (assign_sub): assign them"),
    Mistake("train-clip-added", 5, FACTOR, lambda x, d: x - d + (x - d).clip(0, 1), "the clipped pixels are added to the image (assign_add): assign them"),
    Mistake("train-clip-added", 5, FACTOR, lambda x, d: x + (x - d).clip(0, 1), "the new pixels are added to the image (assign_add): assign them"),
    Mistake("train-clip-before", 5, NO_GRADIENT, lambda x, d: x - d.clip(0, 1), "what the optimizer subtracts is clipped: clip the pixels, after the step"),
    Mistake("train-inverted", 5, FACTOR, lambda x, d: 1 - (x - d).clip(0, 1), "the pixels are inverted (1 - x) after the step: leave them"),
    Mistake("train-absolute", 5, FACTOR, lambda x, d: abs(x - d).clip(0, 1), "the absolute value of the pixels is taken: clip them to [0, 1]"),
    Mistake("train-absolute", 5, FACTOR, lambda x, d: abs(x - d), "the absolute value of the pixels is taken: clip them to [0, 1]"),
    Mistake("train-assigned-change", 4, FACTOR, lambda x, d: (-d).clip(0, 1), "only the change is assigned to the image: the new pixels are the old ones minus the step"),
    Mistake("train-step-doubled", 4, FACTOR, lambda x, d: (x - 2 * d).clip(0, 1), "the step is twice as large as it should be: is the gradient applied twice?"),
)
# fmt: on
NOT_APPLIED = UPDATES[4]
ALONE = {  # the key of a cost -> its formula
    ("one", "C", "none"): "J_content alone",
    ("one", "none", "S"): "J_style alone",
    ("", "C", "none"): "alpha J_content alone",
    ("", "none", "S"): "beta J_style alone",
    ("one", "C", "S"): "J_content + J_style, without their weights",
}


def update_finding(attempts: list[Attempt], key: tuple) -> Finding | None:
    """Which gradient and which update give the pixels after the first step? None: the right ones.

    `key` is the cost whose gradient is the first to be tried.
    """
    moved = [
        a.pixels is not None and abs(a.pixels - a.steps[0]["image"]).max() > 1e-5 for a in attempts
    ]
    if all(a.iterations == 0 for a in attempts) and any(moved):
        says = "the pixels move, but the optimizer that is given is not used (its step counter is 0): a new one forgets Adam's state"
        return Finding("train-own-optimizer", 4, FACTOR, says)
    update = _fitting_update(attempts, key)
    if update is None and not any(moved):
        update = NOT_APPLIED
    if update is NOT_APPLIED and all(a.iterations == 0 for a in attempts):
        says = f"{update.says} (the optimizer that is given makes no step: is there a return above it, or an except or if that hides an error?)"
        return Finding(update.id, update.hint, update.credit, says)
    if update is not None:
        return Finding(update.id, update.hint, update.credit, update.says) if update.id else None
    if all(a.pixels is not None and np.ptp(a.pixels) < 1e-6 for a in attempts):
        says = "all pixels have the same value after the step: are the limits of the clipping in the wrong order (0 first, then 1)?"
        return Finding("train-clip-swapped", 5, FACTOR, says)
    several = max(a.iterations for a in attempts)
    if several > 1:
        says = f"one call makes {several:.0f} steps of the optimizer: train_step makes one, the loop comes later"
        return Finding("train-several-steps", 4, FACTOR, says)
    return (
        _sometimes(attempts)
        or _rounded(attempts)
        or _other_gradient(attempts, key)
        or _read_gradient(attempts)
        or _UNKNOWN
    )


_UNKNOWN = Finding(
    "train-pixels",
    0,
    PART,
    "the pixels after the step are not those that one step of the optimizer gives",
)


def _sometimes(attempts: list[Attempt]) -> Finding | None:
    """Some of the steps are right, and some are not made: the optimizer has not counted them."""
    still = [
        a.iterations == 0
        and a.pixels is not None
        and not abs(a.pixels - a.steps[0]["image"]).max() > 1e-5
        for a in attempts
    ]
    right = [_gives(UPDATES[0], a, a.steps[0]["gradient"]) for a in attempts]
    if not (any(still) and any(right) and all(np.logical_or(still, right))):
        return None
    says = "the step is right on some pictures, and on others none is made: is there an if, or is something remembered from an earlier call? train_step always makes one"
    return Finding("train-sometimes", 4, FACTOR, says)


def _fitting_update(attempts: list[Attempt], key: tuple) -> Mistake | None:
    """The update along the gradient of `key` that gives the pixels of every attempt."""
    gradients = [cost_of(a.case, a.before, key)[1] for a in attempts]
    if not all(np.any(gradient) for gradient in gradients):
        return None
    steps = [step_of(a.case, g, {}) for a, g in zip(attempts, gradients, strict=True)]
    for update in UPDATES:
        made = zip(attempts, gradients, steps, strict=True)
        if all(_is_made_by(update, *attempt) for attempt in made):
            return update
    return None


def _gives(update: Mistake, attempt: Attempt, gradient: np.ndarray) -> bool:
    """Does this update along this gradient give the attempt's pixels?"""
    return _is_made_by(update, attempt, gradient, step_of(attempt.case, gradient, {}))


def _is_made_by(update: Mistake, attempt: Attempt, gradient: np.ndarray, step: np.ndarray) -> bool:
    """The same, for who has the optimiser's step already."""
    after = update.formula(attempt.steps[0]["image"], step)
    return pixels_same(attempt.case, attempt.pixels, after, gradient)


def _rounded(attempts: list[Attempt]) -> Finding | None:
    """The right pixels (of SGD, where they are sure), rounded to multiples of 1/255."""
    for a in attempts:
        if a.pixels is None or abs(255 * a.pixels - np.round(255 * a.pixels)).max() > 1e-3:
            return None
        if a.case["optimizer"] == "sgd" and abs(a.pixels - a.steps[0]["after"]).max() > 1.01 / 255:
            return None
    says = "the pixels are rounded to multiples of 1/255 (uint8?): keep them as they are, small steps would be lost"
    return Finding("train-rounded", 5, FACTOR, says)


def _other_gradient(attempts: list[Attempt], key: tuple) -> Finding | None:
    """The gradient of another listed cost than that of `key`."""
    moving = [[k for k in terms if k != "fixed"] for terms in (CONTENT, STYLE)]  # that has none
    keys = [
        RIGHT,
        *ALONE,
        *itertools.product(WEIGHTS, *moving),
        *itertools.product(("",), ("C", "none"), LAYERS),
    ]
    for other in keys:
        if other != key and (update := _fitting_update(attempts, other)):
            parts = [p.says for p in parts_of(other)] + ([update.says] if update.id else [])
            if other in ALONE:
                says = f"the gradient is that of {ALONE[other]}: take that of J, with both terms inside the tape"
                says += f"; {update.says}" if update.id else ""
                return Finding("train-gradient-of-part", 4, FACTOR, says)
            says = (
                "the image moves along the gradient of another cost than J: in it, "
                + ", and ".join(parts or ["all is right"])
            )
            return Finding("train-gradient-of-part", 4, FACTOR, says)
    return None


# --- Reading the gradient off the pixels ---------------------------------------------------------


def _read_gradient(attempts: list[Attempt]) -> Finding | None:
    """SGD moves the pixels by the gradient itself: what is it made of?"""
    for attempt in attempts:
        if attempt.case["optimizer"] == "sgd" and attempt.pixels is not None:
            moved = (attempt.steps[0]["image"] - attempt.pixels) / attempt.case["learning_rate"]
            free = _unclipped(attempt.pixels)
            if found := _pixels_scaled(attempt) or _colour_added(attempt):
                return found
            if free.sum() < 30 or _gives(UPDATES[0], attempt, attempt.steps[0]["gradient"]):
                continue
            if found := _nonlinear(attempt, moved, free) or _composition(attempt, moved, free):
                return found
    return None


def _pixels_scaled(attempt: Attempt) -> Finding | None:
    """The right pixels before clipping, all times a number."""
    step = attempt.steps[0]
    after = step["image"] - attempt.case["learning_rate"] * step["gradient"]
    ratio = (attempt.pixels * after).sum() / (after * after).sum()
    if ratio < 1e-3 or near(ratio, 1) or not same(attempt.pixels, ratio * after):
        return None
    says = f"all pixels are multiplied by {ratio:.4g} after the step (a norm?): clip them to [0, 1], which leaves those inside as they are"
    return Finding("train-pixels-scaled", 5, FACTOR, says)


def _colour_added(attempt: Attempt) -> Finding | None:
    """The right pixels, and one colour added to all of them."""
    step = attempt.steps[0]
    rest = attempt.pixels - (step["image"] - attempt.case["learning_rate"] * step["gradient"])
    inside = (attempt.pixels > 1e-6) & (attempt.pixels < 1 - 1e-6)
    by_colour = [rest[..., c][inside[..., c]] for c in range(rest.shape[-1])]
    if min(len(r) for r in by_colour) < 4 or max(np.ptp(r) for r in by_colour) > 1e-3:
        return None
    colour = [float(np.mean(r)) for r in by_colour]
    if max(map(abs, colour)) < 0.01:
        return None
    says = f"a colour, ({', '.join(f'{c:.3g}' for c in colour)}), is added to all pixels after the step: they are in [0, 1] as they are"
    return Finding("train-colour-added", 5, FACTOR, says)


def _unclipped(pixels: np.ndarray) -> np.ndarray:
    """The pixels that no clipping has changed: not those that are all at the largest or smallest."""
    free = (abs(pixels) > 1e-6) & (abs(pixels - 1) > 1e-6)
    for end in (pixels.min(), pixels.max()):
        at = abs(pixels - end) < 1e-6
        if at.sum() > 1:
            free &= ~at
    return free


def _nonlinear(attempt: Attempt, moved: np.ndarray, free: np.ndarray) -> Finding | None:
    """The right gradient, times a number, clipped, or its sign."""
    right = attempt.steps[0]["gradient"]
    factor = (moved * right)[free].sum() / (right * right)[free].sum()
    if near(factor, 1) and same(moved[free], right[free]):
        low, high = attempt.pixels.min(), attempt.pixels.max()
        if same(attempt.pixels, attempt.steps[0]["after"]):
            return None  # here the step is right
        if max((abs(attempt.pixels - end) < 1e-6).sum() for end in (low, high)) < 2:
            return Finding("train-no-clip", 5, NO_GRADIENT, UPDATES[1].says)
        says = f"the pixels are clipped to [{low:.3g}, {high:.3g}]: clip to [0, 1]"
        return Finding("train-clip-other", 5, FACTOR, says)
    if same(moved[free], factor * right[free]):
        says = f"the image moves along the right gradient, but {factor:.4g} times as far: is the gradient multiplied, or divided by its size, or the new image mixed with the old one? Only the optimizer's learning rate sets the length of a step"
        return Finding("train-gradient-scaled", 4, FACTOR, says)
    if found := _of_means(right, moved, free):
        return found
    still = free & (abs(moved) < 1e-4 * abs(right).max())
    if (abs(moved[free]) < 1e-3 * abs(right).max()).all():  # float32 holds too little of it
        says = "the image hardly moves, though the optimizer makes its step: is the gradient cut to a tiny length (clip_by_norm, clip_by_global_norm), or divided by a large number? Only the optimizer's learning rate sets the length of a step"
        return Finding("train-gradient-scaled", 4, FACTOR, says)
    if same(moved[free & ~still], right[free & ~still]) and still.sum() > 5:
        says = f"{still.sum() / free.sum():.0%} of the pixels do not move: apply the whole gradient, to every pixel and colour"
        return Finding("train-gradient-masked", 4, FACTOR, says)
    low, high = moved[free].min(), moved[free].max()
    if same(moved[free], right[free].clip(low, high)):
        says = f"the gradient is clipped to [{low:.4g}, {high:.4g}] before it is applied: it is the pixels that must be clipped, after the step"
        return Finding("train-gradient-clipped", 4, NO_GRADIENT, says)
    strong = free & (abs(right) > 0.01 * abs(right).max())
    if same(moved[strong], high * np.sign(right[strong])):
        says = "only the sign of the gradient is used: apply the gradient itself"
        return Finding("train-gradient-sign", 4, FACTOR, says)
    return None


def _of_means(right: np.ndarray, moved: np.ndarray, free: np.ndarray) -> Finding | None:
    """The gradient's mean over the colours, or the gradient less its mean."""
    grey = np.broadcast_to(right.mean(axis=-1, keepdims=True), right.shape)
    if same(moved[free], grey[free]):
        says = (
            "the gradient is averaged over the colours: apply it as it is, each colour has its own"
        )
        return Finding("train-gradient-averaged", 4, FACTOR, says)
    for axes in (None, (0, 1, 2), -1):
        if same(moved[free], (right - right.mean(axis=axes, keepdims=True))[free]):
            says = "the mean of the gradient is subtracted from it: apply the gradient as it is"
            return Finding("train-gradient-centred", 4, FACTOR, says)
    return None


def _composition(attempt: Attempt, moved: np.ndarray, free: np.ndarray) -> Finding | None:
    """The gradient as a sum of those of the content cost, of each style layer, of a variation."""
    image, terms = attempt.steps[0]["image"], attempt.before
    parts = [terms["content"]["C"][1], *(gradient for _, gradient in terms["layers"])]
    extras = {"": None} | {name: variation(image)[1] for name, variation in VARIATIONS.items()}
    for name, extra in extras.items():
        if extra is not None and not extra.any():  # a constant
            continue
        columns = np.stack([p[free] for p in (*parts, *([] if extra is None else [extra]))], axis=1)
        factors = np.linalg.lstsq(columns, moved[free], rcond=None)[0]
        if not same(moved[free], columns @ factors):
            continue
        if name:
            says = f"the gradient has a further term, about {factors[-1]:.3g} times that of {name}: here J is alpha J_content + beta J_style alone"
            return Finding("train-further-term", 0, FACTOR, says)
        return _described(attempt, factors)
    return None


def _described(attempt: Attempt, factors: np.ndarray) -> Finding:
    """The factors that were found in words, beside those that are right."""
    zero = (0.0, 0.0)
    wanted = [total_of(attempt.case, (1.0, 0.0), zero)[0]]
    wanted += [total_of(attempt.case, zero, (w, 0.0))[0] for w in style_weights(attempt.case)]
    names = [
        "J_content",
        *(f"style layer {i}" for i in range(1, 6)),
        "the content layer's style cost",
    ]
    size = max(abs(w) for w in wanted)
    wrong = [
        i
        for i, (f, w) in enumerate(zip(factors, wanted, strict=True))
        if not (near(f, w) or abs(f - w) < 2e-3 * size)
    ]
    listed = [
        f"{names[i]} counts {_short(factors[i], size)} times instead of {wanted[i]:.4g}"
        for i in wrong
    ]
    says = "the image moves along the gradient of another cost than J: in it, " + ", ".join(listed)
    return Finding("train-gradient-of-part", 4, FACTOR, says)


def _short(factor: float, size: float) -> str:
    return "0" if abs(factor) < 2e-3 * size else f"{factor:.4g}"
