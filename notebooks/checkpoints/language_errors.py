"""Exceptions of Python and TensorFlow as languages: names, methods, calls, braces, operators."""

# ruff: noqa: E501
# (One line a sentence.)

from __future__ import annotations

import re

from .raised import Raised
from .verdict import Finding

AS_ELSEWHERE = {  # what a tensor or tf does not have, but NumPy or PyTorch -> what to use
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
    "clamp": "tf.clip_by_value(..., low, high)",
    "t": "tf.transpose(...)",
    "permute": "tf.transpose(..., perm=...)",
    "view": "tf.reshape(..., shape)",
    "mm": "tf.linalg.matmul(..., ...), or @",
    "matmul": "tf.linalg.matmul(..., ...), or @",
    "square": "tf.square(...)",
    "pow": "tf.square(...), or ** 2",
    "norm": "tf.norm(...)",
    "item": "the tensor itself",
    "detach": "the tensor itself",
    "float": "tf.cast(..., tf.float32)",
    "backward": "tape.gradient(J, ...)",
}


def _as_in_numpy(r: Raised) -> Finding | None:
    missing = re.search(r"(Tensor|Variable|module '[\w.]+').*no attribute '(\w+)'", r.whole)
    if not missing or missing.group(2) not in AS_ELSEWHERE:
        return None
    of, name = "a tensor", missing.group(2)
    if "module" in missing.group(1):
        of = _module(missing.group(1))
        return r.finding(
            "as-in-numpy", "as in NumPy", 0, f"{of} has no {name}: use {AS_ELSEWHERE[name]}."
        )
    says = f"{of} has no {name}, that is a name of NumPy or PyTorch: use {AS_ELSEWHERE[name]}."
    return r.finding("as-in-numpy", "as in NumPy", 0, says)


def _module(named: str) -> str:
    """tf.linalg, for "module 'tensorflow._api.v2.linalg'"."""
    return re.sub(r"^module '|'$", "", named).replace("tensorflow", "tf").replace("._api.v2", "")


def _attribute(r: Raised) -> Finding | None:
    missing = re.search(r"(module '[\w.]+'|Adam|SGD|Tensor).*no attribute '(\w+)'", r.whole)
    if r.kind != "AttributeError" or not missing or missing.group(2).startswith("_"):
        return None
    if missing.group(1) == "Tensor" and not missing.group(2).startswith("_"):
        more = " (a tf.Variable has)" if "assign" in missing.group(2) else ""
        return r.finding("no-such-name", 0, 0, f"a tensor has no {missing.group(2)}{more}.")
    if missing.group(2) == "minimize":
        says = "optimizers of Keras 3 have no minimize: take tape.gradient, then optimizer.apply_gradients."
        return r.finding("minimize", 4, 0, says)
    where = _module(missing.group(1)) if "module" in missing.group(1) else "the optimizer"
    says = f"there is no {missing.group(2)} in {where}: is it spelt otherwise?"
    return r.finding("no-such-name", 0, 0, says)


def _name(r: Raised) -> Finding | None:
    missing = re.search(r"name '(\w+)' is not defined|variable '(\w+)'", r.message)
    if r.kind not in ("NameError", "UnboundLocalError") or not missing:
        return None
    name = missing.group(1) or missing.group(2)
    if r.kind == "UnboundLocalError":
        says = f"{name} gets a value in this function, so the {name} outside is not seen: give the result another name."
        return r.finding("name-taken", 0, 0, says)
    if name == "tape":
        says = "there is no tape: what depends on G must happen under `with tf.GradientTape() as tape:`."
        return r.finding("no-tape", 1, 0, says)
    says = f"{name} has no value here: is it spelt otherwise above, or in a cell that was not run?"
    return r.finding("no-such-name", 0, 0, says)


def _list(r: Raised) -> Finding | None:
    stacked = re.search("Shapes of all inputs must match|inhomogeneous shape", r.message)
    if not stacked and not re.search(
        r"list indices must be|'list' (object has no attribute|and '|and \")|and 'list'", r.message
    ):
        return None
    says = "that is a list, one activation for each layer: take one out of it first."
    if "compute_layer_style_cost(" in r.code:
        says = "compute_layer_style_cost takes one layer, but gets the lists of all: call compute_style_cost, which adds up the layers."
    if "indices must be" in r.message:
        says = "that is a list, no dictionary: take an activation out of it by its number."
    return r.finding("list", 1 if r.exercise.short == "content" else 0, 0, says)


def _set(r: Raised) -> Finding | None:
    if "unhashable" not in r.message:
        return None
    return r.finding("set", 0, 0, "braces {} make a set: leave them out, or write ().")


def _called(r: Raised) -> Finding | None:
    kind = re.search(r"'(?:[\w.]+\.)?(\w+)' object is not callable", r.message)
    if r.kind != "TypeError" or not kind:
        return None
    if r.exercise.short == "train" and "Variable" in kind.group(1):
        says = f"the arguments of your def line are in another order ({', '.join(r.parameters)}): leave it as it was."
        return r.exercise.finding("signature", 0, 0, says)
    if r.line is None:
        says = f"{r.exercise.name} is no function any more, but a value ({kind.group(1)}): is its name used again for a result? Run the cell with its def again."
        return r.exercise.finding("not-a-function", 0, 0, says)
    says = "a number or tensor stands before brackets, as if it were a function: is a * missing?"
    return r.finding("called", 0, 0, says)


def _method(r: Raised) -> Finding | None:
    if not re.search(
        r"<class 'method'>|(builtin_function_or_)?method' object|'method' and", r.whole
    ):
        return None
    says = "a method stands there without its brackets (): it is not called."
    return r.finding("method", 0, 0, says)


def _exits(r: Raised) -> Finding | None:
    if r.kind != "SystemExit":
        return None
    return r.finding("exits", 0, 0, "this ends the whole program (exit): delete it.")


def _power(r: Raised) -> Finding | None:
    xor = "unsupported operand type(s) for ^" in r.message or "BitwiseXor" in r.message
    if not xor:
        return None
    return r.finding("power", "gradient", 0, "in Python ^ is no power: write ** or tf.square.")


def _item_assigned(r: Raised) -> Finding | None:
    if "item assignment" not in r.message:
        return None
    says = "the entries of a tensor cannot be set one by one: compute all of it in one expression, or collect rows in a list and tf.stack them."
    return r.finding("item-assigned", 2 if r.exercise.short == "gram" else 0, 0, says)


LANGUAGE_ERRORS = (  # the first that fits is taken
    _as_in_numpy,
    _attribute,
    _name,
    _list,
    _set,
    _called,
    _method,
    _exits,
    _power,
    _item_assigned,
)
