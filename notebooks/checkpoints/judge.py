"""Judges an exercise whose function returns an array: errors, value, gradients, slips."""

# ruff: noqa: E501
# (One line a sentence.)

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .causes import with_cause
from .errors import error_finding, stopped_finding
from .facts import near, number, same, show, show_both, text, well_formed
from .raised import globals_used
from .source import from_the_source
from .verdict import FACTOR, NO_GRADIENT, PART, SLIP, TWO, Exercise, Finding, Verdict

TARGETS = {"content", "a_S"}  # given pictures, which stay: no step needs the gradient to them
OVERFLOW = (
    "It is right on small layers, but wrong on a layer of realistic size: "
    "a whole number grew beyond int32. Read the sizes from a.shape, or cast to float first."
)


@dataclass(frozen=True)
class Answers:
    """What a function gave on all cases, beside what was expected."""

    exercise: Exercise
    cases: list[dict]
    facts: list[dict]
    expected: list
    gradients: list[dict]  # for each case: argument -> the gradient with respect to it

    @cached_property
    def eager(self) -> list[int]:
        """The cases that were called directly."""
        return [i for i, case in enumerate(self.cases) if not case["graph"]]

    @cached_property
    def gots(self) -> dict[int, np.ndarray | None]:
        return {i: number(self.facts[i], "value") for i in self.eager}

    @cached_property
    def right(self) -> list[int]:
        tolerance = self.exercise.tolerance
        return [i for i in self.eager if same(self.gots[i], self.expected[i], tolerance)]

    @cached_property
    def wrong(self) -> list[int]:
        return [i for i in self.eager if i not in self.right]

    @cached_property
    def failed(self) -> list[int]:
        """The cases on which it raised."""
        return [i for i in self.eager if text(self.facts[i], "error_type")]

    def shaped(self, i: int) -> bool:
        """Is there an array of the expected shape?"""
        return self.gots[i] is not None and self.gots[i].shape == np.shape(self.expected[i])


def judge_values(
    exercise: Exercise,
    cases: list[dict],
    observations,
    expected: list,
    gradients: list[dict],
    explain: Callable[[list, list, list], Finding | None],
) -> Verdict:
    """Judge an exercise whose function returns an array.

    `expected` and `gradients` belong to the cases one by one; `explain(rows, gots, facts)` names a
    wrong value from the cases with the indices `rows` and the facts of all, or returns None.
    """
    facts = well_formed(cases, observations)
    if facts is None:
        return exercise.verdict(exercise.malformed())
    answers = Answers(exercise, cases, facts, expected, gradients)
    return exercise.verdict(find(answers, explain), *_shown(answers))


def find(answers: Answers, explain: Callable) -> Finding | None:
    """What is wrong with the answers; None if nothing is."""
    if found := stopped_finding(answers.exercise, [answers.facts[i] for i in answers.eager]):
        return found
    if answers.failed:
        return _errors(answers)
    if answers.wrong:
        found = _value_finding(answers, explain)
        return with_cause(answers.exercise, answers.facts[answers.wrong[0]], found)
    return _gradient_finding(answers) or _slip_finding(answers)


def _shown(answers: Answers) -> tuple[str, str]:
    """An expected value and what came, for the student; nothing if the values are right."""
    if answers.failed:
        at = answers.failed[0]
        return show(answers.expected[at]), text(answers.facts[at], "error_type")
    at = next(iter(answers.wrong), None)
    return ("", "") if at is None else show_both(answers.expected[at], answers.gots[at])


def _errors(answers: Answers) -> Finding:
    """It raised on some of the cases, or on all."""
    exercise, failed, facts = answers.exercise, answers.failed, answers.facts
    some = None if len(failed) == len(answers.eager) else bool(answers.right)
    found = error_finding(exercise, facts[failed[0]], [facts[i] for i in failed], some)
    only_numbers = not any(answers.cases[i]["dtype"] for i in answers.wrong)
    if exercise.short == "total" and only_numbers and found.id != "total-no-gradient":
        says = f"It is right for tensors, but fails for plain numbers: {found.says}"
        return exercise.finding("only-tensors", 1, SLIP, says)
    return found


