"""Exercise 5, train_step: its judge. Its wrong costs are in step_costs, its updates in step_updates."""

# ruff: noqa: E501
# (One line a sentence.)

from __future__ import annotations

import itertools
import re

import numpy as np

from . import callees
from .causes import with_cause
from .errors import error_finding, stopped_finding
from .facts import number, same, show, show_both, text, well_formed
from .judge import kind_finding
from .layer_style_cost import style_cost
from .raised import globals_used
from .source import from_the_source
from .step_costs import RIGHT, Attempt, fitting, ignored_weights
from .step_updates import NOT_APPLIED, update_finding
from .tiny_network import (
    STYLE_WEIGHT,
    cases,
    features,
    pixels_same,
    pull_back,
    style_weights,
    weighted,
)
from .total_cost import defaults_finding, with_defaults
from .verdict import FACTOR, SLIP, TWO, Exercise, Finding, Verdict

UNEARNED = (
    "train-pixels",
    "train-not-applied",
    "train-clip-swapped",
)  # without a right J these show nothing
VAGUE = {"train-cost", "train-pixels", "train-sometimes"}  # the source may tell more
FOLLOWING = ("train-pixels", "train-gradient")  # what another J does to the pixels


def judge(cases: list[dict], observations) -> Verdict:
    """Right with one of the weights of the style layers that the student may use, or what is wrong."""
    facts = well_formed(cases, observations)
    if facts is None:
        return TRAIN_STEP.verdict(TRAIN_STEP.malformed())
    cases = [with_defaults(case, fact) for case, fact in zip(cases, facts, strict=True)]
    verdicts = []
    for weights in _own_style_weights(facts):
        verdicts.append(_judge([c | {"style_weights": weights} for c in cases], facts))
        if not verdicts[-1].mistake:
            found = defaults_finding(TRAIN_STEP, facts[0], 3)
            return TRAIN_STEP.verdict(found) if found else verdicts[-1]
    return verdicts[0]


def _own_style_weights(facts: list[dict]) -> list[list]:
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


def _judge(cases: list[dict], facts: list[dict]) -> Verdict:
    """J before the step, the pixels after two steps, the network untouched."""
    attempts = [Attempt(case, fact) for case, fact in zip(cases, facts, strict=True)]
    eager = [a for a in attempts if not a.case["graph"]]
    found = _finding(eager)
    if found is None:
        found = _in_graph([a for a in attempts if a.case["graph"]])
        return TRAIN_STEP.verdict(found)
    problems = _problems(eager)
    if problems:
        found = callees.with_problems(TRAIN_STEP, problems, lambda: _finding_alone(eager))
    failed = [a for a in eager if text(a.fact, "error_type")]
    if failed:
        J = show(np.array(failed[0].steps[0]["J"]))
        return TRAIN_STEP.verdict(found, J, text(failed[0].fact, "error_type"))
    shown = [show_both(a.steps[0]["J"], a.J) for a in eager]
    return TRAIN_STEP.verdict(found, *next((both for both in shown if both[0]), ("", "")))


# --- The functions that it calls -----------------------------------------------------------------


def _problems(attempts: list[Attempt]) -> dict[str, str]:
    """The earlier functions that it calls and that are wrong, and how."""
    facts = [a.fact for a in attempts]
    found = callees.stopped_in(facts)
    used = callees.called(facts)
    if "compute_layer_style_cost" in used:
        used |= {"gram_matrix", "compute_style_cost"}
    for attempt in attempts:
        for name, (expected, gradient) in _own_expected(attempt).items():
            why = callees.problem(attempt.fact, name, expected, gradient) if name in used else ""
            found |= {name: why} if why and name not in found else {}
    return found if set(found) - {"gram_matrix"} or callees.stopped_in(facts) else {}


