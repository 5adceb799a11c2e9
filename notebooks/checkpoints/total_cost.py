"""Exercise 4, total_cost: its cases, its mistakes, its judge."""

# ruff: noqa: E501
# (One line a sentence, so that the tables can be read.)

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

import numpy as np

from .facts import number, text, well_formed
from .judge import judge_values
from .total_slips import DEFAULTS, EXACT, nearly_right, way_finding
from .verdict import FACTOR, PART, SLIP, TWO, Exercise, Finding, Verdict

SMALL = 1e-4  # what costs are multiplied by once: they are small near a minimum


def cases(rng: np.random.Generator) -> list[dict]:
    """Python, NumPy and tensor scalars; weights by default, by position and by name.

    Now one term or weight is the larger, now the other; weights below 1, small costs. A weight 0,
    and a cost 0: J_content is 0 at the first step, where G = C.
    """
    kinds = (
        ("tensor", "default", 0, 0),
        ("tensor", "python", 0, 0),
        ("tensor", "tensor", 1, 0),
        ("tensor", "float32", 0, 0),
        ("tensor", "python", 1, 0),
        ("tensor", "python", 0, 0),
        ("python", "python", 0, 0),
        ("float32", "float32", 0, 0),
        ("tensor", "python", 0, 0),
        ("tensor", "python", 0, 0),
        ("tensor", "python", 0, 0),
        ("tensor", "python", 0, 0),
        ("tensor", "python", 0, 1),
    )
    found = []
    for i, (costs, weights, keywords, graph) in enumerate(kinds):
        drawn = rng.uniform((0.5, 5, 2, 40), (4, 9, 30, 70))  # so that what is swapped shows
        drawn[0] = max(1000 * drawn[0], 140_000 / drawn[2]) if i == 3 else drawn[0]  # no float16
        drawn[:2] *= SMALL if i == 10 else 1
        for at, key in {5: 2, 8: 0, 9: 1, 11: 3}.items():
            drawn[key] *= i != at
        drawn[2:] = drawn[:1:-1] if i == 4 else drawn[2:] / 100 if i == 6 else drawn[2:]
        numbers = [float(np.float32(n)) for n in drawn]
        if weights == "default":
            numbers[2:] = DEFAULTS
        case = dict(zip(("J_content", "J_style", "alpha", "beta"), numbers, strict=True))
        case.update(costs=costs, weights=weights, keywords=keywords, graph=graph, big=int(i == 3))
        found.append(case | {"dtype": "float32" if costs == "tensor" else ""})
    return found


def own_defaults(facts: dict) -> tuple[float, float] | None:
    """The defaults of alpha and beta in the student's def line, if they are other numbers."""
    own = [number(facts, "default_" + key) for key in ("alpha", "beta")]
    if any(n is None or n.shape != () or not 0 <= n <= 1e6 for n in own):
        return None
    alpha, beta = (float(n) for n in own)
    return None if (alpha, beta) in ((0, 0), DEFAULTS) else (alpha, beta)


def with_defaults(case: dict, facts: dict) -> dict:
    """The case with the student's own default weights, if it passes none: to see what else is wrong."""
    own = own_defaults(facts)
    passed = case.get("explicit") or case.get("weights", "default") != "default"
    return case if passed or own is None else case | {"alpha": own[0], "beta": own[1]}


def defaults_finding(exercise: Exercise, facts: dict, hint: int) -> Finding | None:
    """For a function that is right: are its defaults those that the notebook leaves out?"""
    if (own := own_defaults(facts)) is None:
        return None
    says = "It is right when alpha and beta are given, but the defaults of your def line are alpha={:g}, beta={:g}, and the notebook calls it without them. The defaults are alpha=10, beta=40."
    return exercise.finding("defaults", hint, SLIP, says.format(*own))


