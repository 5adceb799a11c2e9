"""Exceptions of Python and TensorFlow as languages: names, methods, calls, braces, operators."""

# ruff: noqa: E501
# (One line a sentence.)

from __future__ import annotations

import re
from dataclasses import dataclass

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
    "cpu": "the tensor itself",
    "unsqueeze": "tf.expand_dims(..., axis)",
    "squeeze": "tf.squeeze(...)",
    "mul": "*",
    "add": "+",
    "sub": "-",
    "abs": "tf.abs(...)",
    "sqrt": "tf.sqrt(...)",
    "max": "tf.reduce_max(...)",
    "min": "tf.reduce_min(...)",
    "std": "tf.math.reduce_std(...)",
    "var": "tf.math.reduce_variance(...)",
    "prod": "tf.reduce_prod(...)",
    "copy": "the tensor itself",
    "data": "the tensor or variable itself",
    "tolist": "the tensor itself",
    "clone": "the tensor itself",
    "bmm": "tf.linalg.matmul(..., ...), or @",
    "no_grad": "tf.GradientTape for what needs a gradient; the rest needs nothing",
    "cat": "tf.concat(...)",
    "power": "tf.square(...), or ** 2",
    "moveaxis": "tf.transpose(..., perm=...)",
}
OF_TENSORFLOW_1 = (
    "Session",
    "placeholder",
    "compute_gradients",
    "AdamOptimizer",
    "get_variable",
    "eval",
)
OF_PYTORCH = ("zero_grad", "step", "backward", "param_groups", "state_dict", "clamp_", "grad")


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
    missing = re.search(
        r"(module '[\w.]+'|Adam|SGD|Tensor|Variable|GradientTape).*no attribute '(\w+)'", r.whole
    )
    if r.kind != "AttributeError" or not missing or missing.group(2).startswith("_"):
        return None
    if missing.group(2) in OF_PYTORCH:
        says = f"{missing.group(2)} belongs to PyTorch. In TensorFlow: tape.gradient(J, the image), then optimizer.apply_gradients([(gradient, image)])."
        return r.finding("as-in-pytorch", "as in NumPy", 0, says)
    if missing.group(2) in OF_TENSORFLOW_1:
        says = f"{missing.group(2)} belongs to TensorFlow 1. Here every line gives its value at once; a gradient comes from tape.gradient(J, image)."
        return r.finding("tensorflow-1", 0, 0, says)
    if missing.group(1) == "Variable":
        says = f"a tf.Variable has no {missing.group(2)}: is it spelt otherwise?"
        return r.finding("no-such-name", 0, 0, says)
    if missing.group(1) == "Tensor" and not missing.group(2).startswith("_"):
        more = " (a tf.Variable has)" if "assign" in missing.group(2) else ""
        return r.finding("no-such-name", 0, 0, f"a tensor has no {missing.group(2)}{more}.")
    if missing.group(2) == "minimize":
        says = "optimizers of Keras 3 have no minimize: take tape.gradient, then optimizer.apply_gradients."
        return r.finding("minimize", 4, 0, says)
    where = "the tape" if missing.group(1) == "GradientTape" else "the optimizer"
    where = _module(missing.group(1)) if "module" in missing.group(1) else where
    says = f"there is no {missing.group(2)} in {where}: is it spelt otherwise?"
    if where == "the optimizer":
        says = f"there is no {missing.group(2)} in the optimizer: one of Keras has optimizer.apply_gradients([(gradient, image)]), which moves the image itself."
    return r.finding("no-such-name", 0, 0, says)


OF_TENSORFLOW = (
    *("square", "reduce_sum", "reduce_mean", "transpose", "reshape", "matmul", "linalg"),
    *("GradientTape", "clip_by_value"),
)  # what the hints name, and a beginner writes without tf.


def _name(r: Raised) -> Finding | None:
    missing = re.search(r"name '(\w+)' is not defined|variable '(\w+)'", r.message)
    if r.kind not in ("NameError", "UnboundLocalError") or not missing:
        return None
    name = missing.group(1) or missing.group(2)
    if r.kind == "UnboundLocalError":
        return _unbound(r, name)
    if name == "tape":
        says = "there is no tape: what depends on G must happen under `with tf.GradientTape() as tape:`."
        return r.finding("no-tape", 1, 0, says)
    if name in ("torch", "F", "jax", "jnp"):
        says = f"{name} is not used here: all is done with tf, TensorFlow."
        return r.finding("as-in-pytorch", "as in NumPy", 0, says)
    says = f"{name} has no value here: is it spelt otherwise above, or in a cell that was not run?"
    if name in OF_TENSORFLOW:
        says = f"{name} belongs to TensorFlow: write tf.{name}."
    if name == "T" and (powered := re.search(r"(\w+)\s*(\^|\*\*)\s*T\b", r.code)):
        says = f"{powered.group(0)} is how it is written on paper: write tf.transpose({powered.group(1)})."
    return r.finding("no-such-name", 0, 0, says)


