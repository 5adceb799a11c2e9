"""Runs beside the student's code: calls a function on a case and reports what happened.

This file, anatomy.py and limits.py may be copied as they are into another process, where the
student's notebook runs. So they import nothing else of ours, and hold neither a verdict nor a right
formula. What is reported are raw facts: arrays, numbers, strings, None.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import traceback
import warnings
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.eager import cancellation  # no public name has it

from .anatomy import (
    EARLIER,
    code_of,
    defaults_of,
    eager,
    global_names,
    size_of,
    style_weights_of,
    unwrapped,
)
from .limits import CANCELLED, TOO_LARGE, Stopped, limited, worked

LARGEST = 20_000_000  # entries of a tensor; the inputs have a few hundred thousand
LONG = 2  # times as long as another call may take tracing the large case: loops over positions


@contextlib.contextmanager
def _limited(fn, times: float = 1) -> Iterator[None]:
    """The limits of limits.py, for graphs of TensorFlow as well."""
    manager = cancellation.CancellationManager()
    context = cancellation.CancellationManagerContext(manager)
    with limited(manager.start_cancel, times, fn), context:
        yield


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


_stopped: list = []  # the calls that were stopped: they are not made again


def _call(fn, args: list, watched: dict, upstream=None, options=None, alone=False) -> dict:
    """One eager call `fn(*args)`: result, gradient to every `watched` tensor, or error."""
    facts = code_of(fn)
    if (fn, alone) in _stopped:
        return facts | {"stopped": "before"}
    try:
        with _quiet(), _limited(fn):
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                for tensor in watched.values():
                    tape.watch(tensor)
                result = fn(*args, **(options or {}))
            facts.update(_result(result))
            if tf.is_tensor(result) and result.dtype.is_floating:
                facts.update(_gradients(tape, result, watched, upstream))
    except (Exception, SystemExit, Stopped) as error:
        facts.update(_error(error, fn))
        if "stopped" in facts:
            _stopped.append((fn, alone))
            _stopped.extend([] if facts["error_in"] else [(fn, True)])  # stand-ins change nothing
    return facts


def _kept(facts: dict, prefix: str = "") -> dict:
    """What is worth to be kept of a further call."""
    kept = ("value", "kind", "dtype", "stopped", "error_", "grad_")
    return {prefix + key: fact for key, fact in facts.items() if key.startswith(kept)}


def _result(result) -> dict:
    """Type, dtype, shape and value of what the student's function returned."""
    facts = {"kind": type(result).__name__, "dtype": None, "value": None}
    with contextlib.suppress(Exception):  # not a number: the kind says what it is
        array = np.array(result.numpy() if hasattr(result, "numpy") else result)
        facts["dtype"] = str(getattr(getattr(result, "dtype", None), "name", array.dtype))
        if array.dtype.kind == "V":  # bfloat16
            array = array.astype("float32")
        if array.dtype.kind in "fiu":
            facts["value"] = array
    return facts


def _gradients(tape, result, watched: dict, upstream) -> dict:
    """The gradient to every `watched`, weighted with `upstream` if it has the result's shape."""
    fits = upstream is not None and tuple(result.shape) == upstream.shape
    weight = tf.constant(upstream, dtype=result.dtype) if fits else None
    found = tape.gradient(result, watched, output_gradients=weight)
    return {
        "grad_" + name: None if gradient is None else np.array(tf.convert_to_tensor(gradient))
        for name, gradient in found.items()
    }


def _error(error: BaseException, fn) -> dict:
    """Type, message, and the line of the student's function that raised."""
    frames, message = traceback.extract_tb(error.__traceback__), str(error)
    file = getattr(getattr(unwrapped(fn), "__code__", None), "co_filename", "")
    own = [frame for frame in frames if frame.filename == file]
    facts = {
        "error_type": type(error).__name__,
        # beginning and end: pictures may be printed between them
        "error_message": message if len(message) < 2000 else f"{message[:900]}\n{message[-900:]}",
        "error_line": own[-1].lineno if own else None,
        "error_text": (own[-1].line or "") if own else "",
        "error_here": int(bool(own) and frames[-1] is own[-1]),  # not in a library
        "error_in": _culprit(error, fn),
    }
    if isinstance(error, Stopped) or facts["error_type"] == CANCELLED:
        return facts | {"stopped": "time" if facts["error_type"] == CANCELLED else message}
    return facts | ({"stopped": "memory"} if facts["error_type"] in TOO_LARGE else {})


