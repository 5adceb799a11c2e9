"""An exception of the student's function: which mistake is behind it, from message and line."""

# ruff: noqa: E501
# (One line a sentence.)

from __future__ import annotations

import re
from dataclasses import dataclass

from .facts import text
from .verdict import PART, Exercise, Finding

AS_IN_NUMPY = {  # what a tensor or tf does not have -> what to use
    "T": "tf.transpose(...)",
    "transpose": "tf.transpose(...)",
    "swapaxes": "tf.transpose(..., perm=...)",
    "reshape": "tf.reshape(..., shape)",
    "flatten": "tf.reshape(..., [-1])",
    "ravel": "tf.reshape(..., [-1])",
    "dot": "tf.linalg.matmul(..., ...), or @",
    "sum": "tf.reduce_sum(...)",
    "mean": "tf.reduce_mean(...)",
    "astype": "tf.cast(..., dtype)",
    "size": "tf.size(...), or the sizes in .shape",
    "clip": "tf.clip_by_value(..., low, high)",
}


@dataclass(frozen=True)
class Raised:
    """An exception of the student's function, as the kernel reported it: perhaps not the truth."""

    exercise: Exercise
    kind: str  # its type
    message: str  # its last line
    whole: str
    line: int | None  # of the student's code
    code: str  # that line
    some: bool | None  # were any of the other calls right? None: every call raised
    asked: tuple[str, ...]  # the sizes that reshape was asked for, one a call that failed

    @property
    def where(self) -> str:
        """The student's line, as the start of a sentence."""
        return (
            f"In line {self.line}, `{self.code}`: " if self.line is not None and self.code else ""
        )

    def finding(self, mistake: str, hint: int | str, credit: float, says: str) -> Finding:
        """A finding whose sentence starts with the student's line."""
        return self.exercise.finding(mistake, hint, credit, self.where + says)


def error_finding(
    exercise: Exercise, facts: dict, failed: list[dict], some: bool | None
) -> Finding:
    """Name the mistake behind an exception, from its message and the student's line.

    `failed` holds the facts of all calls that raised; `some` is None if every call did, else
    whether any of the other calls was right.
    """
    line = facts.get("error_line")
    asked = [re.search(r"requested shape has (\d+)", text(f, "error_message")) for f in failed]
    raised = Raised(
        exercise,
        text(facts, "error_type", 60),
        text(facts, "error_message"),
        str(facts.get("error_message"))[-1500:],  # the last line of TensorFlow's is bad advice
        line if type(line) is int else None,
        text(facts, "error_text"),
        some,
        tuple(match.group(1) for match in asked if match),
    )
    for recognised in KNOWN:
        if found := recognised(raised):
            return found
    return raised.finding("error", 1, 0, f"{raised.kind}: {raised.message}")


def _not_written(r: Raised) -> Finding | None:
    if r.kind == "NotImplementedError":
        return r.exercise.finding("not-written", 1, 0, f"{r.exercise.name} is not written yet.")
    return None


def _signature(r: Raised) -> Finding | None:
    called = r.line is not None or not re.search(r"positional|keyword", r.message)
    if r.kind != "TypeError" or called:
        return None
    says = f"{r.exercise.name} could not be called: leave the arguments in its def line as they were. ({r.message})"
    return r.exercise.finding("signature", 1, 0, says)


def _index_hard_coded(r: Raised) -> Finding | None:
    if r.some is None or r.kind != "IndexError":
        return None
    says = f"the index is right for lists of one length only ({r.message}): the content layer is the last one."
    return r.finding("index-hard-coded", 1, PART if r.some else 0, says)


def _dims_hard_coded(r: Raised) -> Finding | None:
    partly = r.some is not None and r.exercise.has_dims
    if not partly and not (len(r.asked) > 2 and len(set(r.asked)) == 1):
        return None
    says = f"dimensions are hard-coded: it fails on other shapes ({r.kind}: {r.message})"
    return r.finding("dims-hard-coded", "dims", PART if r.some else 0, says)


def _as_in_numpy(r: Raised) -> Finding | None:
    missing = re.search(r"(Tensor|Variable|module 'tensorflow').*no attribute '(\w+)'", r.whole)
    if not missing or missing.group(2) not in AS_IN_NUMPY:
        return None
    of, name = "tf" if "module" in missing.group(1) else "a tensor", missing.group(2)
    says = f"{of} has no {name}, that is NumPy's name: use {AS_IN_NUMPY[name]}."
    return r.finding("as-in-numpy", "as in NumPy", 0, says)


def _unpack(r: Raised) -> Finding | None:
    if "to unpack" not in r.message or ".shape" not in r.code or r.exercise.short == "gram":
        return None
    says = f"the shape of an activation has four entries, 1, n_H, n_W, n_C: read all four ({r.message})."
    return r.finding("unpack", "dims", 0, says)


def _list(r: Raised) -> Finding | None:
    if not re.search(r"'list' (object has no attribute|and 'list')", r.message):
        return None
    says = f"that is a list, one activation for each layer: take one out of it first ({r.message})."
    return r.finding("list", 1, 0, says)


def _power(r: Raised) -> Finding | None:
    if "BitwiseXor" not in r.message:
        return None
    return r.finding("power", "gradient", 0, "in Python ^ is no power: write ** or tf.square.")


def _not_transposed(r: Raised) -> Finding | None:
    sizes = re.search(r"In\[0\]: (\[[\d,]+\]), In\[1\]: (\[[\d,]+\])", r.message)
    if not sizes or sizes.group(1) != sizes.group(2):
        return None
    says = f"the matrix is multiplied by itself, {sizes.group(1)} by {sizes.group(2)}: one of the two must be transposed."
    return r.finding("not-transposed", 2, 0, says)


def _outside_tape(r: Raised) -> Finding | None:
    if "No gradients provided" not in r.message and not (
        "None" in r.message and "gradient" in r.code
    ):
        return None
    says = "the gradient of J with respect to the image is None: what depends on G must happen inside the tape, in TensorFlow."
    return r.finding("outside-tape", 1, PART, says)


def _wrong_variable(r: Raised) -> Finding | None:
    if "originally built with" not in r.whole:
        return None
    says = "the optimizer is for generated_image alone: take the gradient of J with respect to it, not to the weights."
    return r.finding("wrong-variable", 4, 0, says)


def _pairs(r: Raised) -> Finding | None:
    if (
        "apply_gradients" not in r.code
        or r.kind not in ("TypeError", "ValueError")
        or "None" in r.message
    ):
        return None
    says = (
        f"apply_gradients takes one list of pairs, [(gradient, variable)] ({r.kind}: {r.message})"
    )
    return r.finding("pairs", 4, 0, says)


KNOWN = (  # the first that fits is taken
    _not_written,
    _signature,
    _index_hard_coded,
    _dims_hard_coded,
    _as_in_numpy,
    _unpack,
    _list,
    _power,
    _not_transposed,
    _outside_tape,
    _wrong_variable,
    _pairs,
)
