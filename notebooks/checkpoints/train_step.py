"""Exercise 5, train_step: its mistakes and its judge."""

# ruff: noqa: E501
# (One line a sentence, so that the tables can be read.)

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from .errors import error_finding
from .facts import near, number, same, show, show_both, text, well_formed
from .judge import kind_finding
from .own_costs import own_costs_finding
from .tiny_network import STYLE_WEIGHT, cases, pixels_same, rollout, step_of, terms_of
from .total_cost import with_defaults
from .verdict import FACTOR, NO_GRADIENT, PART, SLIP, TWO, Exercise, Finding, Mistake, Verdict

# fmt: off
CONTENT = {
    "C": Mistake("", 2, 1, None, ""),
    "S": Mistake("train-content-target", 2, NO_GRADIENT, None, "the content cost compares G with the style image S: compare with a_C"),
    "fixed": Mistake("train-content-fixed", 2, FACTOR, None, "the content cost compares C with S, G does not appear in it: compare a_C with the activations of G"),
    "none": Mistake("train-no-content", 3, FACTOR, None, "the content term is missing"),
}


STYLE = {
    "S": Mistake("", 2, 1, None, ""),
    "C": Mistake("train-style-target", 2, NO_GRADIENT, None, "the style cost compares G with the content image C: compare with a_S"),
    "fixed": Mistake("train-style-fixed", 2, FACTOR, None, "the style cost compares S with C, G does not appear in it: compare a_S with the activations of G"),
    "none": Mistake("train-no-style", 3, FACTOR, None, "the style term is missing"),
}


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
}


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
    Mistake("train-step-doubled", 4, FACTOR, lambda x, d: (x - 2 * d).clip(0, 1), "the step is twice as large as it should be: is the gradient applied twice?"),
)
# fmt: on


RIGHT_COST = ("", "C", "S")  # the key of J itself


def _variants() -> list[tuple]:
    """All (weights, content, style) keys, the right one first, then the fewest mistakes first."""
    keys = itertools.product(WEIGHTS, CONTENT, STYLE)
    keys = [k for k in keys if k[1:] != ("none", "none")]
    return sorted(keys, key=lambda k: len(_variant_parts(k)))


def _variant_parts(key: tuple) -> list[Mistake]:
    parts = (WEIGHTS[key[0]], CONTENT[key[1]], STYLE[key[2]])
    return [part for part in parts if part.id]


def _variant(case: dict, terms: dict, key: tuple) -> tuple[float, np.ndarray]:
    """J and gradient under the wrong (or right) weights and targets of `key`."""
    a, b = WEIGHTS[key[0]].formula(case)
    (J_c, g_c), (J_s, g_s) = terms["content"][key[1]], terms["style"][key[2]]
    return a * J_c + b * J_s, a * g_c + b * g_s


def _ignored_weights(cases: list, facts: list, steps: list) -> dict:
    """The constant alpha, beta, or one of them, that give every J that was returned; else 10 and 40.

    Two cases of two steps each are four equations for one or two numbers.
    """
    found = {"ignored": (10, 40), "ignored_alpha": 10, "ignored_beta": 40}
    rows = []
    for case, fact, step in zip(cases, facts, steps, strict=True):
        pixels = number(fact, "pixels_1")
        if pixels is None or pixels.shape != step[0]["image"].shape or not abs(pixels).max() < 300:
            return found
        for n, terms in ((1, step[0]["terms"]), (2, terms_of(case, pixels))):
            value = number(fact, f"value_{n}")
            if value is None or value.shape != () or not np.isfinite(value):
                return found
            costs = [terms["content"]["C"][0], terms["style"]["S"][0]]
            rows.append([*costs, case["alpha"], case["beta"], float(value)])
    J_c, J_s, a, b, J = np.array(rows).T
    fit = np.linalg.lstsq(np.stack([J_c, J_s], axis=1), J, rcond=None)[0]
    fit_a, fit_b = (J - b * J_s) @ J_c / (J_c @ J_c), (J - a * J_c) @ J_s / (J_s @ J_s)
    known = ((40, 10), (1, 1))  # these have names of their own
    if (
        fit.min() > 1e-3
        and same(fit @ [J_c, J_s], J)
        and not any(near(fit[0], x) and near(fit[1], y) for x, y in known)
    ):
        found["ignored"] = tuple(fit)
    if fit_a > 1e-3 and not near(fit_a, 1) and same(fit_a * J_c + b * J_s, J):
        found["ignored_alpha"] = fit_a
    if fit_b > 1e-3 and not near(fit_b, 1) and same(a * J_c + fit_b * J_s, J):
        found["ignored_beta"] = fit_b
    return found