def _culprit(error: BaseException, fn) -> str:
    """The exercise, of those that the student's function calls, in which it was raised."""
    known = {}
    for name, value in global_names(fn).items():
        if name in EARLIER and value is not fn:
            known[getattr(unwrapped(value), "__code__", None)] = name
    step, found = error.__traceback__, ""
    while step is not None:
        found = known.get(step.tb_frame.f_code, found)
        step = step.tb_next
    return found


def _graph(fn, args: list) -> dict:
    """The same call inside tf.function. It runs only if no tensor in the graph is enormous."""
    if (fn, False) in _stopped:
        return {"stopped": "before"}
    try:
        with _quiet(), _limited(fn, LONG):
            compiled = fn if hasattr(fn, "get_concrete_function") else tf.function(fn)
            operations = compiled.get_concrete_function(*args).graph.get_operations()
            shapes = [out.shape for operation in operations for out in operation.outputs]
            largest = max(int(s.num_elements() or 0) for s in shapes if s.rank is not None)
            value = np.array(compiled(*args)) if largest < LARGEST else None
        return {"graph_largest": largest, "graph_value": value}
    except Stopped as stopped:
        return {"stopped": str(stopped)}
    except (Exception, SystemExit) as error:
        if type(error).__name__ == CANCELLED:
            return {"stopped": "time"}
        return {"graph_error": type(error).__name__ + ": " + str(error)[-1500:]}


def _nodes(fn, specs: Callable) -> dict:
    """How many nodes a graph has for 6, 12 and 18 channels; `specs` gives its inputs."""
    counts, compiled = [], tf.function(eager(fn))
    try:
        with contextlib.suppress(Exception, SystemExit), _quiet(), _limited(fn):
            for n in (6, 12, 18):
                counts.append(size_of(compiled.get_concrete_function(*specs(n)).graph, n))
    except Stopped:
        _stopped.append((fn, False))
    return {"nodes": np.array(counts)}


# --- The function alone: with stand-ins for those that it calls ----------------------------------
# The stand-ins are no answers: they compute something else, which the judge can compute as well.


def _gram_stand_in(A):
    """Products of each row with the rows moved on by one position."""
    return tf.matmul(A, tf.roll(A, 1, axis=1), transpose_b=True)


def _cost_stand_ins(fn, case: dict) -> dict:
    """For train_step: fourth powers, means of channels, and other factors of the weights."""
    own = {"default_alpha": 10.0, "default_beta": 40.0}
    own |= defaults_of(global_names(fn).get("total_cost"))

    def compute_content_cost(content_output, generated_output):
        difference = content_output[-1] - generated_output[-1]
        return case["stand_in_content"] * tf.reduce_mean(difference**4)

    def compute_layer_style_cost(a_S, a_G):
        means = [tf.reduce_mean(a, axis=[0, 1, 2]) for a in (a_S, a_G)]
        return case["stand_in_style"] * tf.reduce_mean((means[0] - means[1]) ** 2)

    def total_cost(J_content, J_style, alpha=own["default_alpha"], beta=own["default_beta"]):
        return 3 * alpha * J_content + 2 * beta * J_style

    return {f.__name__: f for f in (compute_content_cost, compute_layer_style_cost, total_cost)}


