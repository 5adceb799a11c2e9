"""Exceptions that only train_step raises: tapes, gradients, optimizers, the network."""

# ruff: noqa: E501
# (One line a sentence.)

from __future__ import annotations

import ast
import re

from .causes import another_network
from .raised import Raised
from .source import Text, read_text
from .verdict import PART, Finding


def _no_batch(r: Raised) -> Finding | None:
    if re.search(r"expects 1 .*input.*received \d+ input", r.whole):
        says = f"vgg gets a list, such as the activations that it gives: it takes one picture, generated_image.{r.globals_used}"
        return r.finding("other-picture", 0, 0, says)
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
    if found := _other_source(r, of_none=True):
        return found
    if (
        line := _line(r.source, r"watch_accessed_variables\s*=\s*False")
    ) and ".watch(" not in r.source:
        says = f"In `{line}`: the tape watches nothing. Leave watch_accessed_variables out."
        return r.exercise.finding("not-watched", 1, PART, says)
    if line := _line(r.source, r"\.predict\("):
        says = f"In `{line}`: predict gives NumPy arrays, and the tape cannot follow: call vgg({image})."
        return r.exercise.finding("predict", 1, PART, says)
    if line := _line(r.source, r"vgg\(.*(\.numpy\(|np\.|tf\.constant\()|(np\.\w*array|\.numpy)\("):
        says = f"In `{line}`: the pixels are taken out of TensorFlow, and the tape cannot follow: give vgg {image} itself."
        return r.exercise.finding("outside-tape", 1, PART, says)
    if line := _line(r.source, r"stop_recording|stop_gradient"):
        says = f"In `{line}`: this cuts the gradient off. Leave it out."
        return r.exercise.finding("outside-tape", 1, PART, says)
    says = "the gradient of J with respect to the image is None: what depends on G must happen inside the tape, in TensorFlow."
    return r.finding("outside-tape", 1, PART, says)


def _watched(r: Raised) -> Finding | None:
    """A GradientTape takes no weights of Keras, no lists of plain numbers, no model."""
    if "Passed in object" not in r.whole or ".watch(" not in r.code:
        return None
    if found := _other_source(r):
        return found
    says = "the tape watches a tf.Variable such as the image by itself, and nothing else is to be watched: leave this line out."
    return r.finding("watched", 1, 0, says)


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


def _other_source(r: Raised, of_none: bool = False) -> Finding | None:
    """The gradient is not taken with respect to the image; `of_none`: so it is None."""
    image, network = (*r.parameters, "generated_image", "vgg")[:2]
    read = read_text(r.source)
    for call in read.of(ast.Call):
        asked = [*call.args[1:2], *(k.value for k in call.keywords if k.arg == "sources")]
        if getattr(call.func, "attr", "") != "gradient" or not asked or _is(read, asked[0], image):
            continue
        line, what = f"In `{read.line(call)}`: ", _alone(asked[0])
        other, made = ast.unparse(what), _made_from(read, what)
        copied = re.search(rf"\b{image}\b", made) and f"{network}(" not in made
        if not of_none or not copied:
            says = f"the gradient is taken with respect to {other}: take that with respect to {image}, which the optimizer moves."
        elif any(
            ast.unparse(c.func) == network and other in map(ast.unparse, c.args)
            for c in read.of(ast.Call)
        ):
            says = f"{other} is a copy, a tensor that the tape does not watch: give {network}, and here, {image} itself."
        else:
            says = f"the gradient is asked with respect to {other}, a copy on which J does not depend: it must be {image} itself."
        return r.exercise.finding("other-source", 4, 0, line + says)
    return None


def _alone(node: ast.AST) -> ast.AST:
    """The only entry of a list or tuple."""
    one = isinstance(node, (ast.List, ast.Tuple)) and len(node.elts) == 1
    return node.elts[0] if one else node


def _made_from(read: Text, node: ast.AST) -> str:
    """The text of an expression, and of what its name was made from."""
    return "\n".join(ast.unparse(part) for part in (node, *read.given(node)))


def _is(read: Text, node: ast.AST, image: str) -> bool:
    """Is it the image, in a list perhaps, or another name of it?"""
    texts = _made_from(read, _alone(node)).splitlines()
    return any(re.fullmatch(rf"[\[(]?{image},?[\])]?", text) for text in texts)


def _changed_in_place(r: Raised) -> Finding | None:
    """`image -= ...` and `image[:] = ...`"""
    image = (r.parameters or ("generated_image",))[0]
    entry = "item assignment" in r.message
    if entry and "Variable" not in r.message and not re.match(rf"{image}\s*\[", r.code):
        return None
    if not entry and "with `tf.Variable`s is not supported" not in r.message:
        return None
    if r.exercise.short != "train":
        says = "a tf.Variable is not changed in this way, and lets no gradient through: use plain numbers and tensors, as in J = 0.0, then J = J + ..."
        return None if entry else r.finding("variable-in-place", 0, 0, says)
    how = "[...] =" if entry else next(iter(re.findall(r"[-+*/]+=", r.code)), "-=")
    says = f"a tf.Variable is not changed with {how}: the optimizer moves it, optimizer.apply_gradients([(gradient, {image})]), and clipped pixels are put into it by {image}.assign(...)."
    return r.finding("variable-in-place", 5, 0, says)


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
    if found := _list_of_gradients(r, image):
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


def _list_of_gradients(r: Raised, image: str) -> Finding | None:
    """Asked with respect to a list, gradients come in a list; one of them belongs into the pair."""
    asked = re.search(r"(\w+)\s*=\s*\w+\.gradient\([^,]+,\s*[\[(]", r.source)
    if not asked or not re.search(rf"\(\s*{asked.group(1)}\s*,\s*{image}\s*\)", r.code):
        return None
    says = f"{asked.group(1)} is a list, for the gradient is taken with respect to a list: take it with respect to {image} itself."
    return r.finding("pairs", 4, 0, says)


def _another_network(r: Raised) -> Finding | None:
    says = another_network(r.source) if r.exercise.short == "train" else ""
    if not says or r.kind in ("NameError", "NotImplementedError"):
        return None
    return r.exercise.finding("another-network", 1, 0, says)


STEP_ERRORS = (  # the first that fits is taken
    _another_network,
    _changed_in_place,
    _left_tensorflow,
    _tape_used_twice,
    _outside_tape,
    _watched,
    _wrong_variable,
    _pairs,
    _no_batch,
)