def kind_finding(exercise: Exercise, kind: str) -> Finding:
    """What came is not an array of numbers."""
    if kind == "NoneType":
        says = f"{exercise.name} returns None: is the return missing (print only shows a result), or a None still in the code?"
        return exercise.finding("no-return", 0, 0, says)
    says = (
        f"{exercise.name} returns something of type {kind or 'unknown'}, not a tensor of numbers."
    )
    if kind in ("tuple", "list", "dict", "set"):
        says = f"{exercise.name} returns a {kind}: return one tensor."
    if kind == "generator":
        says = f"{exercise.name} returns a generator: write return in the place of yield."
    if kind in ("function", "method"):
        says = f"{exercise.name} returns a {kind}, not what it gives: call it, with brackets ()."
    if kind == "str":
        says = f"{exercise.name} returns a text (str): return the tensor itself."
    return exercise.finding("not-a-tensor", 1, 0, says)


# --- Values --------------------------------------------------------------------------------------


def _value_finding(answers: Answers, explain: Callable) -> Finding:
    """Name a wrong value: kind, NaN, shape, a known mistake, a factor, or what can be seen."""
    kind = text(answers.facts[answers.wrong[0]], "kind", 40)
    if answers.gots[answers.wrong[0]] is None or kind in (
        "tuple",
        "list",
        "dict",
        "set",
        "TensorShape",
    ):
        return kind_finding(answers.exercise, kind)
    found = _seen_at_once(answers)
    if found is not None:
        return found
    gots = [answers.gots[i] for i in answers.eager]
    found = explain(answers.eager, gots, answers.facts)
    if found is None and _root_of_right(answers):
        says = "A square root is taken of the result, and negative numbers have none: leave it out."
        return answers.exercise.finding("root", "gradient", PART, says)
    found = found or _logarithm_of_right(answers)
    if found is None and not all(got is not None and np.isfinite(got).all() for got in gots):
        says = "Your result is not a finite number (NaN or infinity): is there a division by zero, a root or a logarithm?"
        return answers.exercise.finding("nan", "gradient", 0, says)
    found = _with_globals(answers, found) if found else _unknown_finding(answers)
    grads = [f[k] for f in answers.facts for k in f if str(k).startswith("grad_")]
    if found.credit and answers.exercise.short != "total" and all(grad is None for grad in grads):
        says = found.says + " Besides, no gradient flows back: stay in TensorFlow."
        return Finding(found.id, found.hint, min(found.credit, TWO), says)
    return found


def _root_of_right(answers: Answers) -> bool:
    """Are these the roots of what is expected, where it has any?"""
    for i in answers.eager:
        known = answers.shaped(i) and np.isfinite(answers.gots[i])
        wanted = np.array(answers.expected[i])
        if not np.any(known) or not same(answers.gots[i][known] ** 2, wanted[known]):
            return False
    return True


def _logarithm_of_right(answers: Answers) -> Finding | None:
    """Are these the logarithms of what is expected, or its exponential?"""
    for function, name in ((np.log, "a logarithm"), (np.log1p, "a logarithm"), (np.exp, "exp")):
        wanted = {i: function(np.array(answers.expected[i])) for i in answers.eager}
        known = [i for i in answers.eager if np.isfinite(wanted[i]).all()]
        if len(known) > 1 and all(same(answers.gots[i], wanted[i]) for i in known):
            says = f"The result would be right, but {name} is taken of it: leave that out."
            return answers.exercise.finding("logarithm", "gradient", PART, says)
    return None