def _style_weights(facts: list[dict]) -> list[list]:
    """The weights of the style layers that may be right: the notebook's own, and 0.2 five times."""
    found = []
    for key in ("style_weights_default", "style_weights_global"):
        own = number(facts[0], key) if facts else None
        if own is None or own.ndim != 1 or not (own >= 0).all() or not 0.1 <= own.sum() <= 100:
            continue
        own = [*own[:5], 0, 0, 0, 0, 0][:5]  # layers left out do not count
        if sum(own) > 0 and own not in found:
            found.append([float(weight) for weight in own])
    equal = [STYLE_WEIGHT] * 5
    return found if equal in found else [*found, equal]


def _update_finding(cases: list, facts: list, steps: list, cost_key: tuple) -> Finding | None:
    """Which gradient and which update give the pixels after the first step? None: the right ones."""
    pixels = [number(fact, "pixels_1") for fact in facts]
    unused = all(
        number(f, "iterations_1") is not None and not number(f, "iterations_1").any() for f in facts
    )
    moved = [
        p is not None and p.shape == s[0]["image"].shape and abs(p - s[0]["image"]).max() > 1e-5
        for p, s in zip(pixels, steps, strict=True)
    ]
    if unused and any(moved):
        return Finding(
            "train-own-optimizer",
            4,
            FACTOR,
            "the pixels move, but the optimizer that is given is not used (its step counter is 0): a new one forgets Adam's state",
        )
    keys = [cost_key] + [k for k in _variants() if k != cost_key]
    for key, update in itertools.product(keys, UPDATES):
        matches = 0
        for case, got, step in zip(cases, pixels, steps, strict=True):
            gradient = _variant(case, step[0]["terms"], key)[1]
            if not gradient.any():
                break
            after = update.formula(step[0]["image"], step_of(case, gradient, {}))
            if not pixels_same(case, got, after, gradient):
                break
            matches += 1
        if matches == len(cases):
            if key == cost_key or update.id == "train-not-applied":
                return (
                    Finding(update.id, update.hint, update.credit, update.says)
                    if update.id
                    else None
                )
            parts = [p.says for p in _variant_parts(key)] + ([update.says] if update.id else [])
            says = (
                "the image moves along the gradient of another cost than J: in it, "
                + ", and ".join(parts or ["all is right"])
            )
            return Finding("train-gradient-of-part", 4, FACTOR, says)
    return Finding(
        "train-pixels",
        4,
        PART,
        "the pixels after the step are not those that one step of the optimizer gives",
    )