WEIGHTS = {
    "alpha": lambda a, b: a,
    "beta": lambda a, b: b,
    "10": lambda a, b: 10.0,
    "40": lambda a, b: 40.0,
    "1": lambda a, b: 1.0,
    "0": lambda a, b: 0.0,
    "alpha*beta": lambda a, b: a * b,
    "(alpha + beta)": lambda a, b: a + b,
    "alpha²": lambda a, b: a * a,
    "beta²": lambda a, b: b * b,
    "(1/alpha)": lambda a, b: 1 / a,
    "(1/beta)": lambda a, b: 1 / b,
    "(beta/alpha)": lambda a, b: b / a,
    "(alpha/beta)": lambda a, b: a / b,
    "(1 - alpha)": lambda a, b: 1 - a,
    "(1 - beta)": lambda a, b: 1 - b,
    "2*alpha": lambda a, b: 2 * a,
    "2*beta": lambda a, b: 2 * b,
    "4*alpha": lambda a, b: 4 * a,
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
PAIRS = (("J_content", "J_style"), ("J_content", "J_content"), ("J_style", "J_style"))
SQUARES = ("J_content²", "J_style²")
# fmt: off
WHOLES = (  # J_content, J_style, alpha, beta -> J; id, credit, sentence
    (lambda c, s, a, b: a + b + c + s, "total-weights-added", PART, "adds the weights to the costs: multiply each cost by its weight, then add"),
    (lambda c, s, a, b: (a + c) * (b + s), "total-weights-added", 0, "adds the weights to the costs and multiplies: multiply each cost by its weight, then add"),
    (lambda c, s, a, b: a * c + b + s, "total-weights-added", PART, "adds beta to J_style: multiply"),
    (lambda c, s, a, b: a + c + b * s, "total-weights-added", PART, "adds alpha to J_content: multiply"),
    (lambda c, s, a, b: np.maximum(a, b) * s + np.minimum(a, b) * c, "total-sorted", PART, "sorts the weights by size: alpha belongs to J_content, beta to J_style"),
    (lambda c, s, a, b: (a * c + b) * s, "total-brackets", PART, "has brackets in the wrong place, (alpha*J_content + beta)*J_style"),
    (lambda c, s, a, b: (a + c) * b * s, "total-brackets", PART, "has brackets in the wrong place"),
    (lambda c, s, a, b: c**a + s**b, "total-power", PART, "raises the costs to powers: * multiplies, ** is a power"),
    (lambda c, s, a, b: a**c + b**s, "total-power", PART, "raises the weights to powers: * multiplies, ** is a power"),
    (lambda c, s, a, b: c**a * s**b, "total-power", 0, "raises the costs to powers and multiplies them: multiply by the weights, then add"),
    (lambda c, s, a, b: a * c**b + s, "total-power", PART, "raises J_content to the power beta: * multiplies, ** is a power"),
    (lambda c, s, a, b: a * c + s**b, "total-power", PART, "raises J_style to the power beta: * multiplies, ** is a power"),
    (lambda c, s, a, b: c**a + b * s, "total-power", PART, "raises J_content to the power alpha: * multiplies, ** is a power"),
    (lambda c, s, a, b: np.maximum(a * c, b * s), "total-largest", PART, "takes the larger of the two terms alone (max, or): add both"),
    (lambda c, s, a, b: np.logaddexp(a * c, b * s), "total-log", PART, "takes log(exp + exp), which is nearly the larger of the two terms alone: add both as they are"),
    (lambda c, s, a, b: a * c + b * np.maximum(c, s), "total-largest", PART, "takes the larger of the two costs in the style term: beta belongs to J_style alone"),
    (lambda c, s, a, b: a * np.maximum(c, s) + b * s, "total-largest", PART, "takes the larger of the two costs in the content term: alpha belongs to J_content alone"),
    (lambda c, s, a, b: np.minimum(a * c, b * s), "total-smallest", PART, "takes the smaller of the two terms alone (min): add both"),
    (lambda c, s, a, b: a * c + b * s * (b * s > a * c), "total-smallest", PART, "counts the style only where it is larger: add both terms always"),
    (lambda c, s, a, b: a * c + b * s * (s > c), "total-smallest", PART, "counts the style only where it is larger: add both terms always"),
    (lambda c, s, a, b: abs(a * c - b * s), "total-minus", PART, "subtracts the two terms (and takes the absolute value): add them"),
    (lambda c, s, a, b: np.log(a * c + b * s), "total-log", PART, "takes a logarithm: leave it out"),
    (lambda c, s, a, b: np.log1p(a * c + b * s), "total-log", PART, "takes a logarithm: leave it out"),
    (lambda c, s, a, b: a * np.log(c) + b * np.log(s), "total-log", PART, "takes logarithms of the costs: leave them out"),
    (lambda c, s, a, b: np.sqrt((a * c) ** 2 + (b * s) ** 2), "total-root", PART, "takes the root of a sum of squares: add the two terms as they are"),
    (lambda c, s, a, b: a + b, "total-self-divided", 0, "gives alpha + beta, whatever the costs are: are they divided by themselves? Take them as they are"),
    (lambda c, s, a, b: a + b * s / c, "total-relative", PART, "divides by J_content: take the costs as they are"),
    (lambda c, s, a, b: a * c / s + b, "total-relative", PART, "divides by J_style: take the costs as they are"),
    (lambda c, s, a, b: (a * c + b * s) / (c + s), "total-relative", PART, "divides by the sum of the costs: leave that out"),
    (lambda c, s, a, b: a * c / (c + s) + b * s / (c + s), "total-relative", PART, "divides by the sum of the costs: leave that out"),
    (lambda c, s, a, b: 2 * a * b * c * s / (a * c + b * s), "total-mean", PART, "takes a harmonic mean of the terms: add them"),
    (lambda c, s, a, b: (a * c * b * s) ** 0.5, "total-mean", PART, "takes a geometric mean of the terms: add them"),
    (lambda c, s, a, b: c ** (a / (a + b)) * s ** (b / (a + b)), "total-mean", PART, "takes a geometric mean of the costs: multiply by the weights, and add"),
    (lambda c, s, a, b: a * c**0.5 + b * s**0.5, "total-root", PART, "takes roots of the costs: leave them out"),
    (lambda c, s, a, b: (a * c) ** 0.5 + (b * s) ** 0.5, "total-root", PART, "takes roots of the terms: leave them out"),
    (lambda c, s, a, b: (a * c) ** 2 + (b * s) ** 2, "total-costs-squared", PART, "squares the terms: the costs are sums of squares already"),
)
# fmt: on


@dataclass(frozen=True)
class Read:
    """What a function was found to compute: `outer` (`w` X `join` `v` Y)."""

    outer: str
    join: str
    X: str
    Y: str
    w: str
    v: str
    swapped: bool  # are the weights numbers that are beta's and alpha's?

    @property
    def formula(self) -> str:
        """As the student would write it."""
        terms = [(self.w, self.X), (self.v, self.Y)]
        words = [n if u == "1" else f"{u}*{n}" for u, n in terms if u != "0"]
        inside = f" {self.join} ".join(words)
        return self.outer + (f"({inside})" if self.outer and len(words) > 1 else inside)

    @property
    def zero(self) -> bool:
        return "0" in (self.w, self.v)

    @property
    def lost(self) -> str:
        """The cost that is missing."""
        return "content" if (self.Y if self.w == "0" else self.X) == "J_style" else "style"

    @property
    def unused(self) -> str:
        """The weight that is missing."""
        return "alpha" if self.w == "1" else "beta"

    @property
    def written(self) -> bool:
        """Is a weight written as a number?"""
        return any(re.fullmatch(r"[\d.e+-]+", u) and u not in ("0", "1") for u in (self.w, self.v))

    def has(self, *words: str) -> bool:
        return any(word in self.w + self.v for word in words)


# fmt: off
MISTAKES = (  # when, id, credit, sentence; the first that fits is taken
    (lambda r: r.join == "*" and not r.zero, "total-product", 0, "the two terms are multiplied: add them"),
    (lambda r: r.zero and r.has("(alpha + beta)"), "total-one-cost", TWO, "one cost appears twice, and J_{r.lost} is missing"),
    (lambda r: r.zero, "total-no-{r.lost}", TWO, "J_{r.lost} is missing"),
    (lambda r: r.has("1 -"), "total-convex", PART, "weights that add up to 1 are those of a weighted mean: here they are alpha and beta"),
    (lambda r: r.join == "-", "total-minus", PART, "the two terms are added in the formula"),
    (lambda r: SQUARES[0] == r.X, "total-costs-squared", PART, "the costs are squared: they are sums of squares already"),
    (lambda r: PAIRS[0] != (r.X, r.Y), "total-one-cost", TWO, "one of the two costs appears twice"),
    (lambda r: (r.w, r.v) == ("beta", "alpha"), "total-swapped", FACTOR, "alpha and beta are swapped (or J_content and J_style are)"),
    (lambda r: r.swapped, "total-hard-coded-swapped", TWO, "the weights are swapped, and written as numbers: use the arguments"),
    (lambda r: r.written and "1" in (r.w, r.v), "total-hard-coded+total-no-{r.unused}", TWO, "a weight is written as a number, and {r.unused} is not used: use the arguments"),
    (lambda r: r.written, "total-hard-coded", FACTOR, "a weight is written as a number: use the arguments alpha and beta"),
    (lambda r: (r.w, r.v) == ("1", "1"), "total-no-weights", TWO, "alpha and beta are not used"),
    (lambda r: (r.w, r.v) == ("1", "beta"), "total-no-alpha", PART, "alpha is not used"),
    (lambda r: (r.w, r.v) == ("alpha", "1"), "total-no-beta", PART, "beta is not used"),
    (lambda r: r.w == r.v and r.w in ("alpha", "beta"), "total-one-weight", PART, "one weight is used for both terms"),
    (lambda r: r.has("alpha/", "beta/"), "total-ratio", PART, "only the ratio of the weights counts in it, so J is another number: multiply by alpha and by beta"),
    (lambda r: r.has("1/"), "total-divided", PART, "it divides by a weight: multiply"),
    (lambda r: "alpha*beta" in (r.w, r.v), "total-brackets", PART, "one weight reaches over both terms: check the brackets"),
    (lambda r: r.has("²"), "total-weights-twice", PART, "the weights count twice"),
    (lambda r: r.has("int"), "total-int", PART, "a weight is cut to a whole number"),
    (lambda r: (r.w, r.v) == ("2*alpha", "2*beta"), "total-scaled", FACTOR, "compare it with the formula"),
    (lambda r: r.outer and (r.w, r.v) == ("alpha", "beta"), "total-scaled", FACTOR, "compare it with the formula"),
    (lambda r: True, "total-other", 0, "compare it with the formula"),
)
# fmt: on


def _finding(read: Read) -> Finding:
    """The sentence for what the student's function computes."""
    mistake, credit, why = next(rest for fits, *rest in MISTAKES if fits(read))
    mistake, why = mistake.format(r=read), why.format(r=read)
    if read.outer and mistake != "total-scaled":
        mistake, credit = mistake + "+total-scaled", min(credit, TWO)
    return Finding(mistake, 1, credit, f"Your function computes {read.formula}: {why}.")


def _explain(cases: list, rows: list, gots: list, facts: list) -> Finding | None:
    """Find the weights, costs and sign that give the student's numbers."""
    if any(g is None or g.shape != () for g in gots):
        return None
    costs = {key: np.array([cases[i][key] for i in rows]) for key in ("J_content", "J_style")}
    a, b = (np.array([cases[i][key] for i in rows]) for key in ("alpha", "beta"))
    got = np.array([float(g) for g in gots])
    right = a * costs["J_content"] + b * costs["J_style"]
    most = got.max()
    if (got == most).sum() > 2 and (abs(got - np.minimum(right, most)) <= EXACT * right).all():
        says = f"Your result is never above {most:.4g}: is it clipped? Leave that out."
        return Finding("total-constant", 1, 0, says)
    whole = _usual(a, b, *costs.values())  # a 0 hides much
    if found := _special_finding(got, right, whole, {"alpha": a, "beta": b} | costs):
        return found
    rows = [i for i, usual in zip(rows, whole, strict=True) if usual]
    got, right, a, b = got[whole], right[whole], a[whole], b[whole]
    costs = {key: cost[whole] for key, cost in costs.items()}
    if found := _whole_finding(got, *costs.values(), a, b):
        return found
    given = {"J_content": costs["J_content"], "J_style": costs["J_style"], "alpha": a, "beta": b}
    if found := _def_line_finding(cases, rows, facts, abs(got - right) > EXACT * right):
        return found
    if found := way_finding([cases[i] for i in rows], got, given):
        return found
    default = next(case for case in cases if case["weights"] == "default")  # those of the def line
    read = _read(
        got, costs, a, b, {f"{default[key]:.6g}": default[key] for key in ("alpha", "beta")}
    )
    if read is not None:
        found = _finding(read)
        data = text(facts[rows[0]], "data").split()
        more = (
            f" It takes {' and '.join(data)} from your notebook." if read.written and data else ""
        )
        return Finding(found.id, found.hint, found.credit, found.says + more)
    return nearly_right(got, right, given) or _multiples(
        got, a * costs["J_content"], b * costs["J_style"]
    )


def _usual(a: np.ndarray, b: np.ndarray, content: np.ndarray, style: np.ndarray) -> np.ndarray:
    """Where no weight is 0, and no cost 0 or small."""
    return (a * b > 0) & (np.minimum(content, style) > 100 * SMALL)


def _special_finding(
    got: np.ndarray, right: np.ndarray, usual: np.ndarray, given: dict
) -> Finding | None:
    """Wrong only where a weight or a cost is 0, or where the costs are small?"""
    wrong = ~(abs(got - right) <= EXACT * right)
    if (wrong & usual).any():
        return None
    zero = [key for key, numbers in given.items() if (wrong & (numbers == 0)).any()]
    says = "It is right but where the costs are small, as they are near a minimum: is there an if, or is a number added to them or cut off?"
    if zero and zero[0] in ("alpha", "beta"):
        says = "It is right but for a weight 0, which is a weight as any other: does `or`, or an if, put the default in its place?"
        return Finding("total-zero-weight", 1, SLIP, says)
    if zero:
        says = f"It is right but where {' or '.join(zero)} is 0. J_content is 0 at the first step, where G = C: is there a division by a cost, a logarithm, or an if?"
        return Finding("total-zero-cost", 1, SLIP, says)
    return Finding("total-small-costs", 1, SLIP, says)


def _whole_finding(got: np.ndarray, *given: np.ndarray) -> Finding | None:
    """One of the listed formulas, as far as float32 can hold its numbers."""
    for formula, mistake, credit, says in WHOLES:
        result = formula(*given)
        beyond = (abs(result) > 3e38) & np.isinf(got)
        if ((abs(got - result) <= 5 * EXACT * abs(result)) | beyond).all() and not beyond.all():
            return Finding(mistake, 1, credit, f"Your function {says}.")
    return None


def _multiples(got: np.ndarray, content: np.ndarray, style: np.ndarray) -> Finding | None:
    """Both terms, but each times a number?"""
    if not np.isfinite(got).all():
        return None
    both = np.stack([content, style], axis=1) / content[:, None]
    factors = np.linalg.lstsq(both, got / content, rcond=None)[0]
    if not (abs(both @ factors * content - got) <= 5 * EXACT * abs(got)).all():
        return None
    says = f"In your J the term alpha*J_content counts {factors[0]:.4g} times, and beta*J_style {factors[1]:.4g} times: compare it with the formula."
    return Finding("total-scaled", 1, FACTOR, says)


def _def_line_finding(cases: list, rows: list, facts: list, differs: np.ndarray) -> Finding | None:
    """Is only the def line wrong: its defaults, or the order of its arguments?"""
    if {cases[i]["weights"] for i, wrong in zip(rows, differs, strict=True) if wrong} == {
        "default"
    }:
        says = "It is right when alpha and beta are given, but without them it is not. The defaults are alpha=10, beta=40."
        return Finding("total-defaults", 1, SLIP, says)
    order, usual = (
        text(facts[rows[0]], "parameters").split(),
        ["J_content", "J_style", "alpha", "beta"],
    )
    if order != usual and sorted(order) == sorted(usual):
        says = f"The arguments of your def line are in another order ({', '.join(order)}): they are swapped. Leave it as it was."
        return Finding("total-swapped", 1, FACTOR, says)
    return None


def _read(got: np.ndarray, costs: dict, a: np.ndarray, b: np.ndarray, own: dict) -> Read | None:
    """The simplest listed formula that gives these numbers; `own`: the defaults of the def line."""
    weights = {name: formula(a, b) + 0 * a for name, formula in WEIGHTS.items()}
    weights |= {name: number + 0 * a for name, number in own.items() if name not in weights}
    costs = costs | {key + "²": cost**2 for key, cost in costs.items()}
    names, table = list(weights), np.array(list(weights.values()))
    turned = {("40", "10")} | ({tuple(own)[::-1]} if len(own) == 2 else set())
    for (outer, whole), (join, combine), (X, Y) in itertools.product(
        OUTER.items(), JOIN.items(), (*PAIRS, SQUARES)
    ):
        result = whole(combine(table[:, None] * costs[X], table * costs[Y]), a, b)
        fits = (abs(got - result) <= EXACT * abs(result)).all(axis=2)
        if fits.any():
            w, v = (names[i] for i in np.argwhere(fits)[0])
            return Read(outer, join, X, Y, w, v, (w, v) in turned)
    return None


def _divides_by_zero(case: dict, fact: dict) -> bool:
    """Is a weight 0 what a division failed at?"""
    value = number(fact, "value")
    nan = value is not None and np.isnan(value).all()
    error = text(fact, "error_type") + text(fact, "error_message")
    return case["alpha"] * case["beta"] == 0 and (nan or "ZeroDivisionError" in error)


def judge(cases: list[dict], observations) -> Verdict:
    """J = alpha J_content + beta J_style (Gatys 2015, eq. 7)."""
    facts = well_formed(cases, observations) or []
    if facts:  # beta / alpha is allowed, where alpha is not 0
        fair = [not _divides_by_zero(*both) for both in zip(cases, facts, strict=True)]
        facts, cases = ([x for x, ok in zip(xs, fair, strict=True) if ok] for xs in (facts, cases))
        observations = facts
    cases = [with_defaults(case, fact) for case, fact in zip(cases, facts, strict=False)] or cases
    expected = [c["alpha"] * c["J_content"] + c["beta"] * c["J_style"] for c in cases]
    tensors = [{"J_content": np.array(c["alpha"]), "J_style": np.array(c["beta"])} for c in cases]
    gradients = [
        {key: g for key, g in tensor.items() if c["costs"] == "tensor" and c[key]}
        for c, tensor in zip(cases, tensors, strict=True)
    ]  # not to a cost that is 0: that of its own square root, squared again, is 0 there, and harmless

    def explain(rows: list, gots: list, facts: list) -> Finding | None:
        return _explain(cases, rows, gots, facts)

    verdict = judge_values(TOTAL_COST, cases, observations, expected, gradients, explain)
    if verdict.mistake or not facts:
        return verdict
    found = _infinite_gradient(facts) or defaults_finding(TOTAL_COST, facts[0], 1)
    return TOTAL_COST.verdict(found) if found else verdict


def _infinite_gradient(facts: list[dict]) -> Finding | None:
    """A gradient that is NaN or infinite where a cost is 0 makes all pixels NaN in one step."""
    grads = [number(fact, f"grad_{key}") for fact in facts for key in ("J_content", "J_style")]
    if all(grad is None or np.isfinite(grad).all() for grad in grads):
        return None
    says = "The value is right, but where a cost is 0, as J_content is at the first step (G = C), the gradient is not a finite number, and all pixels with it: leave out logarithm, root or division."
    return TOTAL_COST.finding("zero-cost", "gradient", SLIP, says)


TOTAL_COST = Exercise(
    "total_cost",
    number=4,
    points=15,
    short="total",
    tolerance=EXACT,
    cases=cases,
    judge_facts=judge,
    topics={"gradient": 1, "zero": 1, "as in NumPy": 1},
    zero="are both arguments used?",
    more=("Work one example by hand: J_content = 2, J_style = 3, alpha = 5, beta = 7 give 31.",),
)
