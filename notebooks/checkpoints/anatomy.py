"""What a student's function is made of: its names, text, defaults, and the size of its graph.

Like observe.py this file may be copied into another process, and imports nothing of ours.
"""

from __future__ import annotations

import contextlib
import dis
import functools
import inspect

import keras
import numpy as np
import tensorflow as tf

DATA = (tf.Tensor, tf.Variable, np.ndarray, np.generic, int, float)
DATA += (keras.Model, keras.optimizers.Optimizer)
EARLIER = ("compute_content_cost", "gram_matrix", "compute_layer_style_cost", "total_cost")


def unwrapped(fn):
    """The function under tf.function and other decorators."""
    for _ in range(5):
        fn = getattr(fn, "python_function", None) or getattr(fn, "__wrapped__", None) or fn
    return fn


def eager(fn):
    """The function without tf.function around it."""
    return getattr(fn, "python_function", fn)


def global_names(fn) -> dict:
    """The global names that the student's function sees."""
    return getattr(unwrapped(fn), "__globals__", {})


@functools.lru_cache(maxsize=16)
def _parts(code) -> tuple[list, set, str]:
    """All names in a function's code, the global ones that it reads, and its text."""
    names, used, todo = [], set(), [code]
    while todo:
        part = todo.pop()
        names += part.co_names
        used |= {i.argval for i in dis.get_instructions(part) if i.opname == "LOAD_GLOBAL"}
        todo += [const for const in part.co_consts if hasattr(const, "co_names")]
    with contextlib.suppress(OSError, TypeError):  # it was made in another way than by a cell
        return names, used, inspect.getsource(code)[:6000]
    return names, used, ""


def code_of(fn) -> dict:
    """What the student's function is made of: its names, parameters and text."""
    code = getattr(unwrapped(fn), "__code__", None)
    names, used, source = _parts(code) if code else ([], set(), "")
    for helper in [global_names(fn).get(name) for name in used - {*EARLIER, "compute_style_cost"}]:
        if getattr(helper, "__globals__", None) is global_names(fn):  # it is the student's, too
            used = used | _parts(helper.__code__)[1]
    return {
        "names": " ".join(names),
        "parameters": " ".join(code.co_varnames[: code.co_argcount]) if code else "",
        "source": source,
        "data": " ".join(sorted(name for name in used if _is_data(global_names(fn).get(name)))),
    }


def _is_data(value) -> bool:
    """Numbers, tensors, pictures, networks, optimizers: what belongs into the arguments."""
    if isinstance(value, (list, tuple)):
        return bool(value) and _is_data(value[0])
    return isinstance(value, DATA)


def defaults_of(fn) -> dict:
    """The defaults of alpha and beta in the def line: other numbers are a fair choice."""
    found = {}
    for name in ("alpha", "beta"):
        with contextlib.suppress(Exception):  # no such parameter, no default, or no number
            parameters = inspect.signature(eager(fn)).parameters
            found["default_" + name] = float(parameters[name].default)
    return found


def style_weights_of(fn) -> dict:
    """The weights of the style layers in the notebook: other numbers are a fair choice."""
    known, found = global_names(fn), {}
    style = known.get("compute_style_cost")
    defaults = getattr(getattr(style, "python_function", style), "__defaults__", None) or [None]
    for key, layers in (("default", defaults[-1]), ("global", known.get("STYLE_LAYERS"))):
        with contextlib.suppress(Exception):  # it is not there, or is something else
            found["style_weights_" + key] = np.array([float(weight) for _, weight in layers])
    return found


def size_of(graph: tf.Graph, channels: int) -> int:
    """The nodes of a graph; a loop of TensorFlow's inside another counts once for each pair.

    Python's loops are unrolled, so they show. Those by tf.range, tf.while_loop or tf.map_fn are a
    node with a body, however often they turn.
    """
    whole = graph.as_graph_def()
    functions = {f.signature.name: f.node_def for f in whole.library.function}
    every = [node for nodes in (whole.node, *functions.values()) for node in nodes]
    bodies = [functions[node.attr["body"].func.name] for node in every if _is_loop(node)]
    doubled = any(_is_loop(node) for body in bodies for node in body)
    return len(every) + doubled * channels**2


def _is_loop(node) -> bool:
    """Is it TensorFlow's While or StatelessWhile?"""
    return node.op.endswith("While")