def _own_expected(attempt: Attempt) -> dict:
    """What the student's cost functions must give where the observer asked them, and a gradient."""
    case, terms, image = attempt.case, attempt.before, attempt.steps[0]["image"]
    S, G = (
        features(case, picture)[0] for picture in (case["style_image"].astype("float64"), image)
    )
    layer, upstream = style_cost(S, G)
    style = weighted(terms["layers"], style_weights(case))
    A = case["gram_input"].astype("float64")
    J = case["alpha"] * case["own_J_content"] + case["beta"] * case["own_J_style"]
    return {
        "compute_content_cost": (terms["content"]["C"][0], ("image", terms["content"]["C"][1])),
        "gram_matrix": (A @ A.T, ("A", 2 * np.tile(A.sum(axis=0), (len(A), 1)))),
        "compute_layer_style_cost": (layer, ("image", pull_back(case, image.shape, {0: upstream}))),
        "compute_style_cost": (style[0], ("image", style[1])),
        "total_cost": (J, ("J_content", np.array(case["alpha"]))),
    }


def _finding_alone(attempts: list[Attempt]) -> Finding | None:
    """What is wrong with train_step itself: with stand-ins for the functions that it calls."""
    facts = callees.alone([a.fact for a in attempts])
    used = tuple(sorted(callees.called([a.fact for a in attempts])))
    alone = [
        Attempt(a.case | {"stand_ins": used}, fact) for a, fact in zip(attempts, facts, strict=True)
    ]
    return _finding(alone, second=False)


# --- What is wrong -------------------------------------------------------------------------------


def _finding(attempts: list[Attempt], second: bool = True) -> Finding | None:
    """All that can be wrong with a train_step that was called directly, the worst first."""
    facts = [a.fact for a in attempts]
    if found := stopped_finding(
        TRAIN_STEP, facts, max((a.iterations for a in attempts), default=0)
    ):
        return found
    failed = [fact for fact in facts if text(fact, "error_type")]
    if failed:
        return error_finding(TRAIN_STEP, failed[0], failed, None)
    if found := _infinite(attempts):
        return found
    if changed := _with_changed_rates(attempts):
        return _rate_finding(changed, second)
    ignored = ignored_weights(attempts)
    attempts = [Attempt(a.case | ignored, a.fact) for a in attempts]
    cost, update = _cost_and_update(attempts)
    vague = {found.id for found in (cost, update) if found} & VAGUE
    if vague and (found := from_the_source(TRAIN_STEP, facts[0]) or _other_target(facts[0])):
        return found
    if update and update.id == NOT_APPLIED.id:  # did it move the image when it was asked before?
        found = from_the_source(TRAIN_STEP, facts[0])
        if found and found.id == "train-remembers":
            return found
    numbers = (1, 2) if second else (1,)
    kinds = {text(fact, f"kind_{n}", 40) for fact in facts for n in numbers}
    values = [number(fact, f"value_{n}") for fact in facts for n in numbers]
    found = _result_finding(kinds, values, update)
    if found is None and (cost or update):
        found = _with_reason(_both(cost, update), facts[0])
    if found is not None:
        return with_cause(TRAIN_STEP, facts[0], found)
    return _second_finding(attempts) if second else None


def _second_finding(attempts: list[Attempt]) -> Finding | None:
    """The first step is right: is anything else wrong?"""
    found = _float16_finding(attempts) or _network_finding(attempts)
    if found is None and (found := _second_step_finding(attempts)):
        return from_the_source(TRAIN_STEP, attempts[0].fact) or found
    return found


def _infinite(attempts: list[Attempt]) -> Finding | None:
    """J is no finite number: on the activations that are as large as those of VGG-19, or on all."""
    values = [a.J for a in attempts]
    if any(v is None or v.shape != () for v in values) or np.isfinite(values).all():
        return None
    finite = [(v, a.steps[0]["J"]) for v, a in zip(values, attempts, strict=True) if np.isfinite(v)]
    if finite and all(same(v, J, 0.03) for v, J in finite):
        says = "J is right on small activations, but not finite on such as VGG-19 gives, which reach thousands: is something cast to float16?"
        return Finding("train-float16", 0, FACTOR, says)
    says = "J is not a finite number (NaN or infinity): is there a division by zero, or float16?"
    return Finding("train-float16", 0, 0, says)