def _costs(cases: list, facts: list, steps: list) -> Iterator[tuple[Finding | None, tuple]]:
    """The costs that give the J of the first step, the likeliest first. (None, key) for the right one.

    Numbers are drawn, so two costs can agree by chance: only the pixels tell which one it is.
    """
    values = [number(fact, "value_1") for fact in facts]

    def fitting(terms: list) -> Iterator[tuple]:
        for key in _variants():
            if all(
                same(v, _variant(c, t, key)[0])
                for v, c, t in zip(values, cases, terms, strict=True)
            ):
                yield key, _variant_parts(key)

    for key, parts in fitting([step[0]["terms"] for step in steps]):
        if not parts:
            yield None, key
            continue
        says = ", and ".join(p.says for p in parts)
        credit = parts[0].credit if len(parts) == 1 else TWO
        yield Finding("+".join(p.id for p in parts), parts[0].hint, credit, says), key
    pixels = [number(fact, "pixels_1") for fact in facts]
    if all(
        p is not None and p.shape == s[0]["image"].shape and abs(p).max() < 300
        for p, s in zip(pixels, steps, strict=True)
    ):
        for key, parts in fitting(
            [terms_of(case, p) for case, p in zip(cases, pixels, strict=True)]
        ):
            says = "J is computed after the step: return the J of the image before it"
            says += "".join(", and " + p.says for p in parts)
            ids = "+".join(["train-cost-after"] + [p.id for p in parts])
            yield Finding(ids, 6, TWO if parts else SLIP, says), key
    says = (
        "the J that is returned is not alpha J_content + beta J_style of the image before the step"
    )
    yield Finding("train-cost", 6, PART, says), RIGHT_COST


UNEARNED = ("train-pixels", "train-not-applied")  # without a right J these show nothing


def _finding(cases: list, facts: list, steps: list) -> Finding | None:
    """All that can be wrong with results that did arrive, the worst first."""
    kinds = {text(f, f"kind_{n}", 40) for f in facts for n in (1, 2)}
    values = [number(f, f"value_{n}") for f in facts for n in (1, 2)]
    costs = _costs(cases, facts, steps)
    cost, key = first = next(costs)
    update = _update_finding(cases, facts, steps, RIGHT_COST)
    if cost and update is None and "train-cost" not in cost.id:
        says = f"the image moves along the right gradient, but the J that is returned is another one: {cost.says}"
        cost = Finding("train-returns-part", 6, SLIP, says)
    elif update is not None:
        fitting = itertools.chain([first], costs)
        followed = (c for c in fitting if not _update_finding(cases, facts, steps, c[1]))
        cost, key = next(followed, first)
        update = _update_finding(cases, facts, steps, key)
    if any(v is None for v in values):
        found = kind_finding(TRAIN_STEP, min(kinds & {"NoneType", "tuple", "list"} or kinds))
        credit = SLIP if update is None else 0 if update.id in UNEARNED else TWO
        more = "" if update is None else f" Besides, {update.says}."
        return Finding(found.id, 6, credit, found.says + more)
    if any(v.shape != () for v in values):
        return Finding(
            "train-not-a-scalar",
            6,
            SLIP if update is None else 0 if update.id in UNEARNED else TWO,
            f"train_step returns an array of shape {values[0].shape}: return the number J.",
        )
    if cost or update:
        both = [f for f in (cost, update) if f]
        says = ", and ".join(f.says for f in both)
        says = "In train_step " + says + "."
        credit = both[0].credit if len(both) == 1 else TWO
        if {"train-cost"} < {f.id for f in both} and update.id in UNEARNED:
            credit = 0
        return Finding("+".join(f.id for f in both), both[0].hint, credit, says)
    for case, fact in zip(cases, facts, strict=True):
        for i in range(6):
            if not all(same(number(fact, k), case[k], 1e-6) for k in (f"kernel_{i}", f"bias_{i}")):
                return Finding(
                    "train-network-changed",
                    4,
                    FACTOR,
                    "The weights of the network change: only the image may, so take the gradient with respect to generated_image alone.",
                )
    for case, fact, step in zip(cases, facts, steps, strict=True):
        if not pixels_same(
            case,
            number(fact, "pixels_2"),
            step[1]["after"],
            step[0]["gradient"],
            step[1]["gradient"],
        ):
            return Finding(
                "train-second-step",
                4,
                FACTOR,
                "The first step is right, the second is not: Adam's state must be kept in the optimizer that is given.",
            )
        if not same(number(fact, "value_2"), step[1]["J"], 1e-2):
            return Finding(
                "train-second-cost",
                6,
                FACTOR,
                "The J of the first step is right, the J of the second is not: does something remember the first image?",
            )
    return None