def _unbound(r: Raised, name: str) -> Finding:
    """A name that gets its value in the function, but has none yet."""
    if re.search(rf"\b{name}\s*[-+*/]=", r.code):
        says = f"{name} has no value yet that something could be added to: give it one before, {name} = 0.0, or write = here."
        return r.finding("no-first-value", 0, 0, says)
    if re.search(rf"\b{name}\s*\(", r.code):
        says = f"{name} gets a value in this function, so the {name} outside is not seen: give the result another name."
        return r.finding("name-taken", 0, 0, says)
    says = f"{name} has no value here yet: the function gives it one in this line, further down, or in a branch that was not run, so no {name} outside of it is seen. Use another name for one of them."
    return r.finding("name-taken", 0, 0, says)


def _list(r: Raised) -> Finding | None:
    stacked = re.search("Shapes of all inputs must match|inhomogeneous shape", r.message)
    if not stacked and not re.search(
        r"list indices must be|'list' (object has no attribute|and '|and \")|and 'list'|not 'list'|multiply sequence",
        r.message,
    ):
        return None
    says = "that is a list, one activation for each layer: take one out of it first."
    if stacked and r.exercise.short == "gram":
        says = (
            "what is stacked must have the same length throughout: each row of G has n_C numbers."
        )
    if "total_cost(" in r.code and r.exercise.short == "train":
        says = "total_cost takes the two costs, numbers, and not the lists of activations."
    if "compute_layer_style_cost(" in r.code:
        says = "compute_layer_style_cost takes one layer, but gets the lists of all: call compute_style_cost, which adds up the layers."
    if "indices must be" in r.message:
        says = "that is a list, no dictionary: take an activation out of it by its number."
    if "attribute 'numpy'" in r.message and r.exercise.short == "train":
        says = "that is a list, and .numpy() would take what is in it out of TensorFlow: leave .numpy() out."
    return r.finding("list", 1 if r.exercise.short == "content" else 0, 0, says)


def _set(r: Raised) -> Finding | None:
    """Only braces make a set; a cache wants its arguments hashable, too."""
    if "unhashable" not in r.message:
        return None
    if re.search(r"^\s*@.*cache", r.source, re.M):
        says = "the decorator that keeps results (lru_cache, cache) cannot hold tensors: leave it out, and compute the result anew."
        return r.exercise.finding("remembers", 0, 0, says)
    if "{" in r.code or "{" in r.source:
        return r.finding("set", 0, 0, "braces {} make a set: leave them out, or write ().")
    says = (
        "a tensor or list cannot be the key of a dictionary, or in a set: compute with it as it is."
    )
    return r.finding("set", 0, 0, says)


def _called(r: Raised) -> Finding | None:
    kind = re.search(r"'(?:[\w.]+\.)?(\w+)' object is not callable", r.message)
    if r.kind != "TypeError" or not kind:
        return None
    if r.exercise.short == "train" and "Variable" in kind.group(1):
        says = f"the arguments of your def line are in another order ({', '.join(r.parameters)}): leave it as it was."
        return r.exercise.finding("signature", 0, 0, says)
    if kind.group(1) in ("TensorShape", "Adam", "SGD"):
        says = "the optimizer is no function: call optimizer.apply_gradients([(gradient, image)])."
        if kind.group(1) == "TensorShape":
            says = "a.shape is no function: leave the brackets () behind it out."
        return r.finding("called", 0, 0, says)
    if r.line is None:
        says = f"{r.exercise.name} is no function any more, but a value ({kind.group(1)}): is its name used again for a result? Run the cell with its def again."
        return r.exercise.finding("not-a-function", 0, 0, says)
    for name in re.findall(r"(\w+)\s*\(", r.code):
        if line := re.search(rf"^\s*({re.escape(name)}\s*=[^=].*)$", r.source, re.M):
            says = f"{name} holds a value since `{line.group(1).strip()[:80]}`, so it is no function: is a * missing, or is its name that of a function, too?"
            return r.finding("called", 0, 0, says)
    says = "a number or tensor stands before brackets, as if it were a function: is a * missing?"
    return r.finding("called", 0, 0, says)


def _unary(r: Raised) -> Finding | None:
    if "bad operand type for unary" not in r.message:
        return None
    if re.search(r"\w\s*=[+-]", r.code):
        says = "=+ and =- set the name anew: write += or -= to add to it, or to subtract from it."
        return r.finding("sign-alone", 0, 0, says)
    says = "a sign stands where a term begins: after a comma, or at the start of a line? Write one sum, without the comma, with brackets round it if it needs two lines."
    return r.finding("sign-alone", 0, 0, says)