def _seen_at_once(answers: Answers) -> Finding | None:
    """The right numbers in another shape, or cut, or always 0: no formula needs to be tried."""
    finding, gots, eager = answers.exercise.finding, answers.gots, answers.eager
    if all(_same_numbers(answers, i) for i in answers.eager):
        at = answers.wrong[0]
        says = f"The numbers are right, but the shape is {gots[at].shape}, not {np.shape(answers.expected[at])}."
        return finding("shape", "gradient", SLIP, says)
    big = [i for i in eager if answers.cases[i].get("big")]
    near_on_small = all(same(gots[i], answers.expected[i], 0.03) for i in eager if i not in big)
    if big and near_on_small and not any(_finite(gots[i]) for i in big):
        says = "It is right on small numbers, but not finite on large ones, and those of VGG-19 reach thousands: is something cast to float16? Keep float32 throughout."
        return finding("float16", "gradient", SLIP, says)
    for cut, how in ((np.floor, "cut to a whole number (// or int)"), (np.round, "rounded")):
        whole = all(answers.shaped(i) and same(gots[i], cut(answers.expected[i])) for i in eager)
        if whole and any(gots[i].any() for i in eager):
            says = f"Your result is {how}: write /, leave rounding out, and keep float32."
            return finding("floor", "zero", PART, says)
    if all(gots[i] is not None and not abs(gots[i]).any() for i in eager):
        says = f"Your result is always 0: {answers.exercise.zero}"
        if re.search(r"^\s*except\b", str(answers.facts[eager[0]].get("source")), re.M):
            says = "Your result is always 0: does the `except` in your code hide an error? Take it out, and read the error."
        return finding("zero", "zero", 0, says)
    if len(eager) > 2 and all(same(gots[i], gots[eager[0]]) for i in eager):  # the cases differ
        if found := from_the_source(answers.exercise, answers.facts[answers.eager[0]]):
            return found
        says = f"Your result is {show(gots[eager[0]])} whatever is given: is it clipped, or not computed from the arguments?"
        return finding("constant", 0, 0, says + _globals_used(answers))
    cut = [
        i for i in eager if i in answers.wrong and text(answers.facts[i], "dtype").startswith("int")
    ]
    if cut and all(
        answers.shaped(i) and abs(gots[i] - answers.expected[i]).max() < 1.01 for i in cut
    ):
        says = "Your result is cut to whole numbers (int): keep float32 throughout."
        return finding("whole-numbers", "gradient", 0, says)  # a guess, perhaps
    return None


def _finite(got: np.ndarray | None) -> bool:
    return got is not None and bool(np.isfinite(got).all())


def _same_numbers(answers: Answers, i: int) -> bool:
    """Right but for the shape?"""
    got, expected = answers.gots[i], np.array(answers.expected[i])
    fits = got is not None and got.size == expected.size
    return fits and same(got.reshape(expected.shape), expected, answers.exercise.tolerance)


def _unknown_finding(answers: Answers) -> Finding:
    """No known mistake: say what can be seen."""
    finding, eager, gots = answers.exercise.finding, answers.eager, answers.gots
    at = next(i for i in eager if i not in answers.right)
    if gots[at].shape != np.shape(answers.expected[at]):
        return _shape_finding(answers, at)
    if all(answers.shaped(i) and same(gots[i], answers.expected[i], 0.03) for i in eager):
        says = "Your result is close to the right one, but not equal: is something rounded or cast to float16, or a small number (an epsilon) added?"
        return finding("inexact", "gradient", FACTOR, says)
    if any(i in answers.right for i in eager if not answers.cases[i].get("big")):
        if found := from_the_source(answers.exercise, answers.facts[answers.eager[0]]):
            return found
        says = "It is right on some inputs and wrong on others: is something hard-coded, or the sign or size of a number used in an if?"
        return finding("sometimes-right", "dims", 0, says + _globals_used(answers))
    if found := from_the_source(
        answers.exercise, answers.facts[answers.eager[0]]
    ) or _unused_argument(answers):
        return found
    says = "The value is wrong in a way that is not in the list of known mistakes."
    says += _compared(answers)
    if (
        gots[at].ndim == 2
        and gots[at].shape[0] == gots[at].shape[1]
        and not same(gots[at].T, gots[at])
    ):
        says += " Your matrix is not symmetric: a Gram matrix is."
    return finding("wrong-value", 0, 0, says + _globals_used(answers))


def _unused_argument(answers: Answers) -> Finding | None:
    """An argument from which no gradient comes, though one comes from another."""
    roles: dict[str, list] = {}
    for i in answers.eager:
        for key, expected in answers.gradients[i].items():
            if np.any(expected):
                grad = answers.facts[i].get("grad_" + key)
                roles.setdefault(re.sub(r"_\d+$", "", key), []).append(grad is not None)
    unused = [role for role, came in roles.items() if not any(came)]
    if not unused or len(unused) == len(roles):
        return None
    says = f"Your result does not depend on {unused[0]}"
    says += f".{used}" if (used := _globals_used(answers)) else ": is one name used for both?"
    return answers.exercise.finding("argument-unused", 0, 0, says)


def _compared(answers: Answers) -> str:
    """A sentence about sign and size, if they are the same on all cases."""
    shaped = [i for i in answers.eager if answers.shaped(i)]
    ratios = [answers.gots[i].sum() / np.sum(answers.expected[i]) for i in shaped]
    if ratios and max(ratios) < 0:
        return " It has the wrong sign."
    if ratios and min(ratios) > 1:
        return f" It is always too large ({min(ratios):.5g} to {max(ratios):.5g} times)."
    if ratios and max(ratios) < 1:
        return f" It is always too small ({min(ratios):.5g} to {max(ratios):.5g} of the expected value)."
    return ""