@contextlib.contextmanager
def _standing_in(fn, stand_ins: dict) -> Iterator[set]:
    """Put stand-ins in the place of the student's functions; give the names of those used."""
    called = set()

    def noted(name, *args, **options):
        called.add(name)
        return stand_ins[name](*args, **options)

    others = [global_names(fn).get(name) for name in (*EARLIER, "compute_style_cost")]
    scopes = [global_names(f) for f in (fn, *others) if callable(f)]
    saved = [(s, n, s[n]) for s in scopes for n in stand_ins if callable(s.get(n))]
    eagerly = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)  # what was traced before calls the student's function
    try:
        for scope, name, _ in saved:
            scope[name] = functools.partial(noted, name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # there are some about this way of running
            yield called
    finally:
        for scope, name, value in reversed(saved):
            scope[name] = value
        tf.config.run_functions_eagerly(eagerly)


def observe_compute_content_cost(fn, case: dict) -> dict:
    """Raw facts about one call of the student's compute_content_cost."""
    layers = range(case["layers"])
    names = [[f"{key}_{i}" for i in layers] for key in ("content", "generated")]
    watched = {name: tf.constant(np.array(case[name])) for name in names[0] + names[1]}
    content, generated = ([watched[name] for name in side] for side in names)
    if case["graph"]:
        return _graph(fn, [content, generated])
    facts = _call(fn, [content, generated], watched)
    return facts | {"length_content": len(content), "length_generated": len(generated)}


def observe_gram_matrix(fn, case: dict) -> dict:
    """Raw facts about one call of the student's gram_matrix."""
    A = tf.constant(np.array(case["A"]))
    if case["graph"]:
        return _nodes(fn, lambda n: [tf.TensorSpec((n, 3))]) | _graph(fn, [A])
    facts = _call(fn, [A], {"A": A}, case["upstream"])
    return facts | {"after_A": np.array(A)}


def observe_compute_layer_style_cost(fn, case: dict) -> dict:
    """Raw facts about one call of the student's compute_layer_style_cost."""
    given = {key: tf.constant(np.array(case[key])) for key in ("a_S", "a_G")}
    if case["graph"]:
        with _standing_in(fn, {"gram_matrix": _gram_stand_in}):  # whose loops are its own affair
            nodes = _nodes(fn, lambda n: 2 * [tf.TensorSpec((1, 1, 3, n))])
        return nodes | _graph(fn, list(given.values()))
    return _call(fn, list(given.values()), given)


def _layer_style_cost_alone(fn, case: dict) -> dict:
    """The same with a stand-in for gram_matrix, and what the student's gram_matrix gives."""
    if case["graph"]:
        return {}
    given = {key: tf.constant(np.array(case[key])) for key in ("a_S", "a_G")}
    with _standing_in(fn, {"gram_matrix": _gram_stand_in}) as called:
        alone = _call(eager(fn), list(given.values()), given, alone=True)
    facts = _kept(alone, "alone_")
    gram = global_names(fn).get("gram_matrix")
    if called and callable(gram) and (fn, False) not in _stopped:
        A = tf.constant(np.array(case["gram_input"]))
        facts |= _kept(_call(gram, [A], {"A": A}), "own_gram_matrix_")
    return facts | {"called": " ".join(called)}


def observe_total_cost(fn, case: dict) -> dict:
    """Raw facts about one call of the student's total_cost, with the kind of scalar in `case`."""
    make = {"python": float, "float32": np.float32, "tensor": tf.constant}
    costs = [make[case["costs"]](case[key]) for key in ("J_content", "J_style")]
    given = () if case["weights"] == "default" else ("alpha", "beta")
    weights = [make[case["weights"]](case[key]) for key in given]
    if case["graph"]:
        return _graph(lambda J_content, J_style: fn(J_content, J_style, *weights), costs)
    watched = {"J_content": costs[0], "J_style": costs[1]} if case["costs"] == "tensor" else {}
    if case["keywords"]:
        return _call(fn, costs, watched, options=dict(zip(given, weights, strict=True)))
    return defaults_of(fn) | _call(fn, costs + weights, watched)


def observe_train_step(fn, case: dict) -> dict:
    """Raw facts about two calls of the student's train_step on the tiny network of `case`."""
    given, layers = _tiny_network(case)
    step = tf.function(fn) if case["graph"] and not hasattr(fn, "get_concrete_function") else fn
    facts = code_of(fn) | defaults_of(fn) | style_weights_of(fn) | _steps(step, case, given, 2)
    for i, layer in enumerate(layers):
        facts[f"kernel_{i}"], facts[f"bias_{i}"] = layer.get_weights()
    return facts


def _train_step_alone(fn, case: dict) -> dict:
    """The same with stand-ins for the cost functions, and what those of the student give."""
    if case["graph"]:
        return {}
    with _standing_in(fn, _cost_stand_ins(fn, case)) as called:
        alone = _steps(eager(fn), case, _tiny_network(case)[0], 1, alone=True)
    facts = {f"alone_{key}": value for key, value in alone.items()}
    facts["called"] = " ".join(sorted(called))
    if (fn, False) in _stopped or not case["explicit"]:  # once, with weights that are no defaults
        return facts
    return facts | _own_costs(fn, case)


_targets: list = []  # the last case, and its a_C and a_S


def _tiny_network(case: dict) -> tuple[list, list]:
    """The tiny network of `case`, all convolutions, with a_C and a_S; and its layers."""
    kinds = tuple((case[f"kernel_{i}"].shape, case[f"stride_{i}"]) for i in range(6))
    network, layers = _built(case["image"].shape[1:], kinds)
    for i, layer in enumerate(layers):
        layer.trainable = True
        layer.set_weights([case[f"kernel_{i}"], case[f"bias_{i}"]])
    if not (_targets and _targets[0] is case):
        pictures = (tf.constant(case[key]) for key in ("content_image", "style_image"))
        _targets[:] = [case, *map(network, pictures)]
    return [network, *map(list, _targets[1:])], layers


class _Convolutions(keras.Model):
    """A functional model that is called in one piece: each layer's own call takes a millisecond."""

    def call(self, inputs, training=None, mask=None):
        usual = isinstance(inputs, (tf.Tensor, tf.Variable)) and inputs.dtype == tf.float32
        if not usual or inputs.shape.rank != 4 or self.compute_dtype != "float32":
            return super().call(inputs, training=training, mask=mask)
        layers = self.layers[1:]  # the first is the input
        return [
            tf.nn.conv2d(inputs, c.kernel.value, c.strides, "VALID") + c.bias.value for c in layers
        ]


@functools.cache
def _built(shape: tuple, kinds: tuple) -> tuple[keras.Model, list]:
    """Network and layers, the same where the notebook has set another policy. Slow: made once."""
    image, conv = keras.Input(shape, dtype="float32"), keras.layers.Conv2D
    last = {"data_format": "channels_last", "dtype": "float32"}  # whatever the notebook has set
    layers = [conv(size[3], size[:2], strides=step, **last) for size, step in kinds]
    outputs = [layer(image) for layer in layers]
    return _Convolutions(image, outputs, name="tiny_network"), layers


def _steps(step, case: dict, given: list, count: int, alone=False) -> dict:
    """`count` calls of a train_step on a fresh image: results, pixels, the optimizer's counter."""
    image, facts = tf.Variable(case["image"]), {}
    kind = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}[case["optimizer"]]
    optimizer = kind(case["learning_rate"])
    optimizer.build([image])
    weights = {"alpha": case["alpha"], "beta": case["beta"]} if case["explicit"] else {}
    for number in range(1, count + 1):
        call = _call(step, [image, *given, optimizer], {}, None, weights, alone)
        for key in ("kind", "value"):
            facts[f"{key}_{number}"] = call.get(key)
        facts |= _kept(call)
        facts[f"pixels_{number}"] = image.numpy().copy()
        facts[f"iterations_{number}"] = int(optimizer.iterations.numpy())
        with contextlib.suppress(Exception):  # the student has put something else there
            facts["rate_after"] = float(np.asarray(optimizer.learning_rate))
        if facts["iterations_1"] > 3:  # many steps in one call take long: once is enough
            _stopped.extend([(step, False), (step, True)])
        if "error_type" in call or facts["iterations_1"] > 3:
            break
    return facts