def _with_changed_rates(attempts: list[Attempt]) -> list[Attempt]:
    """The attempts with the learning rates that the optimizers have now, [] if they are the given."""
    rates = [number(a.fact, "rate_after") for a in attempts]
    if any(r is None or r.shape != () or not 0 <= r < 1e6 for r in rates):
        return []
    now = [
        Attempt(a.case | {"learning_rate": float(r)}, a.fact)
        for a, r in zip(attempts, rates, strict=True)
    ]
    given = [a.case["learning_rate"] for a in attempts]
    return [] if all(same(r, g, 1e-4) for r, g in zip(rates, given, strict=True)) else now


def _rate_finding(attempts: list[Attempt], second: bool) -> Finding:
    """The learning rate is changed; what else is wrong, where it is this one?"""
    rate = attempts[0].case["learning_rate"]
    says = f"The learning rate of the optimizer is changed to {rate:.3g}: leave it as it is given."
    found = _finding(attempts, second)
    follows = ("train-gradient-scaled", "train-second", "train-pixels")  # perhaps of the rate alone
    if found is None or found.id.startswith(follows):
        return Finding("train-rate-changed", 4, FACTOR, says)
    credit = min(found.credit, TWO)
    return Finding(f"train-rate-changed+{found.id}", 4, credit, f"{says} Besides: {found.says}")


def _cost_and_update(attempts: list[Attempt]) -> tuple[Finding | None, Finding | None]:
    """What is wrong with J, and with the pixels: of the costs that fit, the one they followed."""
    costs = fitting(attempts)
    cost, key = first = next(costs)
    update = update_finding(attempts, RIGHT)
    if cost and update is None and cost.id == "train-further-term":
        return cost, None  # the pixels do not show it if it is small
    if cost and update is None and "train-cost" not in cost.id:
        says = f"the image moves along the right gradient, but the J that is returned is another one: {cost.says}"
        return Finding("train-returns-part", 6, SLIP, says), None
    if update is not None:
        followed = (
            c for c in itertools.chain([first], costs) if not update_finding(attempts, c[1])
        )
        cost, key = next(followed, first)
        update = update_finding(attempts, key)
    whole = ("train-image-scaled", "train-further-term")  # they explain the pixels, too
    if cost and update and cost.id in whole and update.id.startswith(FOLLOWING):
        return cost, None
    if cost and update and update.id == "train-several-steps":
        return None, update
    if cost and update and cost.id == update.id:
        return cost, None
    return cost, update


def _result_finding(kinds: set[str], values: list, update: Finding | None) -> Finding | None:
    """What is returned is no number."""
    others = kinds & {"NoneType", "tuple", "list", "dict"}
    if all(v is not None and v.shape == () for v in values) and not others:
        return None
    credit = SLIP if update is None else 0 if update.id in UNEARNED else TWO
    more = "" if update is None else f" Besides, {update.says}."
    if any(v is None for v in values) or others:
        found = kind_finding(TRAIN_STEP, min(others or kinds))
        return Finding(found.id, 6, credit, found.says + more)
    says = f"train_step returns an array of shape {values[0].shape}: return the number J."
    return Finding("train-not-a-scalar", 6, credit, says + more)


def _both(cost: Finding | None, update: Finding | None) -> Finding:
    """One sentence for a wrong cost, a wrong update, or both."""
    both = [found for found in (cost, update) if found]
    says = "In train_step " + ", and ".join(found.says for found in both)
    says += "" if says.endswith("?") else "."
    credit = both[0].credit if len(both) == 1 else TWO
    if cost and update and cost.id == "train-cost" and update.id in UNEARNED:
        credit = 0
    return Finding("+".join(found.id for found in both), both[0].hint, credit, says)