def _with_globals(answers: Answers, found: Finding) -> Finding:
    """A wrong factor may have its sizes from a picture of the notebook: say so."""
    if not re.search(r"-(factor|size-exchanged|precedence|not-divided|dims-hard-coded)$", found.id):
        return found
    fact = answers.facts[answers.eager[0]]
    source, used = str(fact.get("source")), re.findall(r"\w+", text(fact, "data"))
    sizes = [
        n
        for n in used
        if re.search(rf"\b{n}\b(\[[^\]]*\])*\.(get_)?shape|(shape|size)\({n}\b", source)
    ]
    if sizes and "+" not in found.id:
        says = f"The sizes in your factor are those of {' and '.join(sizes)} of your notebook: read n_H, n_W and n_C from the arguments, for each layer has its own."
        return answers.exercise.finding("global-sizes", "dims", found.credit, says)
    return Finding(found.id, found.hint, found.credit, found.says + globals_used(used))


def _globals_used(answers: Answers) -> str:
    return globals_used(text(answers.facts[answers.eager[0]], "data").split())


def _shape_finding(answers: Answers, at: int) -> Finding:
    """The result has a shape that no known mistake gives."""
    got, want = answers.gots[at].shape, np.shape(answers.expected[at])
    gots = {i: answers.gots[i] for i in answers.eager}
    finding = answers.exercise.finding
    if want != ():
        says = f"Your result has the shape {got}, not {want}."
        if got == ():
            says = f"Your result is one number (a norm, a sum, a mean?): it must have the shape {want}."
            return finding("wrong-shape", "gradient", 0, says + _globals_used(answers))
        if all(g is not None and g.shape == got for g in gots.values()):
            says = f"Your result has the shape {got}, whatever is given: a size is hard-coded, or the argument is not used."
        elif all(g is not None and g.shape[:1] == got[:1] for g in gots.values()):
            says += f" Its first size is always {got[0]}: is that number written in your code?"
        return finding("wrong-shape", "gradient", 0, says + _globals_used(answers))
    says = f"Your result has the shape {got}: it must be one number, the sum over all entries."
    if all(g is not None and same(np.array(g.sum()), answers.expected[i]) for i, g in gots.items()):
        says += " The sum of yours would be right."
        return finding("not-a-scalar", "gradient", FACTOR, says)
    return finding("not-a-scalar", "gradient", 0, says)


# --- Gradients -----------------------------------------------------------------------------------


def _gradient_finding(answers: Answers) -> Finding | None:
    """Compare the gradients with respect to every argument; None if all are right."""
    missing, wrong, present, ratios = set(), set(), set(), []
    for i in answers.eager:
        for key, expected in answers.gradients[i].items():
            got, role = number(answers.facts[i], "grad_" + key), re.sub(r"_\d+$", "", key)
            flows = abs(expected).max() > 0
            if got is None:
                missing |= {role} if flows else set()
            elif same(got, expected):
                present |= {role} if flows else set()
            else:
                wrong.add(role)
                if got.shape == expected.shape and np.isfinite(got).all() and flows:
                    ratios.append((got * expected).sum() / (expected * expected).sum())
    finding, missing = answers.exercise.finding, missing if not present else missing - TARGETS
    if missing and not present and not wrong:
        says = f"The value is right, but no gradient flows back: {_why_detached(answers)}."
        return finding("no-gradient", "gradient", NO_GRADIENT, says)
    if missing:
        says = f"The value is right, but no gradient flows back to {' and '.join(sorted(missing))}: it is detached (NumPy, stop_gradient, a constant)."
        return finding("gradient-part", "gradient", SLIP, says)
    if wrong:
        says = f"The value is right, but the gradient with respect to {' and '.join(sorted(wrong))} is not: is a part of it detached?"
        if ratios and all(near(r, 1.0) for r in ratios):
            says = "Value and gradient are close to the right ones, but not equal: is something cast to float16 or bfloat16?"
            return finding("inexact", "gradient", FACTOR, says)
        if ratios and all(near(r, ratios[0]) for r in ratios):
            says += f" It is {ratios[0]:.3g} times the expected one."
        return finding("gradient-wrong", "gradient", NO_GRADIENT, says)
    return None


