"""Runs beside the student's code: calls a function on a case and reports what happened.

This file may be copied as it is into another process, where the student's notebook runs. So it
imports nothing of ours, and holds neither a verdict nor a right formula. It reports raw facts:
arrays, numbers, strings, None.
"""

from __future__ import annotations

import contextlib
import inspect
import logging
import traceback
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf

LARGEST = 20_000_000  # entries of a tensor; the inputs have a few hundred thousand


def _code(fn) -> dict:
    """The names that the student's code uses, its parameters, and its file."""
    code = getattr(_unwrapped(fn), "__code__", None)
    names, todo = [], [code] if code else []
    while todo:
        part = todo.pop()
        names += part.co_names
        todo += [const for const in part.co_consts if hasattr(const, "co_names")]
    parameters = code.co_varnames[: code.co_argcount] if code else ()
    return {
        "names": " ".join(names),
        "parameters": " ".join(parameters),
        "file": code.co_filename if code else "",
    }


def _unwrapped(fn):
    """The function under tf.function and other decorators."""
    for _ in range(5):
        fn = getattr(fn, "python_function", None) or getattr(fn, "__wrapped__", None) or fn
    return fn


def _globals(fn) -> dict:
    """The global names that the student's function sees."""
    return getattr(_unwrapped(fn), "__globals__", {})


def _defaults(fn) -> dict:
    """The defaults of alpha and beta in the def line: other numbers are a fair choice."""
    found = {}
    for name in ("alpha", "beta"):
        try:
            parameters = inspect.signature(getattr(fn, "python_function", fn)).parameters
            found["default_" + name] = float(parameters[name].default)
        except Exception:  # no such parameter, no default, or no number
            continue
    return found


def _style_weights(fn) -> dict:
    """The weights of the style layers in the notebook: other numbers are a fair choice."""
    known, found = _globals(fn), {}
    style = known.get("compute_style_cost")
    defaults = getattr(getattr(style, "python_function", style), "__defaults__", None) or [None]
    for key, layers in (("default", defaults[-1]), ("global", known.get("STYLE_LAYERS"))):
        try:
            found["style_weights_" + key] = np.array([float(weight) for _, weight in layers])
        except Exception:  # it is not there, or is something else
            continue
    return found


def _error(error, file: str) -> dict:
    """Type, message, and the line of the student's code that raised."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == file]
    return {
        "error_type": type(error).__name__,
        "error_message": str(error)[-1500:],
        "error_line": frames[-1].lineno if frames else None,
        "error_text": (frames[-1].line or "") if frames else "",
    }


def _result(result) -> dict:
    """Type, dtype, shape and value of what the student's function returned."""
    facts = {"kind": type(result).__name__, "dtype": None, "shape": None, "value": None}
    if result is None:
        return facts
    try:
        array = np.array(result.numpy() if hasattr(result, "numpy") else result)
        facts["dtype"] = str(getattr(getattr(result, "dtype", None), "name", array.dtype))
        if array.dtype.kind == "V":  # bfloat16
            array = array.astype("float32")
        facts["shape"] = np.array(array.shape, dtype="int64")
        if array.dtype.kind in "fiu":
            facts["value"] = array
    except Exception:  # not a number: the kind says what it is
        facts["value"] = None
    return facts


def _call(fn, args: list, watched: dict, upstream=None, options=None) -> dict:
    """One eager call `fn(*args)`: result, gradient to every `watched` tensor, or error."""
    facts = _code(fn)
    try:
        with _quiet():
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                for tensor in watched.values():
                    tape.watch(tensor)
                result = fn(*args, **(options or {}))
            facts.update(_result(result))
            if tf.is_tensor(result) and result.dtype.is_floating:
                facts.update(_gradients(tape, result, watched, upstream))
    except (Exception, SystemExit) as error:
        facts.update(_error(error, facts["file"]))
    return facts


