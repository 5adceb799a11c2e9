"""Exercise 4, total_cost: its cases, its mistakes, its judge."""

# ruff: noqa: E501
# (One line a sentence, so that the tables can be read.)

from __future__ import annotations

import itertools
import re

import numpy as np

from .facts import number, same, text, well_formed
from .judge import judge_values
from .verdict import FACTOR, PART, SLIP, TOLERANCE, TWO, Exercise, Finding, Verdict


def cases(rng: np.random.Generator) -> list[dict]:
    """Python, NumPy and tensor scalars; weights by default, by position and by name."""
    kinds = (
        ("tensor", "default", 0, 0),
        ("tensor", "python", 0, 0),
        ("tensor", "tensor", 1, 0),
        ("tensor", "float32", 0, 0),
        ("tensor", "python", 1, 0),
        ("python", "python", 0, 0),
        ("float32", "float32", 0, 0),
        ("float64", "float64", 0, 0),
        ("tensor", "python", 0, 1),
    )
    found = []
    for costs, weights, keywords, graph in kinds:
        drawn = rng.uniform((0.5, 5, 2, 40), (4, 9, 30, 70))  # so that what is swapped shows
        numbers = [float(np.float32(n)) for n in drawn]
        if weights == "default":
            numbers[2:] = 10.0, 40.0
        case = dict(zip(("J_content", "J_style", "alpha", "beta"), numbers, strict=True))
        case.update(costs=costs, weights=weights, keywords=keywords, graph=graph, large=0)
        found.append(case | {"dtype": "float32" if costs == "tensor" else ""})
    return found


def with_defaults(case: dict, facts: dict) -> dict:
    """The case with the student's own default weights, if it passes none.

    10 and 40 the other way round are a mistake that is often seen: they are no fair choice.
    """
    own = [number(facts, "default_" + key) for key in ("alpha", "beta")]
    if any(n is None or n.shape != () or not 0 <= n <= 1e6 for n in own):
        return case
    alpha, beta = (float(n) for n in own)
    passed = case.get("explicit") or case.get("weights", "default") != "default"
    if passed or (alpha, beta) in ((0, 0), (40, 10)):
        return case
    return case | {"alpha": alpha, "beta": beta}


WEIGHTS = {
    "alpha": lambda a, b: a,
    "beta": lambda a, b: b,
    "10": lambda a, b: 10.0,
    "40": lambda a, b: 40.0,
    "1": lambda a, b: 1.0,
    "0": lambda a, b: 0.0,
    "alpha*beta": lambda a, b: a * b,
    "(alpha + beta)": lambda a, b: a + b,
    "alpha^2": lambda a, b: a * a,
    "beta^2": lambda a, b: b * b,
    "(1/alpha)": lambda a, b: 1 / a,
    "(1/beta)": lambda a, b: 1 / b,
    "int(alpha)": lambda a, b: np.floor(a),
    "int(beta)": lambda a, b: np.floor(b),
}


OUTER = {
    "": lambda J, a, b: J,
    "half of ": lambda J, a, b: J / 2,
    "twice ": lambda J, a, b: J * 2,
    "a quarter of ": lambda J, a, b: J / 4,
    "minus ": lambda J, a, b: -J,
    "1/(alpha + beta) times ": lambda J, a, b: J / (a + b),
    "the square of ": lambda J, a, b: J * J,
    "the root of ": lambda J, a, b: abs(J) ** 0.5,
}


JOIN = {"+": lambda p, q: p + q, "-": lambda p, q: p - q, "*": lambda p, q: p * q}