def _own_costs(fn, case: dict) -> dict:
    """What each of the student's cost functions gives: to tell whose mistake it is.

    Each is asked alone, on activations or costs of `case`; with the gradient to the image.
    """
    known, found = dict(global_names(fn)), {}
    outer = "compute_style_cost"
    for name in ("compute_layer_style_cost", "gram_matrix"):  # as the one before it sees them
        known[name] = global_names(known.get(outer)).get(name, known.get(name))
        outer = name
    network, a_C, a_S = _tiny_network(case)[0]
    image, A = tf.Variable(case["image"]), tf.constant(case["gram_input"])
    J = {key: tf.constant(case["own_" + key], "float32") for key in ("J_content", "J_style")}
    asked = {
        "compute_content_cost": lambda own: own(a_C, network(image)),
        "compute_layer_style_cost": lambda own: own(a_S[0], network(image)[0]),
        "compute_style_cost": lambda own: own(a_S, network(image)),
        "total_cost": lambda own: own(*J.values(), alpha=case["alpha"], beta=case["beta"]),
        "gram_matrix": lambda own: own(A),
    }
    for name, ask in asked.items():
        own = known.get(name)
        if callable(own):
            call = _call(lambda ask=ask, own=own: ask(own), [], {"image": image, "A": A} | J)
            found |= _kept(call, f"own_{name}_")
    return found


def _eagerly(observe: Callable) -> Callable:
    """The observer, or one error where the notebook has switched off eager execution."""
    off = {"eager": 0, "error_type": "RuntimeError", "error_message": "eager execution is off"}
    return lambda fn, case: observe(fn, case) if tf.executing_eagerly() else off


_FIRST: dict[str, Callable] = {  # what is enough for a right answer
    name.removeprefix("observe_"): _eagerly(observe)
    for name, observe in list(globals().items())
    if name.startswith("observe_")
}
_ALONE: dict[str, Callable] = {  # more about a function that calls others and is wrong
    "compute_layer_style_cost": _eagerly(_layer_style_cost_alone),
    "train_step": _eagerly(_train_step_alone),
}
OBSERVERS = {"first": _FIRST, "alone": _ALONE}  # round -> exercise -> (fn, case) -> facts


def start() -> None:
    """Before a function is observed again: it, or one that it calls, may have been put right."""
    _stopped.clear()
    worked.clear()
    _targets.clear()
    _built.cache_clear()  # the last function may have changed a network