def _gradients(tape, result, watched: dict, upstream) -> dict:
    """The gradient to every `watched`, weighted with `upstream` if it has the result's shape."""
    weight = None
    if upstream is not None and tuple(result.shape) == upstream.shape:
        weight = tf.constant(upstream, dtype=result.dtype)
    found = tape.gradient(result, watched, output_gradients=weight)
    return {
        "grad_" + name: None if gradient is None else np.array(tf.convert_to_tensor(gradient))
        for name, gradient in found.items()
    }


def _graph(fn, args: list) -> dict:
    """The same call inside tf.function. It runs only if no tensor in the graph is enormous."""
    try:
        with _quiet():
            compiled = fn if hasattr(fn, "get_concrete_function") else tf.function(fn)
            largest = _largest(compiled.get_concrete_function(*args).graph)
            value = np.array(compiled(*args)) if largest < LARGEST else None
        return {"graph_largest": largest, "graph_value": value}
    except (Exception, SystemExit) as error:
        return {"graph_error": type(error).__name__ + ": " + str(error)[-1500:]}


def _largest(graph) -> int:
    """How many entries the largest tensor of a graph has, as far as its shapes are known."""
    outputs = [output for operation in graph.get_operations() for output in operation.outputs]
    return max(
        (int(o.shape.num_elements() or 0) for o in outputs if o.shape.rank is not None), default=0
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without TensorFlow's warnings: retracing of the student's own tf.function is no mistake."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def observe_compute_content_cost(fn, case: dict) -> dict:
    """Raw facts about one call of the student's compute_content_cost."""
    layers = range(case["layers"])
    content = [tf.constant(np.array(case[f"content_{i}"])) for i in layers]
    generated = [tf.constant(np.array(case[f"generated_{i}"])) for i in layers]
    if case["graph"]:
        return _graph(fn, [content, generated])
    watched = {f"content_{i}": content[i] for i in layers}
    watched.update({f"generated_{i}": generated[i] for i in layers})
    facts = _call(fn, [content, generated], watched)
    facts["length_content"], facts["length_generated"] = len(content), len(generated)
    return facts


def observe_gram_matrix(fn, case: dict) -> dict:
    """Raw facts about one call of the student's gram_matrix."""
    A = tf.constant(np.array(case["A"]))
    if case["graph"]:
        return _graph(fn, [A])
    facts = _call(fn, [A], {"A": A}, case["upstream"])
    facts["after_A"] = np.array(A)
    return facts


def observe_compute_layer_style_cost(fn, case: dict) -> dict:
    """Raw facts about one call of the student's compute_layer_style_cost, and of gram_matrix."""
    a_S, a_G = tf.constant(np.array(case["a_S"])), tf.constant(np.array(case["a_G"]))
    if case["graph"]:
        return _graph(fn, [a_S, a_G])
    facts = _call(fn, [a_S, a_G], {"a_S": a_S, "a_G": a_G})
    gram = _globals(fn).get("gram_matrix")
    if callable(gram) and "own_input_S" in case:
        for side in "SG":
            A = tf.constant(np.array(case["own_input_" + side]))
            own = _call(gram, [A], {"A": A})
            for key in ("value", "error_type", "grad_A"):
                facts[f"own_{key}_{side}"] = own.get(key)
    return facts


def observe_total_cost(fn, case: dict) -> dict:
    """Raw facts about one call of the student's total_cost, with the kind of scalar in `case`."""
    make = {
        "python": float,
        "float32": np.float32,
        "float64": np.float64,
        "tensor": lambda number: tf.constant(number, dtype="float32"),
    }
    if hasattr(fn, "get_concrete_function"):
        make["float64"] = np.float32  # it makes tensors of NumPy scalars: their dtypes must agree
    make_cost = make[case["costs"]]
    costs = [make_cost(case["J_content"]), make_cost(case["J_style"])]
    weights = []
    if case["weights"] != "default":
        weights = [make[case["weights"]](case["alpha"]), make[case["weights"]](case["beta"])]
    if case["graph"]:
        return _graph(lambda J_content, J_style: fn(J_content, J_style, *weights), costs)
    watched = {}
    if case["costs"] == "tensor":
        watched = {"J_content": costs[0], "J_style": costs[1]}
    if case["keywords"]:
        return _call(fn, costs, watched, None, {"alpha": weights[0], "beta": weights[1]})
    return _defaults(fn) | _call(fn, costs + weights, watched)


def _tiny_network(case: dict):
    """The tiny network of `case`: five style outputs and one content output, all convolutions."""
    image = keras.Input(case["image"].shape[1:])
    layers = []
    for i in range(6):
        kernel = case[f"kernel_{i}"]
        layers.append(
            keras.layers.Conv2D(kernel.shape[3], kernel.shape[:2], strides=case[f"stride_{i}"])
        )
    network = keras.Model(image, [layer(image) for layer in layers])
    for i in range(6):
        layers[i].set_weights([case[f"kernel_{i}"], case[f"bias_{i}"]])
    return network, layers


def _own_costs(fn, image, network, a_C, a_S, weights: dict) -> dict:
    """What the student's own cost functions give on the same image: to tell whose mistake it is."""
    known = _globals(fn)
    names = ("compute_content_cost", "compute_style_cost", "total_cost")
    content, style, total = (known.get(name) for name in names)
    try:
        with tf.GradientTape() as tape:
            a_G = network(image)
            J_content, J_style = content(a_C, a_G), style(a_S, a_G)
            J = total(J_content, J_style, **weights)
        parts = {"content": J_content, "style": J_style, "total": J}
        facts = {"own_" + name: np.array(part) for name, part in parts.items()}
        gradient = tape.gradient(J, image) if tf.is_tensor(J) else None
        facts["own_gradient"] = None if gradient is None else np.array(gradient)
        return facts
    except (Exception, SystemExit) as error:
        return {"own_error": type(error).__name__ + ": " + str(error)[-300:]}


def observe_train_step(fn, case: dict) -> dict:
    """Raw facts about two calls of the student's train_step on the tiny network of `case`."""
    network, layers = _tiny_network(case)
    a_C, a_S = network(case["content_image"]), network(case["style_image"])
    image = tf.Variable(case["image"])
    kind = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}[case["optimizer"]]
    optimizer = kind(case["learning_rate"])
    optimizer.build([image])
    weights = {"alpha": case["alpha"], "beta": case["beta"]} if case["explicit"] else {}
    defaults = _defaults(fn)
    used = {key: defaults.get("default_" + key, case[key]) for key in ("alpha", "beta")} | weights
    own = {} if case["graph"] else _own_costs(fn, image, network, a_C, a_S, used)
    step = tf.function(fn) if case["graph"] and not hasattr(fn, "get_concrete_function") else fn
    facts = _code(fn) | defaults | _style_weights(fn)
    for count in (1, 2):
        call = _call(step, [image, network, a_C, a_S, optimizer], {}, None, weights)
        for key in ("kind", "dtype", "shape", "value"):
            facts[f"{key}_{count}"] = call.get(key)
        facts.update({key: call[key] for key in call if key.startswith("error_")})
        facts[f"pixels_{count}"] = image.numpy().copy()
        facts[f"iterations_{count}"] = int(optimizer.iterations.numpy())
    for i in range(6):
        facts[f"kernel_{i}"], facts[f"bias_{i}"] = layers[i].get_weights()
    facts.update(own)
    return facts


OBSERVERS: dict[str, Callable] = {  # the student's function -> its observer, (fn, case) -> facts
    "compute_content_cost": observe_compute_content_cost,
    "gram_matrix": observe_gram_matrix,
    "compute_layer_style_cost": observe_compute_layer_style_cost,
    "total_cost": observe_total_cost,
    "train_step": observe_train_step,
}