def _context(r: Raised) -> Finding | None:
    """`with tf.GradientTape as tape:`"""
    named = re.search(r"with\s+([\w.]+)\s+as\b", r.code)
    if not named or not re.search("context manager|__enter__|__exit__", r.message):
        return None
    says = f"brackets are missing after {named.group(1)}: write `with {named.group(1)}() as ...`."
    return r.finding("no-brackets", 0, 0, says)


def _not_a_sequence(r: Raised) -> Finding | None:
    """A number is taken for a list."""
    if not re.search(r"has no `?len\(\)|iterat\w+ over a scalar|not iterable", r.message):
        return None
    says = "that is one number, not a list of numbers: it has no length, and cannot be taken apart."
    if re.match(r"(for|while)\b", r.code):
        says = "that is one number, and a loop wants a list: range(n) counts from 0 to n - 1."
    if "constant(" in r.code:
        says = "tf.constant takes numbers, not tensors (and would cut the gradient off): add the terms, or put them together with tf.stack."
    return r.finding("not-a-sequence", 0, 0, says)


def _plain_number(r: Raised) -> Finding | None:
    """A Python number is asked for what only a tensor has."""
    missing = re.search(r"'(int|float|tuple|str|dict)' object has no attribute '(\w+)'", r.message)
    if not missing:
        return None
    kinds = {"int": "a plain number", "float": "a plain number", "str": "a text"}
    says = f"that is {kinds.get(missing.group(1), 'a ' + missing.group(1))}, no tensor, and has no {missing.group(2)}: what was put into it above?"
    return r.finding("no-tensor", 0, 0, says)


@dataclass(frozen=True)
class Slip:
    """An exception that has one cause, known by what a field of it says: a sentence is enough."""

    id: str
    pattern: str
    says: str
    field: str = "message"  # of Raised
    topic: str = ""  # of the exercise's hints
    unless: str = "(?!)"  # a pattern that is in no text

    def __call__(self, r: Raised) -> Finding | None:
        text = getattr(r, self.field)
        if not re.search(self.pattern, text) or re.search(self.unless, text):
            return None
        return r.finding(self.id, self.topic, 0, self.says)


LANGUAGE_ERRORS = (  # the first that fits is taken
    _as_in_numpy,
    _attribute,
    _name,
    _list,
    _set,
    _called,
    Slip(
        "method",
        "<class 'method'>|(builtin_function_or_)?method' object|'method' and",
        "a method stands there without its brackets (): it is not called.",
        field="whole",
    ),
    Slip(
        "exits",
        "^SystemExit$",
        "this ends the whole program (exit): delete it.",
        field="kind",
    ),
    Slip(
        "power",
        r"unsupported operand type\(s\) for \^|BitwiseXor",
        "in Python ^ is no power: write ** or tf.square.",
        topic="gradient",
    ),
    Slip(
        "item-assigned",
        "item assignment",
        "the entries of a tensor cannot be set one by one: compute all of it in one expression, or collect rows in a list and tf.stack them.",
        topic="entries",
    ),
    _unary,
    _context,
    _not_a_sequence,
    Slip(
        "whole-number",
        "'float' object cannot be interpreted as an integer|slice indices must be|Only integers",
        "a whole number is needed here, and / gives a float: // divides whole numbers, int(...) makes one.",
        topic="dims",
        unless="list indices",
    ),
    Slip(
        "method",
        r"unsupported operand .*'function'|<function \w+",
        "a function stands there without its brackets (): it is not called.",
    ),
    Slip(
        "whole-shape",
        "TensorShape",
        "a.shape holds all sizes, and is no number: take them out of it, as in _, n_H, n_W, n_C = a.shape.",
        topic="dims",
        unless="no attribute",
    ),
    Slip(
        "truth",
        "truth value of",
        "an if wants one truth, and a tensor has one for every entry: tf.where chooses entry by entry. Is an if needed at all?",
    ),
    Slip(
        "one-number",
        "only (0-dimensional|length-1|size-1) arrays|only integer scalar arrays",
        "this function takes one number, and gets a tensor of many: use that of tf, such as tf.square, or sum first.",
    ),
    Slip(
        "not-subscriptable",
        "not subscriptable",
        "square brackets [] take an entry out of a list or tensor, and here is none of these: a function, or the network, is called with round ones, ().",
    ),
    Slip(
        "tensorflow-1",
        "eval is not supported",
        "eval belongs to TensorFlow 1. Here a tensor has its value at once: leave .eval() out.",
    ),
    Slip(
        "trains",
        "call `compile",
        "the network is not trained here, only the pixels of the image change: take tape.gradient(J, image), and optimizer.apply_gradients.",
        field="whole",
    ),
    _plain_number,
)
