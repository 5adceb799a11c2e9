"""Are the earlier functions, which train_step calls, the ones to put right?"""

# ruff: noqa: E501
# (One line a sentence, so that the tables can be read.)

from __future__ import annotations

from .facts import number, same, text
from .tiny_network import pixels_same, step_of
from .verdict import FOLLOWS, Finding


def own_costs_finding(cases: list, facts: list, steps: list) -> Finding | None:
    """Are the student's earlier functions the ones to put right?"""
    wrong, follows, checked = [], 0, 0
    for case, fact, step in zip(cases, facts, steps, strict=True):
        if case["graph"]:
            continue
        own = {k: number(fact, "own_" + k) for k in ("content", "style", "total", "gradient")}
        if own["content"] is None or own["style"] is None or own["total"] is None:
            error = text(fact, "own_error")
            if error and "NoneType' object is not callable" not in error:
                says = f"Your cost functions fail on this network ({error}): fix Exercises 1 to 4 first."
                return Finding("train-fix-costs", 2, 0, says)
            return None
        checked += 1
        J_c, J_s = step[0]["terms"]["content"]["C"][0], step[0]["terms"]["style"]["S"][0]
        wrong += [1] * (not same(own["content"], J_c)) + [3] * (not same(own["style"], J_s))
        wrong += [4] * (
            not same(own["total"], case["alpha"] * own["content"] + case["beta"] * own["style"])
        )
        if own["gradient"] is None or not same(own["gradient"], step[0]["gradient"], 2e-2):
            wrong += [] if wrong else [0]
        if (
            own["gradient"] is not None
            and own["gradient"].shape == step[0]["image"].shape
            and abs(own["gradient"]).any()
        ):
            after = (step[0]["image"] - step_of(case, own["gradient"], {})).clip(0, 1)
            along = pixels_same(case, number(fact, "pixels_1"), after, own["gradient"])
            follows += along and own["total"] != 0 and same(number(fact, "value_1"), own["total"])
    if not wrong:
        return None
    which = ", ".join(str(n) for n in sorted(set(wrong)) if n) or "1 to 4 (the gradient)"
    which = which.replace("3", "3 (or 2)")
    if follows == checked:
        return Finding(
            "train-fix-costs",
            2,
            FOLLOWS,
            f"train_step itself looks right, but a cost that it calls is not: fix Exercise {which} first.",
        )
    return Finding(
        "train-fix-costs",
        2,
        0,
        f"A cost that train_step calls is not right yet: fix Exercise {which} first, then run this again.",
    )