def judge(cases: list[dict], observations) -> Verdict:
    """Right with one of the weights of the style layers that the student may use, or what is wrong."""
    facts = well_formed(cases, observations)
    if facts is None:
        found = TRAIN_STEP.malformed()
        return TRAIN_STEP.verdict(found)
    given, cases = (
        cases,
        [with_defaults(case, fact) for case, fact in zip(cases, facts, strict=True)],
    )
    verdicts = []
    for weights in _style_weights(facts):
        verdicts.append(_judge([c | {"style_weights": weights} for c in cases], facts))
        if not verdicts[-1].mistake:
            return verdicts[-1]
    own = [number(facts[0], "default_" + key) for key in ("alpha", "beta")]
    if cases == given and all(n is not None and n.shape == () for n in own):  # no fair choice
        own = {"alpha": float(own[0]), "beta": float(own[1]), "style_weights": [STYLE_WEIGHT] * 5}
        unfair = [case if case["explicit"] else case | own for case in given]
        if (own["alpha"], own["beta"]) != (10, 40) and not _judge(unfair, facts).mistake:
            says = "It is right when alpha and beta are given, but the defaults of the def line are not alpha=10, beta=40 any more."
            return TRAIN_STEP.verdict(Finding("train-defaults", 3, SLIP, says))
    return verdicts[0]


def _judge(cases: list[dict], facts: list[dict]) -> Verdict:
    """J before the step, the pixels after two steps, the network untouched."""
    steps = [rollout(case) for case in cases]
    eager = [i for i, case in enumerate(cases) if not case["graph"]]
    shown = [show_both(steps[i][0]["J"], number(facts[i], "value_1")) for i in eager]
    seen = next(
        (both for both in shown if both[0]), ("", "")
    )  # none: J is right, the pixels are not
    own = own_costs_finding(cases, facts, steps)
    errors = [i for i in eager if text(facts[i], "error_type")]
    if errors:
        found = error_finding(TRAIN_STEP, facts[errors[0]], [facts[i] for i in errors], None)
        stub = "NotImplementedError" in text(facts[errors[0]], "error_text")
        found = own if own and not stub else found
        J = show(np.array(steps[errors[0]][0]["J"]))
        return TRAIN_STEP.verdict(found, J, text(facts[errors[0]], "error_type"))
    few = [[part[i] for i in eager] for part in (cases, facts, steps)]
    ignored = _ignored_weights(*few)
    cases = [case | ignored for case in cases]
    few[0] = [cases[i] for i in eager]
    found = _finding(*few)
    if found is None and len(eager) < len(cases):
        i = next(i for i in range(len(cases)) if i not in eager)
        inside = _finding([cases[i]], [facts[i]], [steps[i]])
        error = text(facts[i], "error_message")
        if text(facts[i], "error_type") or inside is not None:
            says = f"It works when called directly, but not inside tf.function ({error or inside.says}): stay in TensorFlow, no float() or NumPy."
            found = Finding("train-not-in-graph", 6, SLIP, says)
    if found is not None and own is not None:
        found = own
    return TRAIN_STEP.verdict(found, *seen) if found else TRAIN_STEP.verdict(None)


TRAIN_STEP = Exercise(
    "train_step",
    number=5,
    points=25,
    short="train",
    cases=cases,
    judge_facts=judge,
    topics={"as in NumPy": 5},
    more=(
        "Indent under `with tf.GradientTape() as tape:` all that leads from the image to J, the call of vgg first.",
        "Of the three pictures C, S and G, which two does each cost compare? G must be in both.",
        "total_cost takes four arguments. Call train_step with alpha=0 and see what J is.",
        "The optimizer takes a list of (gradient, variable) pairs, and only one variable is painted on.",
        "Print the smallest and the largest pixel after a step. A tensor has no assign, a tf.Variable has.",
        "J belongs to the image before the step: keep it while the image changes, and return it.",
    ),
)