def _finding(
    outer: str, w: str, X: str, join: str, v: str, Y: str, swapped: set[tuple[str, str]]
) -> Finding:
    """The sentence for `outer` (`w` X `join` `v` Y), which is what the student's function computes.

    `swapped` holds the numbers that are beta's and alpha's when written the other way round.
    """
    terms = [n if u == "1" else f"{u}*{n}" for u, n in ((w, X), (v, Y)) if u != "0"]
    text = outer + (
        f" {join} ".join(terms) if not outer or len(terms) < 2 else f"({f' {join} '.join(terms)})"
    )
    mistake, credit, why = "total-other", 0, "compare it with the formula"
    both = (X, Y) == ("J_content", "J_style")
    written = any(re.fullmatch(r"[\d.e+-]+", word) and word not in ("0", "1") for word in (w, v))
    if join == "*" and "0" not in (w, v):
        mistake, why = "total-product", "the two terms are multiplied: add them"
    elif "0" in (w, v):
        lost = "content" if (Y if w == "0" else X) == "J_style" else "style"
        mistake, credit, why = f"total-no-{lost}", TWO, f"J_{lost} is missing"
        if "(alpha + beta)" in (w, v):
            mistake, why = "total-one-cost", f"one cost appears twice, and J_{lost} is missing"
    elif join == "-":
        mistake, credit, why = "total-minus", PART, "the two terms are added in the formula"
    elif not both:
        mistake, credit, why = "total-one-cost", TWO, "one of the two costs appears twice"
    elif (w, v) == ("beta", "alpha"):
        mistake, credit, why = (
            "total-swapped",
            FACTOR,
            "alpha and beta are swapped (or J_content and J_style are)",
        )
    elif (w, v) in swapped:
        mistake, credit, why = (
            "total-hard-coded-swapped",
            TWO,
            "the weights are swapped, and written as numbers: use the arguments",
        )
    elif written and "1" in (w, v):
        lost = "alpha" if w == "1" else "beta"
        mistake, credit, why = (
            f"total-hard-coded+total-no-{lost}",
            TWO,
            f"a weight is written as a number, and {lost} is not used: use the arguments",
        )
    elif written:
        mistake, credit, why = (
            "total-hard-coded",
            FACTOR,
            "a weight is written as a number: use the arguments alpha and beta",
        )
    elif (w, v) == ("1", "1"):
        mistake, credit, why = "total-no-weights", TWO, "alpha and beta are not used"
    elif (w, v) == ("1", "beta"):
        mistake, credit, why = "total-no-alpha", PART, "alpha is not used"
    elif (w, v) == ("alpha", "1"):
        mistake, credit, why = "total-no-beta", PART, "beta is not used"
    elif w == v and w in ("alpha", "beta"):
        mistake, credit, why = "total-one-weight", PART, "one weight is used for both terms"
    elif v == "alpha*beta" or w == "alpha*beta":
        mistake, credit, why = (
            "total-brackets",
            PART,
            "one weight reaches over both terms: check the brackets",
        )
    elif "int" in w + v:
        mistake, credit, why = "total-int", PART, "a weight is cut to a whole number"
    if outer:
        mistake, credit = (
            ("total-scaled", FACTOR)
            if mistake == "total-other" and (w, v) == ("alpha", "beta")
            else (mistake + "+total-scaled", min(credit, TWO))
        )
    return Finding(mistake, 1, credit, f"Your function computes {text}: {why}.")


def _explain(cases: list, rows: list, gots: list, facts: list) -> Finding | None:
    """Find the weights, costs and sign that give the student's numbers."""
    if any(g is None or g.shape != () for g in gots):
        return None
    numbers = {
        k: np.array([cases[i][k] for i in rows]) for k in ("J_content", "J_style", "alpha", "beta")
    }
    a, b = numbers["alpha"], numbers["beta"]
    got = np.array([float(g) for g in gots])
    order = text(facts[rows[0]], "parameters").split()
    right = a * numbers["J_content"] + b * numbers["J_style"]
    differs = [
        cases[i]["weights"] for i in rows if not same(got[rows.index(i)], right[rows.index(i)])
    ]
    if set(differs) == {"default"}:
        return Finding(
            "total-defaults",
            1,
            SLIP,
            "It is right when alpha and beta are given, but without them it is not: are the defaults swapped? They are alpha=10, beta=40.",
        )
    if (
        len(order) == 4
        and order != ["J_content", "J_style", "alpha", "beta"]
        and sorted(order) == ["J_content", "J_style", "alpha", "beta"]
    ):
        return Finding(
            "total-swapped",
            1,
            FACTOR,
            f"The arguments of your def line are in another order ({', '.join(order)}): they are swapped. Leave it as it was.",
        )
    weights = dict(WEIGHTS)
    own = next(case for case in cases if case["weights"] == "default")  # those of the def line
    for default in (own["alpha"], own["beta"]):
        weights.setdefault(f"{default:.6g}", lambda a, b, default=default: default)
    written = f"{own['beta']:.6g}", f"{own['alpha']:.6g}"
    swapped = {("40", "10")} | ({written} if written[0] != written[1] else set())
    pairs = (("J_content", "J_style"), ("J_content", "J_content"), ("J_style", "J_style"))
    for outer, join in itertools.product(OUTER, JOIN):
        for (X, Y), w, v in itertools.product(pairs, weights, weights):
            p, q = weights[w](a, b) * numbers[X], weights[v](a, b) * numbers[Y]
            result = OUTER[outer](JOIN[join](p, q), a, b)
            if (abs(got - result) <= TOLERANCE * abs(result)).all():
                return _finding(outer, w, X, join, v, Y, swapped)
    return None


def judge(cases: list[dict], observations) -> Verdict:
    """J = alpha J_content + beta J_style (Gatys 2015, eq. 7)."""
    facts = well_formed(cases, observations) or []
    cases = [with_defaults(case, fact) for case, fact in zip(cases, facts, strict=False)] or cases
    expected = [c["alpha"] * c["J_content"] + c["beta"] * c["J_style"] for c in cases]
    tensors = [{"J_content": np.array(c["alpha"]), "J_style": np.array(c["beta"])} for c in cases]
    gradients = [g if c["costs"] == "tensor" else {} for c, g in zip(cases, tensors, strict=True)]

    def explain(rows: list, gots: list) -> Finding | None:
        return _explain(cases, rows, gots, facts)

    return judge_values(TOTAL_COST, cases, observations, expected, gradients, explain)


TOTAL_COST = Exercise(
    "total_cost",
    number=4,
    points=15,
    short="total",
    cases=cases,
    judge_facts=judge,
    zero="are both arguments used?",
    more=("Work one example by hand: J_content = 2, J_style = 3, alpha = 5, beta = 7 give 31.",),
)
