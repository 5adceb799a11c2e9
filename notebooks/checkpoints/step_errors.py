"""Exceptions that only train_step raises: tapes, gradients, optimizers, the network."""

# ruff: noqa: E501
# (One line a sentence.)

from __future__ import annotations

import re

from .causes import another_network
from .raised import Raised
from .verdict import PART, Finding


def _no_batch(r: Raised) -> Finding | None:
    shapes = re.search(r"expected shape=\(None, .*found shape=\(([\d, ]+)\)", r.whole)
    if not shapes:
        return None
    target = re.match(r"(\w+)\s*=[^=]", r.code)
    if target and target.group(1) in r.parameters[2:4]:
        says = f"a_C and a_S are given, as arguments: leave this line out, and do not compute them anew.{r.globals_used}"
        return r.finding("targets-anew", 2, 0, says)
    if shapes.group(1).count(",") != 2:
        says = f"vgg gets a picture of shape ({shapes.group(1)}): give it generated_image as it is, (1, n_H, n_W, 3).{r.globals_used}"
        return r.finding("other-picture", 0, 0, says)
    says = f"vgg gets a picture of shape ({shapes.group(1)}): leave the axis in front, (1, n_H, n_W, 3)."
    return r.finding("no-batch", 0, 0, says)


def _left_tensorflow(r: Raised) -> Finding | None:
    if "gradient" not in r.code or not re.search(r"attribute '_id'|type_value", r.message):
        return None
    says = "J is a plain number here, not a tensor: float(...) or .numpy() takes it out of TensorFlow, where the tape cannot follow. Keep the tensor until the gradient is there."
    return r.finding("left-tensorflow", 1, PART, says)


def _tape_used_twice(r: Raised) -> Finding | None:
    if "non-persistent GradientTape" not in r.message:
        return None
    if not re.search(r"with .*GradientTape", r.source) and "GradientTape" in r.source:
        says = "the tape records nothing: what depends on G must happen under `with tf.GradientTape() as tape:`."
        return r.exercise.finding("no-tape", 1, PART, says)
    says = "a tape gives one gradient: take that of J, the sum, once (or make the tape with persistent=True)."
    return r.finding("tape-twice", 4, PART, says)


def _outside_tape(r: Raised) -> Finding | None:
    if "No gradients provided" not in r.message and not (
        "None" in r.message and "gradient" in r.code
    ):
        return None
    image = (r.parameters or ("generated_image",))[0]
    if line := _line(r.source, rf"\.gradient\(\s*\[?{image}\b"):
        says = f"In `{line}`: the two arguments are the wrong way round. First what is differentiated, J, then with respect to what, {image}."
        return r.exercise.finding("gradient-swapped", 4, PART, says)
    if found := _other_source(r):
        return found
    if (
        line := _line(r.source, r"watch_accessed_variables\s*=\s*False")
    ) and ".watch(" not in r.source:
        says = f"In `{line}`: the tape watches nothing. Leave watch_accessed_variables out."
        return r.exercise.finding("not-watched", 1, PART, says)
    if line := _line(r.source, r"\.predict\("):
        says = f"In `{line}`: predict gives NumPy arrays, and the tape cannot follow: call vgg({image})."
        return r.exercise.finding("predict", 1, PART, says)
    if line := _line(r.source, r"vgg\(.*(\.numpy\(|np\.)|(np\.\w*array|\.numpy)\("):
        says = f"In `{line}`: the pixels are taken out of TensorFlow, and the tape cannot follow: give vgg {image} itself."
        return r.exercise.finding("outside-tape", 1, PART, says)
    if line := _line(r.source, r"stop_recording|stop_gradient"):
        says = f"In `{line}`: this cuts the gradient off. Leave it out."
        return r.exercise.finding("outside-tape", 1, PART, says)
    says = "the gradient of J with respect to the image is None: what depends on G must happen inside the tape, in TensorFlow."
    return r.finding("outside-tape", 1, PART, says)


def _line(source: str, pattern: str) -> str:
    """The first line of the student's function that matches, "" if none does."""
    return next((line.strip() for line in source.splitlines() if re.search(pattern, line)), "")


def _wrong_variable(r: Raised) -> Finding | None:
    if "originally built with" not in r.whole:
        return None
    if r.data:
        says = f"the optimizer was made for another variable.{r.globals_used}"
        return r.finding("global", 0, 0, says)
    if line := _line(r.source, r"\bVariable\("):
        says = f"In `{line}`: that is a copy, another variable than the one that the optimizer and the painting have. Work on the one that is given."
        return r.exercise.finding("copy", 4, 0, says)
    says = "the optimizer is for generated_image alone: take the gradient of J with respect to it, not to the weights."
    return r.finding("wrong-variable", 4, 0, says)


def _other_source(r: Raised) -> Finding | None:
    """The gradient is not taken with respect to the image."""
    image = (r.parameters or ("generated_image",))[0]
    other = re.search(r"\.gradient\(\s*[\w.]+\s*,\s*(a_\w+|\w+\.\w+|vgg\w*)\s*\)", r.source)
    if not other or other.group(1).startswith(image):
        return None
    says = f"the gradient is taken with respect to {other.group(1)}: take that with respect to {image}, which the optimizer moves."
    return r.finding("other-source", 4, 0, says)


def _pairs(r: Raised) -> Finding | None:
    kinds = ("TypeError", "ValueError", "AttributeError", "InvalidArgumentError")
    if (
        not re.search(r"apply_gradients|optimizer\.apply\(", r.code)
        or r.kind not in kinds
        or "None" in r.message
    ):
        return None
    image = (r.parameters or ("generated_image",))[0]
    if line := _line(r.source, rf"^\s*{image}\s*=[^=]"):
        says = f"In `{line}`: {image} is another tensor from here on, not the variable that is given. Give it another name."
        return r.exercise.finding("rebound", 4, 0, says)
    if found := _other_source(r):
        return found
    pair = re.search(r"\(\s*\w+\s*,\s*(\w+)\s*\)\s*\]", r.code)
    if pair and pair.group(1) != image and not re.search(rf"\(\s*{image}\s*,", r.code):
        says = f"the pair ends with {pair.group(1)}: the variable to be moved is {image}."
        return r.finding("other-source", 4, 0, says)
    says = f"apply_gradients takes a list of pairs, each a gradient and its variable: [(gradient, {image})]."
    if re.search(rf"\(\s*{image}\s*,", r.code):
        says = f"the pair is the wrong way round: the gradient comes first, then its variable, [(gradient, {image})]."
    elif re.search(rf"zip\(\s*\[?\s*{image}\b", r.code):
        says = "the pairs are the wrong way round: zip first the gradients, then their variables."
    elif "zip" in r.code:
        says = f"zip takes the picture apart: both must be lists, or write [(gradient, {image})]."
    return r.finding("pairs", 4, 0, says)


def _another_network(r: Raised) -> Finding | None:
    says = another_network(r.source) if r.exercise.short == "train" else ""
    if not says or r.kind in ("NameError", "NotImplementedError"):
        return None
    return r.exercise.finding("another-network", 1, 0, says)


STEP_ERRORS = (  # the first that fits is taken
    _another_network,
    _left_tensorflow,
    _tape_used_twice,
    _outside_tape,
    _wrong_variable,
    _pairs,
    _no_batch,
)
