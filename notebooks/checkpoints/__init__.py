"""Checkpoints for the course on Neural Style Transfer: they say *what* is wrong.

    import checkpoints
    checkpoints.gram_matrix(gram_matrix)     # gram_matrix: right. 20 of 20 points.
    checkpoints.score()                      # the table so far, out of 100

Each exercise has three parts, kept apart so that a grader can run them in different processes:

    cases(rng)                  fresh random inputs: NumPy arrays, numbers, strings, nothing else
    OBSERVERS[round][name]      (fn, case) -> raw facts about the student's function, no verdicts
    judge(cases, observations)  float64 NumPy only; trusts nothing it is given; returns a `Verdict`

Nothing here compares with stored numbers. The expected values are computed in float64 from the
random inputs, and hold to a relative tolerance.

To add a mistake, say to gram_matrix:
1. See that it has no name: `checkpoints.gram_matrix(wrong)` says that its value is "not in the list
   of known mistakes", or asks only what an operation is for. (In a script, the folder notebooks/
   must be on the path.)
2. gram_matrix.py: one `Mistake` in MISTAKES:
   - an id; several lines share one if they are of a kind, each with its own sentence;
   - the hint to read, by its number in the notebook's text above the exercise;
   - the share of the points, by a name from verdict.py: take that of the most alike mistake;
   - the formula that gives its result: NumPy, float64, with the arguments of the exercise;
   - the sentence that names it: what is wrong.
   Where two formulas give the same, the one further up is named. A factor on top of any of them is
   found by itself, and named with a "+": "gram-centred+gram-divided".
3. tests/mistakes/gram_matrix_slips.py (gram_matrix.py there is full: no file has more than 500
   lines): a function wrong_..., marked @named("gram-...") with the id. Nothing else lists it.
4. pytest -n 0 -q tests/checkpoints/test_gram_matrix.py: a minute, all wrong functions anew.
Elsewhere the tables have other names. A wrong factor goes to NORMALISER, an exception to errors.py
or language_errors.py, a cause that shows in the text alone to causes.py. Families that several
exercises share are in parts.py, scaled.py, losses.py.
layer_style_cost.py combines MATRICES, GRAMS, DIFFERENCES, and has WHOLES; total_cost.py has PAIRS,
WHOLES and MISTAKES. For train_step a wrong cost goes to step_costs.py, a wrong update to
step_updates.py, an exception to step_errors.py.

Sources: Gatys, Ecker & Bethge, "A Neural Algorithm of Artistic Style" (2015), equations 1 to 7,
with the factors of the course; Kingma & Ba, "Adam" (2015), algorithm 1.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from .content_cost import CONTENT_COST
from .gram_matrix import GRAM_MATRIX
from .layer_style_cost import LAYER_STYLE_COST
from .rounds import rounds
from .total_cost import TOTAL_COST
from .train_step import TRAIN_STEP
from .verdict import Exercise, Verdict

__all__ = [
    "EXERCISES",
    "REGISTRY",
    "CheckpointError",
    "Exercise",
    "Verdict",
    "compute_content_cost",
    "compute_layer_style_cost",
    "explain",
    "gram_matrix",
    "rounds",
    "score",
    "total_cost",
    "train_step",
]
REGISTRY = {
    e.name: e for e in (CONTENT_COST, GRAM_MATRIX, LAYER_STYLE_COST, TOTAL_COST, TRAIN_STEP)
}
EXERCISES = {name: exercise.points for name, exercise in REGISTRY.items()}
SAME = "This is the function of last time: if you have changed it, run its cell first."


class CheckpointError(AssertionError):
    """The function is not right yet. Shown without a traceback in Jupyter.

    Attributes: diagnosis (one sentence), points (partial credit), verdict.
    """

    def __init__(self, text: str, verdict: Verdict):
        super().__init__(text)
        self.diagnosis, self.points, self.verdict = verdict.diagnosis, verdict.points, verdict

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        return str(self).splitlines()


_results: dict[str, Verdict] = {}  # the last verdict of each exercise
_seen: dict[str, str] = {}  # the mistake that was shown last
_asked: dict[str, Callable] = {}  # the function that was asked about last


def _import_tensorflow() -> None:
    """Import TensorFlow without the lines that its C++ part writes to stderr at the start."""
    if "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    with Path(os.devnull).open("w") as nowhere:
        saved = os.dup(2)
        os.dup2(nowhere.fileno(), 2)
        try:
            import tensorflow as tf

            tf.constant(0.0) + 1.0  # the first operation looks for devices, which is noisy too
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def explain(verdict: Verdict, again: bool = False) -> str:
    """The text of a verdict. `again`: the same mistake as last time, so show the second stage."""
    head = f"{verdict.exercise}: "
    if not verdict.mistake:
        return head + f"right. {verdict.points} of {verdict.possible} points."
    lines = [head + f"not right yet. {verdict.points} of {verdict.possible} points so far."]
    if verdict.expected:
        lines += [f"  expected: {verdict.expected}", f"  got:      {verdict.got}"]
    lines.append(f"  {verdict.diagnosis}")
    if verdict.hint:
        lines.append(f"  Read {verdict.hint} again.")
    if verdict.hint and again:
        number = int(verdict.hint.split()[1])
        lines.append(f"  More: {REGISTRY[verdict.exercise].more[number - 1]}")
    return "\n".join(lines)


def _verdict(exercise: Exercise, fn: Callable) -> Verdict:
    """Observe and judge, in rounds."""
    from . import observe  # here: it needs TensorFlow, which `import checkpoints` does not

    observe.start()
    steps = rounds(exercise, exercise.cases(np.random.default_rng()))
    facts = None
    while True:
        try:
            how, cases = steps.send(facts)
        except StopIteration as end:
            return end.value
        observer = observe.OBSERVERS[how].get(exercise.name)
        facts = [observer(fn, case) for case in cases] if observer else []


def _check(exercise: Exercise, fn: Callable) -> int:
    """Ask for a verdict; print it, record it, and raise if the function is not right."""
    _import_tensorflow()
    name, verdict = exercise.name, _verdict(exercise, fn)
    again = _seen.get(name) == verdict.mistake != ""
    same = _asked.get(name) is fn  # a cell that is run again makes a new function
    _seen[name], _asked[name] = verdict.mistake, fn
    _results[name] = verdict
    text = explain(verdict, again) + (f"\n  {SAME}" if same and verdict.mistake else "")
    partly = verdict.points > 0 and os.environ.get("NBGRADER_EXECUTION") == "autograde"
    if not verdict.mistake or partly:  # nbgrader reads partial credit from the value of the cell
        notebook = type(sys.stdout).__module__.startswith("ipykernel")  # no terminal, no file
        print(text if verdict.mistake or not notebook else f"\x1b[1;32m{text}\x1b[0m")  # green
        return verdict.points
    if verdict.mistake.endswith("-not-written"):  # not a mistake: the stub says what to do next
        raise _not_written(exercise)
    raise CheckpointError(text, verdict)


def _not_written(exercise: Exercise) -> NotImplementedError:
    """What a stub raises itself; in Jupyter what to do instead of a traceback of this file."""
    error = NotImplementedError(f"Exercise {exercise.number}: {exercise.name}")
    told = "is not written yet, or its cell was not run: write it, run its cell, then this one."
    error._render_traceback_ = lambda: [f"{type(error).__name__}: {error} {told}"]
    return error


def compute_content_cost(fn: Callable) -> int:
    """Exercise 1. Returns the points, or raises `CheckpointError`."""
    return _check(CONTENT_COST, fn)


def gram_matrix(fn: Callable) -> int:
    """Exercise 2. Returns the points, or raises `CheckpointError`."""
    return _check(GRAM_MATRIX, fn)


def compute_layer_style_cost(fn: Callable) -> int:
    """Exercise 3. Returns the points, or raises `CheckpointError`."""
    return _check(LAYER_STYLE_COST, fn)


def total_cost(fn: Callable) -> int:
    """Exercise 4. Returns the points, or raises `CheckpointError`."""
    return _check(TOTAL_COST, fn)


def train_step(fn: Callable) -> int:
    """Exercise 5. Returns the points, or raises `CheckpointError`."""
    return _check(TRAIN_STEP, fn)


def score() -> int:
    """Print the table so far, and return the total out of 100."""
    print(f"{'exercise':<28}{'points':>6}{'of':>6}")
    for name, possible in EXERCISES.items():
        points = str(_results[name].points) if name in _results else "-"
        print(f"{name:<28}{points:>6}{possible:>6}")
    total = sum(verdict.points for verdict in _results.values())
    print(f"{'total':<28}{total:>6}{sum(EXERCISES.values()):>6}")
    return total