def _why_detached(answers: Answers) -> str:
    """What in the student's code, or in the type of its result, stops the gradient."""
    facts = [answers.facts[i] for i in answers.eager]
    names, kinds = text(facts[0], "names", 2000).split(), {text(f, "kind") for f in facts}
    if "numpy" in names or "np" in names:
        return "NumPy is used inside, and TensorFlow cannot follow it"
    if "stop_gradient" in names:
        return "stop_gradient cuts it off"
    if "float" in names:
        return "float() turns a tensor into a plain Python number"
    if "update_state" in names or "metrics" in names:
        return "a metric of keras.metrics keeps numbers alone: use tf.reduce_mean, or a function of keras.losses"
    if "ResourceVariable" in kinds or "Variable" in names:
        return "a tf.Variable holds the numbers alone: return the tensor"
    if kinds & {"list", "tuple"}:
        return f"it returns a {min(kinds)}: return one tensor (tf.stack)"
    if "tape" not in names and kinds & {"float", "float32", "float64", "ndarray", "int"}:
        return f"it returns a {min(kinds)}, not a tensor"
    return "something in it leaves TensorFlow (NumPy, float(), a Python number) or detaches the value (stop_gradient, tf.constant)"


# --- Slips ---------------------------------------------------------------------------------------


def _slip_finding(answers: Answers) -> Finding | None:
    """Values and gradients are right: dtype, tf.function, changed arguments. None if all is well."""
    for case, fact, value in zip(answers.cases, answers.facts, answers.expected, strict=True):
        slip = _graph_slip if case["graph"] else _eager_slip
        found = slip(answers.exercise, case, fact, value)
        if found is not None:
            return found
    return None


def _graph_slip(exercise: Exercise, case: dict, fact: dict, value) -> Finding | None:
    """What shows only inside tf.function, on a layer of realistic size."""
    nodes = number(fact, "nodes")  # for 6, 12 and 18 channels; one loop adds the same each time
    if nodes is not None and nodes.shape == (3,) and np.diff(nodes, 2)[0] >= 70:
        says = "It is right, but too slow for a layer of realistic size: a loop inside a loop takes the channels two by two, and 512 of them have 262,144 such pairs. One matrix product does it all at once."
        return exercise.finding("too-slow", 0, SLIP, says)
    if text(fact, "stopped"):
        says = "It is right, but too slow for a layer of realistic size: is there a loop over every position? One matrix product does it all at once."
        return exercise.finding("too-slow", 0, SLIP, says)
    error, whole = text(fact, "graph_error"), str(fact.get("graph_error"))
    if "modify its Python input" in error:
        says = "Your function changes the list that it is given: only read its last element."
        return exercise.finding("changes-argument", 1, SLIP, says)
    large = fact.get("graph_value") is None and number(fact, "graph_largest") is not None
    if large or re.match("MemoryError|ResourceExhausted", whole):
        says = "On a layer of realistic size it needs an enormous tensor: is there a matrix of all positions?"
        return exercise.finding("too-large", "gradient", SLIP, says)
    if error:
        says = f"It works when called directly, but not inside tf.function ({error}): stay in TensorFlow throughout."
        return exercise.finding("not-in-graph", "gradient", SLIP, says)
    if not same(number(fact, "graph_value"), value):
        return exercise.finding("overflow", "dims", SLIP, OVERFLOW)
    return None


def _eager_slip(exercise: Exercise, case: dict, fact: dict, value) -> Finding | None:
    """A result of another dtype, or an argument that is changed."""
    if case["dtype"] and text(fact, "dtype") != case["dtype"]:
        says = f"The value is right, but its dtype is {text(fact, 'dtype') or 'unknown'}, not {case['dtype']}: what comes next needs one dtype throughout."
        return exercise.finding("dtype", "gradient", SLIP, says)
    lengths = [number(fact, "length_content"), number(fact, "length_generated")]
    if "layers" in case and not all(same(n, case["layers"]) for n in lengths):
        says = "Your function changes the list that it is given (pop?): only read its last element."
        return exercise.finding("changes-argument", 1, SLIP, says)
    if "A" in case and not same(number(fact, "after_A"), case["A"]):
        return exercise.finding(
            "changes-argument", 3, SLIP, "Your function changes its argument A."
        )
    return None
