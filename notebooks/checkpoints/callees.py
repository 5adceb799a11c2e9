"""Is an earlier exercise, which a function calls, the one to put right?

What a function does itself counts, also then: the observer has called it once more with stand-ins in
the place of the earlier exercises, and those facts ("alone_...") are judged against the stand-ins.
"""

# ruff: noqa: E501
# (One line a sentence.)

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from .facts import number, same, text
from .verdict import FOLLOWS, Exercise, Finding

EXERCISE_OF = {
    "compute_content_cost": "Exercise 1",
    "gram_matrix": "Exercise 2",
    "compute_layer_style_cost": "Exercise 3",
    "total_cost": "Exercise 4",
    "compute_style_cost": "the given compute_style_cost",
}


def called(facts: list[dict]) -> set[str]:
    """The earlier functions that the student's calls, as far as it came."""
    names = {name for fact in facts for name in text(fact, "called").split()}
    names |= {text(fact, key) for fact in facts for key in ("error_in", "alone_error_in")}
    return names & EXERCISE_OF.keys()


def alone(facts: list[dict]) -> list[dict]:
    """The facts of the calls with stand-ins, under the names that those of a plain call have."""
    kept = ("names", "source", "data", "parameters", "eager", "default_alpha", "default_beta")
    found = []
    for fact in facts:
        plain = {key: fact[key] for key in kept if key in fact}
        found.append(
            plain
            | {k.removeprefix("alone_"): v for k, v in fact.items() if str(k).startswith("alone_")}
        )
    return found


def problem(fact: dict, name: str, expected: np.ndarray, gradient: tuple[str, np.ndarray]) -> str:
    """What is wrong with an earlier function of the student's, "" if nothing is.

    `gradient` is the key of a gradient of its result, and what that must be.
    """
    key, wanted = gradient
    own = f"own_{name}_"
    if text(fact, own + "stopped"):
        return "does not come to an end"
    if error := text(fact, own + "error_type"):
        return (
            "is not written yet" if error == "NotImplementedError" else f"raises {_article(error)}"
        )
    if text(fact, own + "kind") == "NoneType":
        return "returns nothing"
    if own + "value" not in fact:
        return ""  # nobody asked it
    if not same(number(fact, own + "value"), expected):
        return "is not right yet"
    if not same(number(fact, f"{own}grad_{key}"), wanted, 1e-2):
        return "lets no right gradient through"
    return ""


def stopped_in(facts: list[dict]) -> dict[str, str]:
    """The earlier function in which a call was stopped."""
    found = set()
    for fact in facts:
        steps = number(fact, "iterations_1")  # once there is a step, the costs before it had an end
        if text(fact, "stopped") in ("time", "memory") and (steps is None or not steps.any()):
            found.add(text(fact, "error_in"))
    return dict.fromkeys(found & EXERCISE_OF.keys(), "does not come to an end")


def with_problems(
    exercise: Exercise, problems: dict[str, str], own: Callable[[], Finding | None]
) -> Finding:
    """The finding when functions that this one calls have `problems`, and `own` judges it alone."""
    if "gram_matrix" in problems:  # the style cost is wrong because of it
        problems = {
            n: why
            for n, why in problems.items()
            if n not in ("compute_layer_style_cost", "compute_style_cost")
        }
    elif "compute_layer_style_cost" in problems:
        problems = {n: why for n, why in problems.items() if n != "compute_style_cost"}
    first = " and ".join(sorted(EXERCISE_OF[name] for name in problems))
    why = " and ".join(f"your {name}, which {problems[name]}" for name in sorted(problems))
    mistake = f"{exercise.short}-fix-" + ("gram" if exercise.short == "style" else "costs")
    found = own()
    if found is None:
        says = f"{exercise.name} itself is right, but it calls {why}: fix {first} first, then run this again."
        return Finding(mistake, 0, FOLLOWS, says)
    says = f"{found.says} Besides, it calls {why}: fix {first}, too."
    return Finding(f"{found.id}+{mistake}", found.hint, min(found.credit, FOLLOWS), says)


def _article(error: str) -> str:
    return f"an {error}" if re.match("[AEIOU]", error) else f"a {error}"