def _line(fact: dict, pattern: str) -> str:
    """The first line of the student's function that matches, "" if none does."""
    source = fact.get("source") if type(fact.get("source")) is str else ""
    return next((x.strip()[:120] for x in source.splitlines() if re.search(pattern, x)), "")


def _other_target(fact: dict) -> Finding | None:
    """The gradient is that of activations, not of J."""
    line = _line(fact, r"\.gradient\(\s*(a_\w+|vgg\w*)\s*,")
    if not line:
        return None
    says = f"In `{line}`: that is the gradient of the activations. Take that of J."
    return Finding("train-gradient-of-part", 4, FACTOR, says)


def _with_reason(found: Finding, fact: dict) -> Finding:
    """The finding with the line of the student's code, or the data, that may be its reason."""
    says, cut = found.says, _line(fact, r"^(?!\s*def ).*(stop_gradient|stop_recording)")
    if cut and ": take that of J" in says:
        says = f"{says.split(': take that of J')[0]}: `{cut}` cuts the other term off."
    vague = {"train-cost", "train-pixels"} & set(found.id.split("+"))
    says += globals_used(text(fact, "data").split()) if vague else ""
    return Finding(found.id, found.hint, found.credit, says)


def _float16_finding(attempts: list[Attempt]) -> Finding | None:
    """Pixels that all have the few digits of a float16."""
    inside = [a.pixels[(a.pixels > 0) & (a.pixels < 1)] for a in attempts if a.pixels is not None]
    if not all(p.size and np.array_equal(p, p.astype("float16")) for p in inside):
        return None
    says = "The pixels are rounded to float16: keep them in float32, small steps would be lost."
    return Finding("train-rounded", 5, FACTOR, says)


def _network_finding(attempts: list[Attempt]) -> Finding | None:
    """Has the network changed?"""
    for a in attempts:
        for key in [key for key in a.case if key.startswith(("kernel_", "bias_"))]:
            if not same(number(a.fact, key), a.case[key], 1e-6):
                says = "The weights of the network change: only the image may, so take the gradient with respect to generated_image alone."
                return Finding("train-network-changed", 4, FACTOR, says)
    return None


def _second_step_finding(attempts: list[Attempt]) -> Finding | None:
    """Is the second step right, too?"""
    for a in attempts:
        first, second = a.steps
        pixels = number(a.fact, "pixels_2")
        if not pixels_same(a.case, pixels, second["after"], first["gradient"], second["gradient"]):
            says = "The first step is right, the second is not: Adam's state must be kept in the optimizer that is given."
            return Finding("train-second-step", 4, FACTOR, says)
        if not same(number(a.fact, "value_2"), second["J"], 1e-2):
            says = "The J of the first step is right, the J of the second is not: does something remember the first image?"
            return Finding("train-second-cost", 6, FACTOR, says)
    return None


def _in_graph(attempts: list[Attempt]) -> Finding | None:
    """Right when called directly: also inside tf.function?"""
    if not attempts:
        return None
    found = _finding(attempts)
    if found is None:
        return None
    fact = attempts[0].fact
    why = text(fact, "error_message") or found.says
    if "tf.Variable" in why and (line := _line(fact, r"\bVariable\(")):
        says = f"In `{line}`: every call makes a new variable, which does not work inside tf.function, as the notebook runs it. Use a tensor, or leave it out."
        return Finding("train-not-in-graph", 0, SLIP, says)
    if "train-not-applied" in found.id and (line := _line(fact, r"^\s*if\b.*\bJ")):
        says = f"In `{line}`: where that is so, no step is made, or another one. train_step always makes one."
        return Finding("train-sometimes", 4, SLIP, says)
    says = f"It works when called directly, but not inside tf.function ({why}): stay in TensorFlow, no float() or NumPy."
    return Finding("train-not-in-graph", 6, SLIP, says)


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
