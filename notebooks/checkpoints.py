"""Checkpoints for the course on Neural Style Transfer: they say *what* is wrong.

    import checkpoints
    checkpoints.gram_matrix(gram_matrix)     # gram_matrix: right. 20 of 20 points.
    checkpoints.score()                      # the table so far, out of 100

Each exercise has three parts, kept apart so that a grader can run them in different processes:

    cases(rng)                  fresh random inputs: NumPy arrays, numbers, strings, nothing else
    observe(fn, case)           runs the student's function once; returns raw facts, no verdicts
    judge(cases, observations)  float64 NumPy only; trusts nothing it is given; returns a `Verdict`

Nothing here compares with stored numbers. The expected values are computed in float64 from the
random inputs, and hold to a relative tolerance of `TOLERANCE` (GPUs with TF32 err by up to 6e-4).

Partial credit, as a share of the points of the exercise:

    SLIP         0.8   values and gradients right; shape (1,), dtype, tf.function or one gradient wrong
    NO_GRADIENT  0.6   values right, gradient missing or wrong; in train_step: one line wrong or missing
    FACTOR       0.5   right up to a factor (1/4 forgotten, normaliser not squared ...)
    PART         0.3   one idea of the formula wrong (difference not squared, wrong layer ...)
    TWO          0.2   two of these mistakes at once
    nothing            errors, no result, results that are not recognised

Sources: Gatys, Ecker & Bethge, "A Neural Algorithm of Artistic Style" (2015), equations 1 to 7,
with the factors of the course; Kingma & Ba, "Adam" (2015), algorithm 1.
"""

# ruff: noqa: E501, B905
# (One line a sentence, so that the tables can be read; lists that belong together are of one length.)

from __future__ import annotations

import itertools
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np

EXERCISES = {
    "compute_content_cost": 15,
    "gram_matrix": 20,
    "compute_layer_style_cost": 25,
    "total_cost": 15,
    "train_step": 25,
}
TOLERANCE = 2e-3
SLIP, NO_GRADIENT, FACTOR, PART, TWO = 0.8, 0.6, 0.5, 0.3, 0.2
STYLE_WEIGHT = 0.2  # of each of the five style layers, as in the notebook's STYLE_LAYERS


@dataclass(frozen=True)
class Verdict:
    """What a judge found. `mistake` is a short stable id ("" when right), `hint` says where to read."""

    exercise: str
    points: int
    possible: int
    diagnosis: str = ""
    expected: str = ""
    got: str = ""
    hint: str = ""
    mistake: str = ""


@dataclass(frozen=True)
class Mistake:
    """A known mistake: the `formula` that gives exactly its result, and the sentence that names it."""

    id: str
    hint: int
    credit: float
    formula: Callable
    says: str


@dataclass(frozen=True)
class Finding:
    """What a diagnosis found, before it becomes a `Verdict`."""

    id: str
    hint: int
    credit: float
    says: str


# --- Observers -----------------------------------------------------------------------------------
# They run beside the student's code, perhaps in another process that received their source only.
# So they import what they need themselves, use no other global name than each other's, and report
# raw facts: arrays, numbers, strings, None.


def observe_code(fn) -> dict:
    """The names that the student's code uses, its parameters, and its file."""
    plain = fn
    for _ in range(5):  # under tf.function and other decorators
        plain = (
            getattr(plain, "python_function", None) or getattr(plain, "__wrapped__", None) or plain
        )
    code = getattr(plain, "__code__", None)
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


def observe_globals(fn) -> dict:
    """The global names that the student's function sees."""
    for _ in range(5):
        fn = getattr(fn, "python_function", None) or getattr(fn, "__wrapped__", None) or fn
    return getattr(fn, "__globals__", {})


def observe_defaults(fn) -> dict:
    """The defaults of alpha and beta in the student's def line: other numbers are a fair choice."""
    import inspect

    found = {}
    for name in ("alpha", "beta"):
        try:
            parameters = inspect.signature(getattr(fn, "python_function", fn)).parameters
            found["default_" + name] = float(parameters[name].default)
        except Exception:  # no such parameter, no default, or no number
            continue
    return found


def observe_style_weights(fn) -> dict:
    """The weights of the style layers in the student's notebook: other numbers are a fair choice."""
    import numpy as np

    known, found = observe_globals(fn), {}
    style = known.get("compute_style_cost")
    defaults = getattr(getattr(style, "python_function", style), "__defaults__", None) or [None]
    for key, layers in (("default", defaults[-1]), ("global", known.get("STYLE_LAYERS"))):
        try:
            found["style_weights_" + key] = np.array([float(weight) for _, weight in layers])
        except Exception:  # it is not there, or is something else
            continue
    return found


def observe_error(error, file: str) -> dict:
    """Type, message, and the line of the student's code that raised."""
    import traceback

    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == file]
    return {
        "error_type": type(error).__name__,
        "error_message": str(error)[-1500:],
        "error_line": frames[-1].lineno if frames else None,
        "error_text": (frames[-1].line or "") if frames else "",
    }


def observe_result(result) -> dict:
    """Type, dtype, shape and value of what the student's function returned."""
    import numpy as np

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


def observe_call(fn, args: list, watched: dict, upstream=None, options=None) -> dict:
    """One eager call `fn(*args)`: its result, the gradient to every `watched` tensor, or its error."""
    import logging

    import numpy as np
    import tensorflow as tf

    facts = observe_code(fn)
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)  # retracing of the student's own tf.function is no mistake
    try:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            for tensor in watched.values():
                tape.watch(tensor)
            result = fn(*args, **(options or {}))
        facts.update(observe_result(result))
        if tf.is_tensor(result) and result.dtype.is_floating:
            weight = None
            if upstream is not None and tuple(result.shape) == upstream.shape:
                weight = tf.constant(upstream, dtype=result.dtype)
            gradients = tape.gradient(result, watched, output_gradients=weight)
            for name, gradient in gradients.items():
                known = gradient is not None
                facts["grad_" + name] = np.array(tf.convert_to_tensor(gradient)) if known else None
    except (Exception, SystemExit) as error:
        facts.update(observe_error(error, facts["file"]))
    finally:
        logger.setLevel(level)
    return facts


def observe_graph(fn, args: list) -> dict:
    """The same call inside tf.function. It runs only if no tensor in the graph is enormous."""
    import logging

    import numpy as np
    import tensorflow as tf

    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        compiled = fn if hasattr(fn, "get_concrete_function") else tf.function(fn)
        operations = compiled.get_concrete_function(*args).graph.get_operations()
        shapes = [output.shape for operation in operations for output in operation.outputs]
        largest = max([s.num_elements() or 0 for s in shapes if s.rank is not None], default=0)
        facts = {"graph_largest": int(largest), "graph_value": None}
        if largest < 20_000_000:
            facts["graph_value"] = np.array(compiled(*args))
        return facts
    except (Exception, SystemExit) as error:
        return {"graph_error": type(error).__name__ + ": " + str(error)[-1500:]}
    finally:
        logger.setLevel(level)


def observe_compute_content_cost(fn, case: dict) -> dict:
    """Raw facts about one call of the student's compute_content_cost."""
    import numpy as np
    import tensorflow as tf

    layers = range(case["layers"])
    content = [tf.constant(np.array(case[f"content_{i}"])) for i in layers]
    generated = [tf.constant(np.array(case[f"generated_{i}"])) for i in layers]
    if case["graph"]:
        return observe_graph(fn, [content, generated])
    watched = {f"content_{i}": content[i] for i in layers}
    watched.update({f"generated_{i}": generated[i] for i in layers})
    facts = observe_call(fn, [content, generated], watched)
    facts["length_content"], facts["length_generated"] = len(content), len(generated)
    return facts


def observe_gram_matrix(fn, case: dict) -> dict:
    """Raw facts about one call of the student's gram_matrix."""
    import numpy as np
    import tensorflow as tf

    A = tf.constant(np.array(case["A"]))
    if case["graph"]:
        return observe_graph(fn, [A])
    facts = observe_call(fn, [A], {"A": A}, case["upstream"])
    facts["after_A"] = np.array(A)
    return facts


def observe_compute_layer_style_cost(fn, case: dict) -> dict:
    """Raw facts about one call of the student's compute_layer_style_cost, and of gram_matrix."""
    import numpy as np
    import tensorflow as tf

    a_S, a_G = tf.constant(np.array(case["a_S"])), tf.constant(np.array(case["a_G"]))
    if case["graph"]:
        return observe_graph(fn, [a_S, a_G])
    facts = observe_call(fn, [a_S, a_G], {"a_S": a_S, "a_G": a_G})
    gram = observe_globals(fn).get("gram_matrix")
    if callable(gram) and "own_input_S" in case:
        for side in "SG":
            A = tf.constant(np.array(case["own_input_" + side]))
            own = observe_call(gram, [A], {"A": A})
            for key in ("value", "error_type", "grad_A"):
                facts[f"own_{key}_{side}"] = own.get(key)
    return facts


def observe_total_cost(fn, case: dict) -> dict:
    """Raw facts about one call of the student's total_cost, with the kind of scalar in `case`."""
    import numpy as np
    import tensorflow as tf

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
        return observe_graph(lambda J_content, J_style: fn(J_content, J_style, *weights), costs)
    watched = {}
    if case["costs"] == "tensor":
        watched = {"J_content": costs[0], "J_style": costs[1]}
    if case["keywords"]:
        return observe_call(fn, costs, watched, None, {"alpha": weights[0], "beta": weights[1]})
    return observe_defaults(fn) | observe_call(fn, costs + weights, watched)


def observe_network(case: dict):
    """The tiny network of `case`: five style outputs and one content output, all convolutions."""
    import keras

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


def observe_own_costs(fn, image, network, a_C, a_S, weights: dict) -> dict:
    """What the student's own cost functions give on the same image: to tell whose mistake it is."""
    import numpy as np
    import tensorflow as tf

    known = observe_globals(fn)
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
    import keras
    import tensorflow as tf

    network, layers = observe_network(case)
    a_C, a_S = network(case["content_image"]), network(case["style_image"])
    image = tf.Variable(case["image"])
    kind = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}[case["optimizer"]]
    optimizer = kind(case["learning_rate"])
    optimizer.build([image])
    weights = {"alpha": case["alpha"], "beta": case["beta"]} if case["explicit"] else {}
    defaults = observe_defaults(fn)
    used = {key: defaults.get("default_" + key, case[key]) for key in ("alpha", "beta")} | weights
    own = {} if case["graph"] else observe_own_costs(fn, image, network, a_C, a_S, used)
    step = tf.function(fn) if case["graph"] and not hasattr(fn, "get_concrete_function") else fn
    facts = observe_code(fn) | defaults | observe_style_weights(fn)
    for count in (1, 2):
        call = observe_call(step, [image, network, a_C, a_S, optimizer], {}, None, weights)
        for key in ("kind", "dtype", "shape", "value"):
            facts[f"{key}_{count}"] = call.get(key)
        facts.update({key: call[key] for key in call if key.startswith("error_")})
        facts[f"pixels_{count}"] = image.numpy().copy()
        facts[f"iterations_{count}"] = int(optimizer.iterations.numpy())
    for i in range(6):
        facts[f"kernel_{i}"], facts[f"bias_{i}"] = layers[i].get_weights()
    facts.update(own)
    return facts


OBSERVERS = (
    observe_code,
    observe_globals,
    observe_defaults,
    observe_style_weights,
    observe_error,
    observe_result,
    observe_call,
    observe_graph,
    observe_compute_content_cost,
    observe_gram_matrix,
    observe_compute_layer_style_cost,
    observe_total_cost,
    observe_network,
    observe_own_costs,
    observe_train_step,
)

# --- Reading facts that may be hostile -----------------------------------------------------------


def _number(facts: dict, key: str, limit: int = 20_000_000) -> np.ndarray | None:
    """`facts[key]` as a new float64 array, or None if it is no plain array of numbers."""
    value = facts.get(key)
    if type(value) in (int, float):
        value = np.array(value if abs(value) < 1e300 else np.inf)
    if isinstance(value, np.number):
        value = np.array(value)
    if type(value) is not np.ndarray or value.dtype.kind not in "fiu" or value.size > limit:
        return None
    return np.array(value, dtype="float64")


def _text(facts: dict, key: str, limit: int = 200) -> str:
    """`facts[key]` as one printable line, "" if it is no text. The end is kept: it says most."""
    value = facts.get(key)
    if type(value) is not str:
        return ""
    lines = [line.strip() for line in value[-4000:].splitlines() if line.strip()]
    line = lines[-1] if key in ("error_message", "graph_error") and lines else " ".join(lines)
    return "".join(c for c in line if c.isprintable())[:limit]


def _same(got: np.ndarray | None, expected, tolerance: float = TOLERANCE) -> bool:
    """Same shape, and equal up to `tolerance` times the largest expected entry."""
    expected = np.array(expected, dtype="float64")
    if got is None or got.shape != expected.shape or not np.isfinite(got).all():
        return False
    if expected.size == 0:
        return True
    return bool(abs(got - expected).max() <= tolerance * abs(expected).max() + 1e-12)


def _show(array) -> str:
    """A number, or the shape and the first entries of an array, for the student to read."""
    if array is None:
        return "nothing that could be read as numbers"
    array = np.array(array)
    if array.shape == ():
        return f"{float(array):.6g}"
    first = ", ".join(f"{float(x):.4g}" for x in array.ravel()[:4])
    return f"shape {array.shape}, starting {first}{' ...' if array.size > 4 else ''}"


def _show_both(expected, got) -> tuple[str, str]:
    """Both for the student to read, so that one sees where they differ; nothing if they agree."""
    expected, texts = np.array(expected, dtype="float64"), (_show(expected), _show(got))
    if _same(got, expected):
        return "", ""
    if got is None or got.shape != expected.shape or texts[0] != texts[1]:
        return texts
    at = np.unravel_index(abs(got - expected).argmax(), expected.shape)
    where = f"shape {expected.shape}, at [{', '.join(map(str, at))}]: " if at else ""
    return f"{where}{float(expected[at]):.9g}", f"{where}{float(got[at]):.9g}"


# --- Recognising factors -------------------------------------------------------------------------


@cache
def _exponents(right: tuple) -> np.ndarray:
    """All integer exponents from -4 to 4, those nearest to the right ones first."""
    exponents = np.array(list(itertools.product(range(-4, 5), repeat=len(right))))
    return exponents[abs(exponents - np.array(right)).sum(axis=1).argsort(kind="stable")]


def _factor(gots: list, bases: list, dims: list, right: tuple) -> tuple[float, tuple] | None:
    """k and integers e with got = k * prod(dims ** e) * base on every case, or None.

    A wrong normaliser shows here whatever it is: a forgotten 1/4 changes k, a forgotten square an
    exponent. `right` holds the exponents of the right formula; the nearest fit to them is taken.
    """
    ratios = []
    for got, base in zip(gots, bases):
        base = np.array(base, dtype="float64")
        size = (base * base).sum()
        if got is None or got.shape != base.shape or not np.isfinite(got).all() or not size > 0:
            return None
        ratio = (got * base).sum() / size
        if ratio == 0 or not abs(got - ratio * base).max() <= TOLERANCE * abs(got).max():
            return None
        ratios.append(ratio)
    ratios = np.array(ratios)
    if len(ratios) < 3 or not (ratios * ratios[0] > 0).all():
        return None
    sizes = np.array(dims, dtype="float64")
    exponents = _exponents(right)
    rest = np.log(abs(ratios)) - exponents @ np.log(sizes).T
    fits = (rest.max(axis=1) - rest.min(axis=1) < 2 * TOLERANCE).nonzero()[0]
    if not len(fits):
        return None
    k = np.exp(rest[fits[0]].mean()) * (1 if ratios[0] > 0 else -1)
    return float(k), tuple(int(e) for e in exponents[fits[0]])


def _near(a: float, b: float) -> bool:
    return abs(a - b) <= 2 * TOLERANCE * abs(b)


def _words(k: float, exponents: tuple, names: tuple) -> str:
    """`k * prod(names ** exponents)` as text: "4 n_C / n_H^2"."""
    nice = Fraction(abs(k)).limit_denominator(256)
    exact = nice > 0 and _near(abs(k), float(nice))
    above = [str(nice.numerator) if exact else f"{abs(k):.4g}"]
    below = [str(nice.denominator)] if exact else []
    for name, power in zip(names, exponents):
        word = name if abs(power) == 1 else f"{name}^{abs(power)}"
        (above if power > 0 else below).extend([word] if power else [])
    above, below = ([w for w in side if w != "1"] for side in (above, below))
    text = " ".join(above) or "1"
    return text + (
        f" / ({' '.join(below)})" if len(below) > 1 else f" / {below[0]}" if below else ""
    )


def _factor_finding(name: str, k: float, e: tuple) -> Finding:
    """The sentence for a result that is right up to the factor k * prod(dims ** e)."""
    short, letter, names, right_k, right_e, hint = FACTOR_OF[name]
    for k_known, e_known, mistake, says in FACTORS[name]:
        if _near(k, k_known) and e == e_known:
            return Finding(mistake, hint, FACTOR, says)
    ratio, powers = k / right_k, tuple(a - b for a, b in zip(e, right_e))
    if not any(powers) and _near(ratio, -1):
        return Finding(f"{short}-sign", hint, FACTOR, f"The sign of your {letter} is turned round.")
    if any(right_e) and not any(e) and min(abs(np.log2(abs(k)) % 1 - x) for x in (0, 1)) > 0.01:
        says = f"Your {letter} is divided by {1 / k:.6g} whatever the shape: read n_H, n_W and n_C from the argument."
        return Finding(f"{short}-dims-hard-coded", hint, FACTOR, says)
    if any(b < 0 < a for a, b in zip(e, right_e)):
        says = (
            f"Your {letter} is multiplied by dimensions that should divide it: "
            f"the sum gets the factor {_words(k, e, names)}. Put brackets round the whole denominator."
        )
        return Finding(f"{short}-precedence", hint, FACTOR, says)
    if not any(powers) and _near(ratio, 1):  # "exactly 1 times" would say nothing
        says = f"Your {letter} is {ratio:.6g} times the expected one: is there a number too many?"
        return Finding(f"{short}-factor", hint, FACTOR, says)
    if not any(right_e) or any(powers) or ratio < 0:
        says = f"Your {letter} is exactly {_words(ratio, powers, names)} times the expected one."
        if all(p <= 0 for p in powers) and ratio > 0 and (any(powers) or ratio < 1):
            words = _words(1 / ratio, tuple(-p for p in powers), names)
            says = f"Your {letter} is exactly {words} times too small."
        return Finding(
            f"{short}-factor", hint, FACTOR, says + " Compare the factor with the formula."
        )
    big = ratio > 1
    words = _words(ratio if big else 1 / ratio, powers, names)
    says = f"Your {letter} is exactly {words} times too {'large' if big else 'small'}: compare the factor with the formula."
    return Finding(f"{short}-factor", hint, FACTOR, says)


# fmt: off
FACTOR_OF = {  # short name, letter, names of the dimensions, right factor k and exponents, hint
    "compute_content_cost": ("content", "J_content", ("n_H", "n_W", "n_C"), 0.25, (-1, -1, -1), 4),
    "gram_matrix": ("gram", "G", ("n_C", "(n_H*n_W)"), 1.0, (0, 0), 3),
    "compute_layer_style_cost": ("style", "J_style", ("n_H", "n_W", "n_C"), 0.25, (-2, -2, -2), 5),
}
FACTORS = {
    "compute_content_cost": (
        (1.0, (-1, -1, -1), "content-no-quarter", "Your J_content is exactly 4 times too large: is the 1/4 there? (A mean has no 1/4 yet.)"),
        (0.5, (-1, -1, -1), "content-half", "Your J_content is exactly 2 times too large: the factor is 1/4, not 1/2."),
        (0.5, (0, 0, 0), "content-not-normalised", "Your J_content is half the sum of squares, as in the lecture: divide by 4 n_H n_W n_C here."),
        (0.25, (0, 0, 0), "content-not-normalised", "Your J_content has the 1/4, but it is not divided by n_H n_W n_C."),
        (1.0, (0, 0, 0), "content-not-normalised", "Your J_content is the plain sum of squares: it is not divided by 4 n_H n_W n_C."),
        (0.25, (-2, -2, -2), "content-mean-and-normaliser", "You divide by n_H n_W n_C twice: a mean divides already, so a mean and the normaliser are one too many."),
        (1.0, (-2, -2, -2), "content-mean-and-normaliser", "You divide by n_H n_W n_C twice (mean and normaliser), and the 1/4 is missing."),
        (0.25, (-1, -1, 0), "content-no-channels", "Your J_content is not divided by n_C, the number of channels."),
    ),
    "gram_matrix": (
        (1.0, (0, -1), "gram-divided", "Your G is divided by n_H*n_W, the number of positions: here the Gram matrix is not divided."),
        (1.0, (-1, -1), "gram-divided-all", "Your G is divided by n_C*n_H*n_W: here the Gram matrix is not divided."),
        (1.0, (-1, 0), "gram-divided-channels", "Your G is divided by n_C: here the Gram matrix is not divided."),
    ),
    "compute_layer_style_cost": (
        (1.0, (-2, -2, -2), "style-no-quarter", "Your J_style is exactly 4 times too large: is the 1/4 there?"),
        (0.5, (-2, -2, -2), "style-half", "Your J_style is exactly 2 times too large: the factor is 1/4, not 1/2."),
        (1 / 16, (-2, -2, -2), "style-quarter-squared", "Your J_style is exactly 4 times too small: the 4 is squared too (the 2 of (2 n_C n_H n_W)^2 would be right)."),
        (0.25, (-1, -1, -1), "style-not-squared", "Your J_style is divided by 4 n_C n_H n_W: both n_C and n_H n_W must be squared."),
        (1.0, (-1, -1, -1), "style-not-squared", "Your J_style is divided by n_C n_H n_W: the 4 is missing, and both n_C and n_H n_W must be squared."),
        (0.25, (-1, -1, -2), "style-positions-not-squared", "In your normaliser n_C is squared, but n_H n_W is not."),
        (0.25, (-2, -2, -1), "style-channels-not-squared", "In your normaliser n_H n_W is squared, but n_C is not."),
        (0.25, (-2, -1, -2), "style-positions-not-squared", "In your normaliser n_H is squared, but n_W is not: put brackets, (n_H n_W)^2."),
        (0.25, (-1, -2, -2), "style-positions-not-squared", "In your normaliser n_W is squared, but n_H is not: put brackets, (n_H n_W)^2."),
        (0.25, (-4, 0, -2), "style-n_H-twice", "In your normaliser n_H stands where n_W should."),
        (0.25, (0, -4, -2), "style-n_W-twice", "In your normaliser n_W stands where n_H should."),
        (0.25, (-2, -2, -4), "style-mean-and-normaliser", "You divide by n_C^2 twice: a mean over the Gram matrix divides already."),
        (1.0, (-2, -2, -4), "style-mean-and-normaliser", "You divide by n_C^2 twice (mean and normaliser), and the 1/4 is missing."),
        (1.0, (0, 0, -2), "style-mean-only", "Your J_style is the mean squared difference of the Gram matrices: 4 (n_H n_W)^2 is missing below."),
        (0.25, (0, 0, -2), "style-no-positions", "Your J_style is not divided by (n_H n_W)^2."),
        (0.25, (-2, -2, 0), "style-no-channels", "Your J_style is not divided by n_C^2."),
        (0.25, (0, 0, 0), "style-not-normalised", "Your J_style has the 1/4, but it is not divided by n_C^2 (n_H n_W)^2."),
        (0.5, (0, 0, 0), "style-not-normalised", "Your J_style is half the sum of squares: divide by 4 n_C^2 (n_H n_W)^2."),
        (1.0, (0, 0, 0), "style-not-normalised", "Your J_style is the plain sum of squares: divide by 4 n_C^2 (n_H n_W)^2."),
        (0.25, (-4, -4, -2), "style-gram-divided", "You divide by (n_H n_W)^2 twice: are the Gram matrices divided by n_H n_W before?"),
        (0.25, (-4, -4, -4), "style-gram-divided", "You divide by (n_C n_H n_W)^2 twice: are the Gram matrices divided before?"),
    ),
}
# fmt: on

# --- What all judges share -----------------------------------------------------------------------


def _verdict(name: str, found: Finding | None, expected="", got="") -> Verdict:
    """The `Verdict` for a finding; None means right."""
    possible = EXERCISES[name]
    if found is None:
        return Verdict(name, possible, possible)
    hint = f"hint {found.hint} of Exercise {list(EXERCISES).index(name) + 1}"
    points = int(possible * found.credit)
    return Verdict(name, points, possible, found.says, expected, got, hint, found.id)


def _clean(cases: list, observations) -> list[dict] | None:
    """The observations if they are one dict a case, else None."""
    if type(observations) not in (list, tuple) or len(observations) != len(cases):
        return None
    return list(observations) if all(type(o) is dict for o in observations) else None


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
AS_IN_NUMPY_HINT = dict(zip(EXERCISES, (3, 2, 2, 1, 5)))


def _error_finding(name: str, facts: dict, all_facts: list[dict], some: bool | None) -> Finding:
    """Name the mistake behind an exception, from its message and the student's line.

    `some`: None if every call raised, else whether any of the other calls was right.
    """
    short = SHORT[name]
    kind, message = _text(facts, "error_type", 60), _text(facts, "error_message")
    line, text = facts.get("error_line"), _text(facts, "error_text")
    if kind == "NotImplementedError":
        return Finding(f"{short}-not-written", 1, 0, f"{name} is not written yet.")
    if kind == "TypeError" and type(line) is not int and re.search(r"positional|keyword", message):
        says = f"{name} could not be called: leave the arguments in its def line as they were. ({message})"
        return Finding(f"{short}-signature", 1, 0, says)
    where = f"In line {line}, `{text}`: " if type(line) is int and text else ""
    wanted = [re.search(r"requested shape has (\d+)", _text(f, "error_message")) for f in all_facts]
    wanted = [w.group(1) for w in wanted if w]
    credit = PART if some else 0
    if some is not None and kind == "IndexError":
        says = f"{where}the index is right for lists of one length only ({message}): the content layer is the last one."
        return Finding(f"{short}-index-hard-coded", 1, credit, says)
    partly = some is not None and name in FACTOR_OF  # these have dimensions
    if partly or (len(wanted) > 2 and len(set(wanted)) == 1):
        says = f"{where}dimensions are hard-coded: it fails on other shapes ({kind}: {message})"
        return Finding(f"{short}-dims-hard-coded", DIMS_HINT[name], credit, says)
    whole = str(facts.get("error_message"))[-1500:]  # the last line of TensorFlow's is bad advice
    missing = re.search(r"(Tensor|Variable|module 'tensorflow').*no attribute '(\w+)'", whole)
    if missing and missing.group(2) in AS_IN_NUMPY:
        of = "tf" if "module" in missing.group(1) else "a tensor"
        says = f"{where}{of} has no {missing.group(2)}, that is NumPy's name: use {AS_IN_NUMPY[missing.group(2)]}."
        return Finding(f"{short}-as-in-numpy", AS_IN_NUMPY_HINT[name], 0, says)
    if "to unpack" in message and ".shape" in text and name != "gram_matrix":
        says = f"{where}the shape of an activation has four entries, 1, n_H, n_W, n_C: read all four ({message})."
        return Finding(f"{short}-unpack", DIMS_HINT[name], 0, says)
    if "'list' object has no attribute" in message or "'list' and 'list'" in message:
        says = f"{where}that is a list, one activation for each layer: take one out of it first ({message})."
        return Finding(f"{short}-list", 1, 0, says)
    if "BitwiseXor" in message:
        says = f"{where}in Python ^ is no power: write ** or tf.square."
        return Finding(f"{short}-power", GRADIENT_HINT[name], 0, says)
    sizes = re.search(r"In\[0\]: (\[[\d,]+\]), In\[1\]: (\[[\d,]+\])", message)
    if sizes and sizes.group(1) == sizes.group(2):
        says = f"{where}the matrix is multiplied by itself, {sizes.group(1)} by {sizes.group(2)}: one of the two must be transposed."
        return Finding(f"{short}-not-transposed", 2, 0, says)
    if "No gradients provided" in message or ("None" in message and "gradient" in text):
        says = f"{where}the gradient of J with respect to the image is None: what depends on G must happen inside the tape, in TensorFlow."
        return Finding(f"{short}-outside-tape", 1, PART, says)
    if "originally built with" in whole:
        says = f"{where}the optimizer is for generated_image alone: take the gradient of J with respect to it, not to the weights."
        return Finding(f"{short}-wrong-variable", 4, 0, says)
    if "apply_gradients" in text and "None" not in message and kind in ("TypeError", "ValueError"):
        says = f"{where}apply_gradients takes one list of pairs, [(gradient, variable)] ({kind}: {message})"
        return Finding(f"{short}-pairs", 4, 0, says)
    return Finding(f"{short}-error", 1, 0, f"{where}{kind}: {message}")


def _kind_finding(name: str, kind: str) -> Finding:
    """What came is not an array of numbers."""
    short = SHORT[name]
    if kind == "NoneType":
        return Finding(
            f"{short}-no-return",
            1,
            0,
            f"{name} returns None: is the return missing, or a None still in the code?",
        )
    if kind in ("tuple", "list", "dict"):
        return Finding(
            f"{short}-not-a-tensor", 1, 0, f"{name} returns a {kind}: return one tensor."
        )
    return Finding(
        f"{short}-not-a-tensor",
        1,
        0,
        f"{name} returns something of type {kind or 'unknown'}, not a tensor of numbers.",
    )


def _gradient_finding(name: str, facts: list[dict], gradients: list[dict]) -> Finding | None:
    """Compare the gradients with respect to every argument; None if all are right."""
    short = SHORT[name]
    missing, wrong, present, ratios = set(), set(), set(), []
    for fact, wanted in zip(facts, gradients):
        for key, expected in wanted.items():
            got = _number(fact, "grad_" + key)
            role = re.sub(r"_\d+$", "", key)
            if got is None and abs(expected).max() > 0:
                missing.add(role)
            elif got is not None and not _same(got, expected):
                wrong.add(role)
                if (
                    got.shape == expected.shape
                    and np.isfinite(got).all()
                    and abs(expected).max() > 0
                ):
                    ratios.append((got * expected).sum() / (expected * expected).sum())
            elif got is not None and abs(expected).max() > 0:
                present.add(role)
    names, kinds = _text(facts[0], "names", 2000).split(), {_text(f, "kind") for f in facts}
    hint = GRADIENT_HINT[name]
    if missing and not present and not wrong:
        why = "something in it leaves TensorFlow (NumPy, float(), a Python number) or detaches the value (stop_gradient, tf.constant)"
        if "numpy" in names or "np" in names:
            why = "NumPy is used inside, and TensorFlow cannot follow it"
        elif "stop_gradient" in names:
            why = "stop_gradient cuts it off"
        elif "float" in names:
            why = "float() turns a tensor into a plain Python number"
        elif "tape" not in names and kinds & {"float", "float32", "float64", "ndarray", "int"}:
            why = f"it returns a {min(kinds)}, not a tensor"
        says = f"The value is right, but no gradient flows back: {why}."
        return Finding(f"{short}-no-gradient", hint, NO_GRADIENT, says)
    if missing:
        says = f"The value is right, but no gradient flows back to {' and '.join(sorted(missing))}: it is detached (NumPy, stop_gradient, a constant)."
        return Finding(f"{short}-gradient-part", hint, SLIP, says)
    if wrong:
        says = f"The value is right, but the gradient with respect to {' and '.join(sorted(wrong))} is not: is a part of it detached?"
        if ratios and all(_near(r, ratios[0]) for r in ratios):
            says += f" It is {ratios[0]:.3g} times the expected one."
        return Finding(f"{short}-gradient-wrong", hint, NO_GRADIENT, says)
    return None


def _slip_finding(name: str, cases: list, facts: list[dict], expected: list) -> Finding | None:
    """Values and gradients are right: dtype, tf.function, changed arguments. None if all is well."""
    short = SHORT[name]
    for case, fact, value in zip(cases, facts, expected):
        if case["graph"]:
            error = _text(fact, "graph_error")
            if "modify its Python input" in error:
                says = (
                    "Your function changes the list that it is given: only read its last element."
                )
                return Finding(f"{short}-changes-argument", 1, SLIP, says)
            if error:
                says = f"It works when called directly, but not inside tf.function ({error}): stay in TensorFlow throughout."
                return Finding(f"{short}-not-in-graph", GRADIENT_HINT[name], SLIP, says)
            largest = _number(fact, "graph_largest")
            if largest is not None and largest >= 20_000_000:
                says = "On a layer of realistic size it needs an enormous tensor: is there a matrix of all positions?"
                return Finding(f"{short}-too-large", GRADIENT_HINT[name], SLIP, says)
            got = _number(fact, "graph_value")
            if not _same(got, value):
                says = (
                    "It is right on small layers, but wrong on a layer of realistic size: "
                    "a whole number grew beyond int32. Read the sizes from a.shape, or cast to float first."
                )
                return Finding(f"{short}-overflow", DIMS_HINT[name], SLIP, says)
        elif case["dtype"] and _text(fact, "dtype") != case["dtype"]:
            says = f"The value is right, but its dtype is {_text(fact, 'dtype') or 'unknown'}, not {case['dtype']}: what comes next needs one dtype throughout."
            return Finding(f"{short}-dtype", GRADIENT_HINT[name], SLIP, says)
        lengths = [_number(fact, "length_content"), _number(fact, "length_generated")]
        if (
            "layers" in case
            and not case["graph"]
            and not all(_same(n, case["layers"]) for n in lengths)
        ):
            says = "Your function changes the list that it is given (pop?): only read its last element."
            return Finding(f"{short}-changes-argument", 1, SLIP, says)
        if "A" in case and not case["graph"] and not _same(_number(fact, "after_A"), case["A"]):
            return Finding(
                f"{short}-changes-argument", 3, SLIP, "Your function changes its argument A."
            )
    return None


def _judge(
    name: str, cases: list, observations, expected: list, gradients: list, explain
) -> Verdict:
    """Judge an exercise whose function returns an array.

    `expected` and `gradients` belong to the cases one by one; `explain(rows, gots)` names a wrong
    value from the small cases with the indices `rows`, or returns None.
    """
    short = SHORT[name]
    facts = _clean(cases, observations)
    if facts is None:
        return _verdict(
            name, Finding(f"{short}-malformed", 1, 0, "The observations are malformed.")
        )
    eager = [i for i, case in enumerate(cases) if not case["graph"]]
    gots = {i: _number(facts[i], "value") for i in eager}
    right = [i for i in eager if _same(gots[i], expected[i])]
    wrong = [i for i in eager if i not in right]
    if wrong:
        at = next((i for i in wrong if not _text(facts[i], "error_type")), wrong[0])
        errors = [i for i in eager if _text(facts[i], "error_type")]
        if errors:
            some = None if len(errors) == len(eager) else bool(right)
            found = _error_finding(name, facts[errors[0]], [facts[i] for i in errors], some)
            if name == "total_cost" and not any(cases[i]["dtype"] for i in wrong):
                says = f"It is right for tensors, but fails for plain numbers: {found.says}"
                found = Finding("total-only-tensors", 1, SLIP, says)
            got = _text(facts[errors[0]], "error_type")
            return _verdict(name, found, _show(expected[errors[0]]), got)
        found = _value_finding(name, cases, facts, expected, gots, eager, right, explain)
        return _verdict(name, found, *_show_both(expected[at], gots[at]))
    found = _gradient_finding(name, [facts[i] for i in eager], [gradients[i] for i in eager])
    found = found or _slip_finding(name, cases, facts, expected)
    return _verdict(name, found)


def _value_finding(name, cases, facts, expected, gots, eager, right, explain) -> Finding:
    """Name a wrong value: kind, NaN, shape, a known mistake, a factor, or what can be seen."""
    short = SHORT[name]
    wrong = [i for i in eager if i not in right]
    at = wrong[0]
    kind = _text(facts[at], "kind", 40)
    if gots[at] is None or kind in ("tuple", "list", "dict"):
        return _kind_finding(name, kind)
    small = [i for i in eager if not cases[i]["large"]]
    same_numbers = all(
        gots[i] is not None and gots[i].size == np.size(expected[i]) for i in eager
    ) and all(_same(gots[i].reshape(np.shape(expected[i])), expected[i]) for i in eager)
    if same_numbers:
        says = f"The numbers are right, but the shape is {gots[at].shape}, not {np.shape(expected[at])}."
        return Finding(f"{short}-shape", GRADIENT_HINT[name], SLIP, says)
    if all(i in right for i in small):
        says = "It is right on small layers, but wrong on a layer of realistic size: a whole number grew beyond int32. Read the sizes from a.shape, or cast to float first."
        return Finding(f"{short}-overflow", DIMS_HINT[name], SLIP, says)
    if all(gots[i] is not None and not abs(gots[i]).any() for i in small):
        return Finding(
            f"{short}-zero", ZERO_HINT[name], 0, f"Your result is always 0: {ZERO[name]}"
        )
    cut = [i for i in small if i in wrong and _text(facts[i], "dtype").startswith("int")]
    known = all(gots[i] is not None and gots[i].shape == np.shape(expected[i]) for i in cut)
    if cut and known and all(abs(gots[i] - expected[i]).max() < 1.01 for i in cut):
        says = "Your result is cut to whole numbers (int): keep float32 throughout."
        return Finding(f"{short}-whole-numbers", GRADIENT_HINT[name], 0, says)  # a guess, perhaps
    found = explain(small, [gots[i] for i in small])
    if found is None and not all(gots[i] is not None and np.isfinite(gots[i]).all() for i in small):
        return Finding(
            f"{short}-nan",
            GRADIENT_HINT[name],
            0,
            "Your result is not a finite number (NaN or infinity): is there a division by zero, a root or a logarithm?",
        )
    if found is None:
        found = _unknown_finding(name, expected, gots, small, right)
    grads = [k for i in eager for k in facts[i] if str(k).startswith("grad_")]
    if (
        found.credit
        and name != "total_cost"
        and not any(facts[i].get(k) is not None for i in eager for k in grads)
    ):
        says = found.says + " Besides, no gradient flows back: stay in TensorFlow."
        return Finding(found.id, found.hint, min(found.credit, TWO), says)
    return found


def _unknown_finding(name, expected, gots, small, right) -> Finding:
    """No known mistake: say what can be seen."""
    short = SHORT[name]
    at = next(i for i in small if i not in right)
    got, want = gots[at], np.array(expected[at])
    if got.shape != want.shape:
        says = f"Your result has the shape {got.shape}, not {want.shape}."
        if want.shape == ():
            says = f"Your result has the shape {got.shape}: it must be one number, the sum over all entries."
            if all(
                gots[i] is not None and _same(np.array(gots[i].sum()), expected[i]) for i in small
            ):
                return Finding(
                    f"{short}-not-a-scalar",
                    GRADIENT_HINT[name],
                    FACTOR,
                    says + " The sum of yours would be right.",
                )
            return Finding(f"{short}-not-a-scalar", GRADIENT_HINT[name], 0, says)
        return Finding(f"{short}-wrong-shape", GRADIENT_HINT[name], 0, says)
    if any(i in right for i in small):
        says = "It is right on some inputs and wrong on others: is something hard-coded, or the sign or size of a number used in an if?"
        return Finding(f"{short}-sometimes-right", DIMS_HINT[name], 0, says)
    ratios = [
        gots[i].sum() / np.sum(expected[i]) for i in small if gots[i].shape == np.shape(expected[i])
    ]
    says = "The value is wrong in a way that is not in the list of known mistakes."
    if ratios and max(ratios) < 0:
        says += " It has the wrong sign."
    elif ratios and min(ratios) > 1:
        says += f" It is always too large ({min(ratios):.5g} to {max(ratios):.5g} times)."
    elif ratios and max(ratios) < 1:
        says += f" It is always too small ({min(ratios):.5g} to {max(ratios):.5g} of the expected value)."
    if got.ndim == 2 and got.shape[0] == got.shape[1] and not _same(got.T, got):
        says += " Your matrix is not symmetric: a Gram matrix is."
    return Finding(f"{short}-wrong-value", 1, 0, says)


SHORT = dict(zip(EXERCISES, ("content", "gram", "style", "total", "train")))
GRADIENT_HINT = dict(zip(EXERCISES, (3, 3, 4, 1, 1)))
DIMS_HINT = dict(zip(EXERCISES, (2, 2, 1, 1, 1)))
ZERO_HINT = dict(zip(EXERCISES, (3, 1, 3, 1, 1)))
ZERO = {
    "compute_content_cost": "are the same activations subtracted from each other, or is // (whole numbers) used for /?",
    "gram_matrix": "is the product taken of A at all?",
    "compute_layer_style_cost": "are both Gram matrices computed from the same activations, or is // (whole numbers) used for /?",
    "total_cost": "are both arguments used?",
}


def _explain(name: str, rows: list, gots: list, dims: list, bases: Callable) -> Finding | None:
    """Try every base formula with every factor, the fewest mistakes first.

    `bases()` yields (parts, values): the `Mistake`s that a formula combines (none for the right
    one) and what it gives on the rows. The first pass wants the right factor, the second any.
    """
    right_k, right_e = FACTOR_OF[name][3:5]
    candidates = []
    for parts, values in bases():
        fit = _factor(gots, values, dims, right_e)
        if fit is None:
            continue
        fit_right = bool(parts) and _near(fit[0], right_k) and fit[1] == right_e
        candidates.append((len(parts) + (not fit_right), len(candidates), parts, fit, fit_right))
    if not candidates:
        return None
    _, _, parts, fit, fit_right = min(candidates, key=lambda c: c[:2])
    findings = [Finding(p.id, p.hint, p.credit, p.says) for p in parts]
    if not fit_right:
        findings.append(_factor_finding(name, *fit))
    if len(findings) == 1:
        return findings[0]
    count = {2: "Two", 3: "Three"}.get(len(findings), "Several")
    says = f"{count} things. First: " + " Then: ".join(f.says for f in findings)
    return Finding("+".join(f.id for f in findings), findings[0].hint, TWO, says)


# --- Exercise 1: the content cost ----------------------------------------------------------------


def _shapes(rng: np.random.Generator, count: int, low: int = 2, high: int = 10) -> list[tuple]:
    """`count` triples of different numbers, n_H, n_W, n_C, where n_H * n_W is not n_C either."""
    drawn = (
        tuple(int(n) for n in rng.permutation(range(low, high))[:3]) for _ in itertools.count()
    )
    return list(itertools.islice((s for s in drawn if s[0] * s[1] != s[2]), count))


def _draw(rng: np.random.Generator, shape: tuple, scale: float = 1.0) -> np.ndarray:
    """Random activations with a mean that is not 0, as float32."""
    return (scale * (rng.normal(size=shape) + rng.uniform(0.3, 1))).astype("float32")


def cases_compute_content_cost(rng: np.random.Generator) -> list[dict]:
    """Lists of 2 to 6 activations; one case of realistic size, one inside tf.function."""
    cases = []
    for count, large, graph in (
        (6, 0, 0),
        (2, 0, 0),
        (3, 0, 0),
        (6, 0, 0),
        (4, 0, 0),
        (6, 1, 0),
        (6, 0, 1),
    ):
        shapes = _shapes(rng, count)
        if large:
            shapes[-1] = (int(rng.integers(50, 60)), int(rng.integers(36, 46)), 48)
        case = {"layers": count, "large": large, "graph": graph, "dtype": "float32"}
        for i, shape in enumerate(shapes):
            case[f"content_{i}"] = _draw(rng, (1, *shape), 1 + 0.3 * i)
            case[f"generated_{i}"] = _draw(rng, (1, *shape), 2 - 0.2 * i)
        cases.append(case)
    return cases


def _pair(case: dict) -> tuple[list, list]:
    layers = range(case["layers"])
    return tuple(
        [case[f"{key}_{i}"].astype("float64") for i in layers] for key in ("content", "generated")
    )


def _difference(C: list, G: list, layer: int = -1) -> np.ndarray:
    return C[layer] - G[layer]


def _squares(C: list, G: list, layer: int) -> float:
    """Squared differences of another layer, as if they were normalised like the last one."""
    return (_difference(C, G, layer) ** 2).mean() * C[-1].size


# fmt: off
CONTENT_MISTAKES = (
    Mistake("content-no-square", 3, PART, lambda C, G: _difference(C, G).sum(),
            "The difference is summed without being squared."),
    Mistake("content-absolute", 3, PART, lambda C, G: abs(_difference(C, G)).sum(),
            "The absolute difference is summed: square it instead."),
    Mistake("content-sum-then-square", 3, PART, lambda C, G: _difference(C, G).sum() ** 2,
            "The sum of the differences is squared: square each difference first, then sum."),
    Mistake("content-root", 3, PART, lambda C, G: (_difference(C, G) ** 2).sum() ** 0.5,
            "A square root is taken (a norm): the cost is the sum of squares itself."),
    Mistake("content-squares-subtracted", 3, PART, lambda C, G: (C[-1] ** 2 - G[-1] ** 2).sum(),
            "The activations are squared before they are subtracted: subtract first, then square."),
    Mistake("content-plus", 3, PART, lambda C, G: ((C[-1] + G[-1]) ** 2).sum(),
            "The activations are added: subtract them."),
    Mistake("content-product", 3, 0, lambda C, G: (C[-1] * G[-1]).sum(),
            "The activations are multiplied with each other: subtract them and square."),
    Mistake("content-one-side", 3, 0, lambda C, G: (C[-1] ** 2).sum(),
            "Only the content activations are used: subtract the generated ones."),
    Mistake("content-one-side", 3, 0, lambda C, G: (G[-1] ** 2).sum(),
            "Only the generated activations are used: subtract them from the content ones."),
    Mistake("content-cubed", 3, PART, lambda C, G: (_difference(C, G) ** 4).sum(),
            "The squared difference is squared once more."),
    Mistake("content-largest", 3, 0, lambda C, G: (_difference(C, G) ** 2).max(),
            "Only the largest squared difference is taken: sum over all."),
    Mistake("content-first-layer", 1, FACTOR, lambda C, G: _squares(C, G, 0),
            "The first layer ([0], a style layer) is compared: the content layer is the last one."),
    Mistake("content-first-layer", 1, FACTOR, lambda C, G: (_difference(C, G, 0) ** 2).sum(),
            "The first layer ([0], a style layer) is compared: the content layer is the last one."),
    Mistake("content-second-layer", 1, FACTOR, lambda C, G: _squares(C, G, 1),
            "The second layer ([1]) is compared: the content layer is the last one."),
    Mistake("content-layer-before", 1, FACTOR, lambda C, G: _squares(C, G, -2),
            "The last but one layer ([-2], a style layer) is compared: the content layer is the last."),
    Mistake("content-all-layers", 1, PART, lambda C, G: sum(_squares(C, G, i) for i in range(len(C))),
            "All the layers are summed: only the last one is the content layer."),
    Mistake("content-all-layers", 1, PART, lambda C, G: sum((c - g).ravel() @ (c - g).ravel() for c, g in zip(C, G)),
            "All the layers are summed: only the last one is the content layer."),
    Mistake("content-all-layers", 1, PART, lambda C, G: sum(_squares(C, G, i) for i in range(len(C))) / len(C),
            "All the layers are averaged: only the last one is the content layer."),
    Mistake("content-all-layers", 1, PART, lambda C, G: sum(_squares(C, G, i) for i in range(len(C) - 1)),
            "The style layers are summed: only the last layer, the content layer, counts."),
)
# fmt: on


def _content_combinations(pairs: list):
    """A wrong layer together with a wrong difference, normalised by either layer's size."""
    layers = {"content-first-layer": 0, "content-second-layer": 1, "content-layer-before": -2}
    wrong_layers = {known.id: known for known in CONTENT_MISTAKES if known.id in layers}
    differences = [m for m in CONTENT_MISTAKES if m.hint != 1]
    for layer, difference in itertools.product(wrong_layers.values(), differences):
        at = layers[layer.id]
        values = [difference.formula([C[at]], [G[at]]) for C, G in pairs]
        yield (layer, difference), values
        yield (layer, difference), [v * C[-1].size / C[at].size for v, (C, _) in zip(values, pairs)]


def judge_compute_content_cost(cases: list[dict], observations: list[dict]) -> Verdict:
    """J = sum((a_C - a_G)^2) / (4 n_H n_W n_C) of the last layer (Gatys 2015, eq. 1, rescaled)."""
    pairs = [_pair(case) for case in cases]
    expected = [(_difference(*pair) ** 2).sum() / (4 * pair[0][-1].size) for pair in pairs]
    gradients = []
    for C, G in pairs:
        wanted = {f"{k}_{i}": 0 * C[i] for k in ("content", "generated") for i in range(len(C))}
        wanted[f"content_{len(C) - 1}"] = _difference(C, G) / (2 * C[-1].size)
        wanted[f"generated_{len(C) - 1}"] = -_difference(C, G) / (2 * C[-1].size)
        gradients.append(wanted)

    def explain(rows: list, gots: list) -> Finding | None:
        def bases():
            yield (), [(_difference(*pairs[i]) ** 2).sum() for i in rows]
            for known in CONTENT_MISTAKES:
                yield (known,), [known.formula(*pairs[i]) for i in rows]
            yield from _content_combinations([pairs[i] for i in rows])

        dims = [pairs[i][0][-1].shape[1:] for i in rows]
        return _explain("compute_content_cost", rows, gots, dims, bases)

    return _judge("compute_content_cost", cases, observations, expected, gradients, explain)


# --- Exercise 2: the Gram matrix -----------------------------------------------------------------


def cases_gram_matrix(rng: np.random.Generator) -> list[dict]:
    """Matrices with fewer and with more rows than columns, one of realistic size, one in a graph."""
    sizes = [(int(c), int(h * w)) for h, w, c in _shapes(rng, 4)] + [(7, 3)]
    kinds = [(size, 0, 0) for size in sizes] + [((16, 53 * 41), 1, 0), ((5, 11), 0, 1)]
    return [
        {
            "A": _draw(rng, size) * np.float32(-1) ** np.arange(size[0], dtype="float32")[:, None],
            "upstream": rng.normal(size=(size[0], size[0])).astype("float32"),
            "large": large,
            "graph": graph,
            "dtype": "float32",
        }
        for size, large, graph in kinds
    ]


def _centred(A: np.ndarray) -> np.ndarray:
    return A - A.mean(axis=1, keepdims=True)


def _unit_rows(A: np.ndarray) -> np.ndarray:
    return A / (A * A).sum(axis=1, keepdims=True) ** 0.5


# fmt: off
GRAM_MISTAKES = (
    Mistake("gram-not-transposed", 2, PART, lambda A: A.T @ A,
            "Your G has the shape (n_H*n_W, n_H*n_W), positions by positions: the wrong one of the two matrices is transposed."),
    Mistake("gram-elementwise", 2, 0, lambda A: A * A,
            "Your G has the shape of A: every entry is multiplied by itself. * is not the matrix product."),
    Mistake("gram-reshaped", 2, PART, lambda A: A @ A.reshape(A.shape[::-1]),
            "A is reshaped to (n_H*n_W, n_C), not transposed: reshaping scrambles the entries."),
    Mistake("gram-reshaped", 2, PART, lambda A: A.reshape(A.shape[::-1]).T @ A.reshape(A.shape[::-1]),
            "A is reshaped to (n_H*n_W, n_C), not transposed: reshaping scrambles the entries."),
    Mistake("gram-reshaped", 2, PART, lambda A: A.reshape(A.shape[::-1]) @ A,
            "A is reshaped to (n_H*n_W, n_C), not transposed, and it comes first in the product."),
    Mistake("gram-triangle", 1, FACTOR, lambda A: np.triu(A @ A.T),
            "Only the upper triangle of G is there: the lower half belongs to it too."),
    Mistake("gram-triangle", 1, FACTOR, lambda A: np.tril(A @ A.T),
            "Only the lower triangle of G is there: the upper half belongs to it too."),
    Mistake("gram-triangle", 1, FACTOR, lambda A: np.triu(A @ A.T, 1),
            "Only the entries above the diagonal are there: the whole G is needed."),
    Mistake("gram-triangle", 1, FACTOR, lambda A: np.tril(A @ A.T, -1),
            "Only the entries below the diagonal are there: the whole G is needed."),
    Mistake("gram-no-diagonal", 1, FACTOR, lambda A: A @ A.T - np.diag((A * A).sum(axis=1)),
            "The diagonal of your G is 0: each row also meets itself."),
    Mistake("gram-diagonal-only", 1, PART, lambda A: np.diag((A * A).sum(axis=1)),
            "Only the diagonal of G is there: every row meets every other row."),
    Mistake("gram-diagonal-only", 1, PART, lambda A: (A * A).sum(axis=1),
            "Only the diagonal of G is there, as a vector: every row meets every other row."),
    Mistake("gram-diagonal-only", 1, PART, lambda A: (A * A).sum(axis=1, keepdims=True),
            "Only the diagonal of G is there, as a column: every row meets every other row."),
    Mistake("gram-doubled", 1, FACTOR, lambda A: np.triu(A @ A.T) + np.tril(A @ A.T),
            "The diagonal of your G counts twice."),
    Mistake("gram-summed", 1, 0, lambda A: (A * A).sum(),
            "Your G is one number, the sum of all squares: it must be a matrix."),
    Mistake("gram-summed", 1, 0, lambda A: (A @ A.T).sum(),
            "Your G is one number, the sum of all entries: return the matrix itself."),
    Mistake("gram-column-sums", 1, 0, lambda A: (A * A).sum(axis=0),
            "The squares are summed over the channels: G_ij is the dot product of rows i and j."),
    Mistake("gram-centred", 3, FACTOR, lambda A: _centred(A) @ _centred(A).T,
            "The mean of each row is subtracted first (a covariance): the Gram matrix takes A as it is."),
    Mistake("gram-covariance", 3, FACTOR, lambda A: _centred(A) @ _centred(A).T / (A.shape[1] - 1) * A.shape[1],
            "That is a covariance matrix (mean subtracted, divided by n - 1): take A as it is."),
    Mistake("gram-unit-rows", 3, FACTOR, lambda A: _unit_rows(A) @ _unit_rows(A).T,
            "The rows are scaled to length 1 (cosine similarity): take A as it is."),
    Mistake("gram-absolute", 3, FACTOR, lambda A: abs(A @ A.T), "The absolute value of G is taken: leave its signs."),
    Mistake("gram-absolute", 3, FACTOR, lambda A: abs(A) @ abs(A).T, "The absolute value of A is taken first: leave its signs."),
    Mistake("gram-clipped", 3, FACTOR, lambda A: (A @ A.T).clip(0), "The negative entries of G are set to 0: leave them."),
    Mistake("gram-squared", 3, PART, lambda A: (A @ A.T) ** 2, "The entries of G are squared: the squares come in the style cost."),
    Mistake("gram-squared", 3, PART, lambda A: (A ** 2) @ (A ** 2).T, "The entries of A are squared before the product."),
    Mistake("gram-root", 3, PART, lambda A: abs(A @ A.T) ** 0.5, "A square root is taken of G: leave it out."),
    Mistake("gram-only-A", 2, 0, lambda A: A, "Your function returns A as it is."),
    Mistake("gram-only-A", 2, 0, lambda A: A.T, "Your function returns A transposed: the product is missing."),
)
# fmt: on


def judge_gram_matrix(cases: list[dict], observations: list[dict]) -> Verdict:
    """G = A A^T (Gatys 2015, eq. 3): G_ij is the dot product of rows i and j of A."""
    matrices = [case["A"].astype("float64") for case in cases]
    expected = [A @ A.T for A in matrices]
    weights = [case["upstream"].astype("float64") for case in cases]
    gradients = [{"A": (w + w.T) @ A} for w, A in zip(weights, matrices)]

    def explain(rows: list, gots: list) -> Finding | None:
        def bases():
            yield (), [expected[i] for i in rows]
            for known in GRAM_MISTAKES:
                yield (known,), [known.formula(matrices[i]) for i in rows]

        dims = [matrices[i].shape for i in rows]
        return _explain("gram_matrix", rows, gots, dims, bases)

    return _judge("gram_matrix", cases, observations, expected, gradients, explain)


# --- Exercise 3: the style cost of a layer -------------------------------------------------------


def cases_compute_layer_style_cost(rng: np.random.Generator) -> list[dict]:
    """Five small layers, one of realistic size, and one in a graph with more than 2^31 / 4 squares."""
    kinds = [(shape, 0, 0) for shape in _shapes(rng, 5)]
    kinds += [
        ((int(rng.integers(52, 56)), 41, 12), 1, 0),
        ((260, int(rng.integers(185, 195)), 6), 1, 1),
    ]
    cases = []
    for shape, large, graph in kinds:
        case = {"a_S": _draw(rng, (1, *shape), 2.5), "a_G": _draw(rng, (1, *shape))}
        case["a_S"][..., 1::2] *= -1  # so that the difference of the Gram matrices has both signs
        if not large:  # what the student's own gram_matrix gives here tells whose mistake it is
            for side in "SG":
                case["own_input_" + side] = _channels_first(case["a_" + side]).copy()
        cases.append(case | {"large": large, "graph": graph, "dtype": "float32"})
    return cases


def _channels_first(a: np.ndarray) -> np.ndarray:
    """(1, n_H, n_W, n_C) -> (n_C, n_H*n_W)."""
    return a.reshape(-1, a.shape[3]).T


def _style_cost(a_S: np.ndarray, a_G: np.ndarray) -> tuple[float, np.ndarray]:
    """The cost (Gatys 2015, eq. 4) and its gradient with respect to a_G (eq. 6), in float64."""
    S, G = (_channels_first(a.astype("float64")) for a in (a_S, a_G))
    D = G @ G.T - S @ S.T
    normaliser = 4 * G.size**2
    return (D * D).sum() / normaliser, (4 * D @ G / normaliser).T.reshape(a_G.shape)


def _squared(D: np.ndarray) -> float:
    return (D * D).sum()


# fmt: off
SCRAMBLED = "the activations are reshaped without bringing the channels first, so channels and positions are scrambled."
DIMENSIONS = "n_H, n_W and n_C are read in another order than a.shape has them: (1, n_H, n_W, n_C)."
STYLE_MATRICES = (  # (1, n_H, n_W, n_C) -> the matrix whose Gram matrix is taken
    Mistake("", 0, 1, lambda a: _channels_first(a), ""),
    Mistake("style-reshape-only", 2, FACTOR, lambda a: a.reshape(a.shape[3], -1), "Only reshape is used: " + SCRAMBLED),
    Mistake("style-wrong-perm", 2, FACTOR, lambda a: a.transpose(0, 2, 1, 3).reshape(a.shape[3], -1), "The perm of the transpose swaps height and width: " + SCRAMBLED),
    Mistake("style-wrong-perm", 2, FACTOR, lambda a: a.transpose(0, 1, 3, 2).reshape(a.shape[3], -1), "The perm of the transpose leaves the height first: " + SCRAMBLED),
    Mistake("style-wrong-perm", 2, FACTOR, lambda a: a.transpose(0, 2, 3, 1).reshape(a.shape[3], -1), "The perm of the transpose leaves the width first: " + SCRAMBLED),
    Mistake("style-dims-misread", 1, PART, lambda a: _channels_first(a).reshape(a.shape[1], -1), DIMENSIONS),
    Mistake("style-dims-misread", 1, PART, lambda a: _channels_first(a).reshape(a.shape[2], -1), DIMENSIONS),
    Mistake("style-dims-misread", 1, PART, lambda a: a.reshape(a.shape[1], -1), DIMENSIONS),
    Mistake("style-dims-misread", 1, PART, lambda a: a.reshape(a.shape[2], -1), DIMENSIONS),
    Mistake("style-positions-after-reshape", 2, PART, lambda a: a.reshape(a.shape[3], -1).T, "The Gram matrix is taken over positions, and " + SCRAMBLED),
    Mistake("style-positions", 2, FACTOR, lambda a: _channels_first(a).T, "The Gram matrix is taken over positions, (n_H*n_W, n_H*n_W): it must be (n_C, n_C), channels by channels."),
)
STYLE_GRAMS = (
    Mistake("", 0, 1, lambda M: M @ M.T, ""),
    Mistake("style-elementwise", 3, PART, lambda M: M * M, "In place of the Gram matrix the activations are multiplied element by element."),
    Mistake("style-no-gram", 3, PART, lambda M: M, "The activations themselves are compared: take the Gram matrix of both."),
    Mistake("style-triangle", 3, FACTOR, lambda M: np.triu(M @ M.T), "Only one triangle of the Gram matrix counts: sum over all its entries."),
    Mistake("style-triangle", 3, FACTOR, lambda M: np.triu(M @ M.T, 1), "Only the entries above the diagonal count: sum over the whole Gram matrix."),
    Mistake("style-diagonal", 3, PART, lambda M: (M * M).sum(axis=1), "Only the diagonal of the Gram matrix counts: sum over all its entries."),
    Mistake("style-centred", 3, PART, lambda M: _centred(M) @ _centred(M).T, "The mean of each channel is subtracted first: take the activations as they are."),
    Mistake("style-unit-rows", 3, PART, lambda M: _unit_rows(M) @ _unit_rows(M).T, "The channels are scaled to length 1 first: take the activations as they are."),
    Mistake("style-means", 3, 0, lambda M: M.mean(axis=1), "The means of the channels are compared: take the Gram matrix of both."),
    Mistake("style-gram-twice", 3, PART, lambda M: M @ M.T @ (M @ M.T).T, "gram_matrix is applied twice: once is enough."),
)
STYLE_DIFFERENCES = (
    Mistake("", 0, 1, lambda S, G: _squared(S - G), ""),
    Mistake("style-no-square", 4, PART, lambda S, G: (S - G).sum(), "The difference of the Gram matrices is summed without being squared."),
    Mistake("style-absolute", 4, PART, lambda S, G: abs(S - G).sum(), "The absolute difference is summed: square it instead."),
    Mistake("style-sum-then-square", 4, PART, lambda S, G: (S - G).sum() ** 2, "The sum of the differences is squared: square each difference first, then sum."),
    Mistake("style-root", 4, PART, lambda S, G: _squared(S - G) ** 0.5, "A square root is taken (a norm): the cost is the sum of squares itself."),
    Mistake("style-squares-subtracted", 4, PART, lambda S, G: (S * S - G * G).sum(), "The Gram matrices are squared before they are subtracted: subtract first."),
    Mistake("style-plus", 4, PART, lambda S, G: _squared(S + G), "The Gram matrices are added: subtract them."),
    Mistake("style-product", 4, 0, lambda S, G: (S * G).sum(), "The Gram matrices are multiplied with each other: subtract them and square."),
    Mistake("style-one-side", 3, PART, lambda S, G: _squared(S), "Only the Gram matrix of a_S is used: subtract the one of a_G."),
    Mistake("style-one-side", 3, PART, lambda S, G: _squared(G), "Only the Gram matrix of a_G is used: subtract it from the one of a_S."),
    Mistake("style-matrix-square", 4, PART, lambda S, G: ((S - G) @ (S - G)).sum() if S.ndim == 2 and len(S) == S.shape[1] else 0.0, "The difference is multiplied by itself as a matrix: square every entry (* or tf.square)."),
)
# fmt: on


def _style_bases(pairs: list[tuple]):
    """Every listed matrix, Gram and difference, and their combinations of two."""
    right = _channels_first
    for matrix, gram, difference in itertools.product(
        STYLE_MATRICES, STYLE_GRAMS, STYLE_DIFFERENCES
    ):
        parts = tuple(m for m in (matrix, gram, difference) if m.id)
        if len(parts) < 3:
            sides = [[gram.formula(matrix.formula(a)) for a in pair] for pair in pairs]
            yield parts, [difference.formula(*side) for side in sides]
    says = "The Gram matrix of the difference of the activations is taken: first both Gram matrices, then the difference."
    difference_first = Mistake("style-gram-of-difference", 3, PART, right, says)
    yield (difference_first,), [_squared(right(S - G) @ right(S - G).T) for S, G in pairs]
    for known in STYLE_MATRICES[1:5]:
        for one, other in ((known.formula, right), (right, known.formula)):
            says = f"Only one of a_S and a_G is brought into the right order. For the other: {known.says}"
            half = Mistake("style-one-scrambled", 2, FACTOR, right, says)
            grams = [(one(S) @ one(S).T, other(G) @ other(G).T) for S, G in pairs]
            yield (half,), [_squared(S - G) for S, G in grams]


def _own_gram_finding(cases, facts, pairs) -> Finding | None:
    """Is the student's own gram_matrix, which this function calls, the one to put right?"""
    rows = [i for i, case in enumerate(cases) if not case["large"]]
    if "gram_matrix" not in _text(facts[rows[0]], "names", 2000).split():
        return None
    follows = wrong = detached = 0
    for i in rows:
        own = [_number(facts[i], "own_value_" + side) for side in "SG"]
        grams = [_channels_first(a) @ _channels_first(a).T for a in pairs[i]]
        if "own_value_S" not in facts[i]:
            return None
        wrong += not all(_same(o, g) for o, g in zip(own, grams))
        detached += facts[i].get("own_grad_A_S") is None
        if all(o is not None and abs(o).any() for o in own) and own[0].shape == own[1].shape:
            cost = _squared(own[0] - own[1]) / (4 * pairs[i][0].size ** 2)
            follows += _same(_number(facts[i], "value"), cost) and cost > 0
    first = "fix Exercise 2 first, then run this again."
    if wrong and follows == len(rows):
        says = (
            "The layer style cost itself looks right, but it calls your gram_matrix, which is not right yet: "
            + first
        )
        return Finding("style-fix-gram", 3, NO_GRADIENT, says)
    if wrong:
        return Finding(
            "style-fix-gram", 3, 0, "It calls your gram_matrix, which is not right yet: " + first
        )
    if detached and follows == len(rows):
        return Finding(
            "style-fix-gram-gradient",
            3,
            NO_GRADIENT,
            "The value is right, but no gradient flows through your gram_matrix: " + first,
        )
    return None


def judge_compute_layer_style_cost(cases: list[dict], observations: list[dict]) -> Verdict:
    """J = sum((G_S - G_G)^2) / (4 n_C^2 (n_H n_W)^2) (Gatys 2015, eq. 4)."""
    name = "compute_layer_style_cost"
    pairs = [(case["a_S"].astype("float64"), case["a_G"].astype("float64")) for case in cases]
    expected = [_style_cost(*pair)[0] for pair in pairs]
    gradients = [{"a_G": _style_cost(S, G)[1], "a_S": _style_cost(G, S)[1]} for S, G in pairs]

    def explain(rows: list, gots: list) -> Finding | None:
        few = [pairs[i] for i in rows]
        dims = [S.shape[1:] for S, _ in few]
        return _explain(name, rows, gots, dims, lambda: _style_bases(few))

    verdict = _judge(name, cases, observations, expected, gradients, explain)
    facts = _clean(cases, observations)
    if verdict.mistake and facts is not None:
        own = _own_gram_finding(cases, facts, pairs)
        if own is not None:
            return _verdict(name, own, verdict.expected, verdict.got)
    return verdict


# --- Exercise 4: the total cost ------------------------------------------------------------------


def cases_total_cost(rng: np.random.Generator) -> list[dict]:
    """Python, NumPy and tensor scalars; weights by default, by position and by name."""
    kinds = (
        ("tensor", "default", 0, 0),
        ("tensor", "python", 0, 0),
        ("tensor", "tensor", 1, 0),
        ("tensor", "float32", 0, 0),
        ("tensor", "python", 1, 0),
        ("python", "python", 0, 0),
        ("float32", "float32", 0, 0),
        ("float64", "float64", 0, 0),
        ("tensor", "python", 0, 1),
    )
    cases = []
    for costs, weights, keywords, graph in kinds:
        drawn = rng.uniform((0.5, 5, 2, 40), (4, 9, 30, 70))  # so that what is swapped shows
        numbers = [float(np.float32(n)) for n in drawn]
        if weights == "default":
            numbers[2:] = 10.0, 40.0
        case = dict(zip(("J_content", "J_style", "alpha", "beta"), numbers))
        case.update(costs=costs, weights=weights, keywords=keywords, graph=graph, large=0)
        cases.append(case | {"dtype": "float32" if costs == "tensor" else ""})
    return cases


def _with_defaults(case: dict, facts: dict) -> dict:
    """The case with the student's own default weights, if it passes none.

    10 and 40 the other way round are a mistake that is often seen: they are no fair choice.
    """
    own = [_number(facts, "default_" + key) for key in ("alpha", "beta")]
    if any(n is None or n.shape != () or not 0 <= n <= 1e6 for n in own):
        return case
    alpha, beta = (float(n) for n in own)
    passed = case.get("explicit") or case.get("weights", "default") != "default"
    if passed or (alpha, beta) in ((0, 0), (40, 10)):
        return case
    return case | {"alpha": alpha, "beta": beta}


TOTAL_WEIGHTS = {
    "alpha": lambda a, b: a,
    "beta": lambda a, b: b,
    "10": lambda a, b: 10.0,
    "40": lambda a, b: 40.0,
    "1": lambda a, b: 1.0,
    "0": lambda a, b: 0.0,
    "alpha*beta": lambda a, b: a * b,
    "(alpha + beta)": lambda a, b: a + b,
    "alpha^2": lambda a, b: a * a,
    "beta^2": lambda a, b: b * b,
    "(1/alpha)": lambda a, b: 1 / a,
    "(1/beta)": lambda a, b: 1 / b,
    "int(alpha)": lambda a, b: np.floor(a),
    "int(beta)": lambda a, b: np.floor(b),
}
TOTAL_OUTER = {
    "": lambda J, a, b: J,
    "half of ": lambda J, a, b: J / 2,
    "twice ": lambda J, a, b: J * 2,
    "a quarter of ": lambda J, a, b: J / 4,
    "minus ": lambda J, a, b: -J,
    "1/(alpha + beta) times ": lambda J, a, b: J / (a + b),
    "the square of ": lambda J, a, b: J * J,
    "the root of ": lambda J, a, b: abs(J) ** 0.5,
}
TOTAL_JOIN = {"+": lambda p, q: p + q, "-": lambda p, q: p - q, "*": lambda p, q: p * q}


def _total_finding(
    outer: str, w: str, X: str, join: str, v: str, Y: str, swapped: set[tuple[str, str]]
) -> Finding:
    """The sentence for `outer` (`w` X `join` `v` Y), which is what the student's function computes.

    `swapped` holds the numbers that are beta's and alpha's when written the other way round.
    """
    terms = [n if u == "1" else f"{u}*{n}" for u, n in ((w, X), (v, Y)) if u != "0"]
    text = outer + (
        f" {join} ".join(terms) if not outer or len(terms) < 2 else f"({f' {join} '.join(terms)})"
    )
    mistake, credit, why = "total-other", 0, "compare it with the formula"
    both = (X, Y) == ("J_content", "J_style")
    written = any(re.fullmatch(r"[\d.e+-]+", word) and word not in ("0", "1") for word in (w, v))
    if join == "*" and "0" not in (w, v):
        mistake, why = "total-product", "the two terms are multiplied: add them"
    elif "0" in (w, v):
        lost = "content" if (Y if w == "0" else X) == "J_style" else "style"
        mistake, credit, why = f"total-no-{lost}", TWO, f"J_{lost} is missing"
        if "(alpha + beta)" in (w, v):
            mistake, why = "total-one-cost", f"one cost appears twice, and J_{lost} is missing"
    elif join == "-":
        mistake, credit, why = "total-minus", PART, "the two terms are added in the formula"
    elif not both:
        mistake, credit, why = "total-one-cost", TWO, "one of the two costs appears twice"
    elif (w, v) == ("beta", "alpha"):
        mistake, credit, why = (
            "total-swapped",
            FACTOR,
            "alpha and beta are swapped (or J_content and J_style are)",
        )
    elif (w, v) in swapped:
        mistake, credit, why = (
            "total-hard-coded-swapped",
            TWO,
            "the weights are swapped, and written as numbers: use the arguments",
        )
    elif written and "1" in (w, v):
        lost = "alpha" if w == "1" else "beta"
        mistake, credit, why = (
            f"total-hard-coded+total-no-{lost}",
            TWO,
            f"a weight is written as a number, and {lost} is not used: use the arguments",
        )
    elif written:
        mistake, credit, why = (
            "total-hard-coded",
            FACTOR,
            "a weight is written as a number: use the arguments alpha and beta",
        )
    elif (w, v) == ("1", "1"):
        mistake, credit, why = "total-no-weights", TWO, "alpha and beta are not used"
    elif (w, v) == ("1", "beta"):
        mistake, credit, why = "total-no-alpha", PART, "alpha is not used"
    elif (w, v) == ("alpha", "1"):
        mistake, credit, why = "total-no-beta", PART, "beta is not used"
    elif w == v and w in ("alpha", "beta"):
        mistake, credit, why = "total-one-weight", PART, "one weight is used for both terms"
    elif v == "alpha*beta" or w == "alpha*beta":
        mistake, credit, why = (
            "total-brackets",
            PART,
            "one weight reaches over both terms: check the brackets",
        )
    elif "int" in w + v:
        mistake, credit, why = "total-int", PART, "a weight is cut to a whole number"
    if outer:
        mistake, credit = (
            ("total-scaled", FACTOR)
            if mistake == "total-other" and (w, v) == ("alpha", "beta")
            else (mistake + "+total-scaled", min(credit, TWO))
        )
    return Finding(mistake, 1, credit, f"Your function computes {text}: {why}.")


def _total_explain(cases: list, rows: list, gots: list, facts: list) -> Finding | None:
    """Find the weights, costs and sign that give the student's numbers."""
    if any(g is None or g.shape != () for g in gots):
        return None
    numbers = {
        k: np.array([cases[i][k] for i in rows]) for k in ("J_content", "J_style", "alpha", "beta")
    }
    a, b = numbers["alpha"], numbers["beta"]
    got = np.array([float(g) for g in gots])
    order = _text(facts[rows[0]], "parameters").split()
    right = a * numbers["J_content"] + b * numbers["J_style"]
    differs = [
        cases[i]["weights"] for i in rows if not _same(got[rows.index(i)], right[rows.index(i)])
    ]
    if set(differs) == {"default"}:
        return Finding(
            "total-defaults",
            1,
            SLIP,
            "It is right when alpha and beta are given, but without them it is not: are the defaults swapped? They are alpha=10, beta=40.",
        )
    if (
        len(order) == 4
        and order != ["J_content", "J_style", "alpha", "beta"]
        and sorted(order) == ["J_content", "J_style", "alpha", "beta"]
    ):
        return Finding(
            "total-swapped",
            1,
            FACTOR,
            f"The arguments of your def line are in another order ({', '.join(order)}): they are swapped. Leave it as it was.",
        )
    weights = dict(TOTAL_WEIGHTS)
    own = next(case for case in cases if case["weights"] == "default")  # those of the def line
    for number in (own["alpha"], own["beta"]):
        weights.setdefault(f"{number:.6g}", lambda a, b, number=number: number)
    written = f"{own['beta']:.6g}", f"{own['alpha']:.6g}"
    swapped = {("40", "10")} | ({written} if written[0] != written[1] else set())
    pairs = (("J_content", "J_style"), ("J_content", "J_content"), ("J_style", "J_style"))
    for outer, join in itertools.product(TOTAL_OUTER, TOTAL_JOIN):
        for (X, Y), w, v in itertools.product(pairs, weights, weights):
            p, q = weights[w](a, b) * numbers[X], weights[v](a, b) * numbers[Y]
            result = TOTAL_OUTER[outer](TOTAL_JOIN[join](p, q), a, b)
            if (abs(got - result) <= TOLERANCE * abs(result)).all():
                return _total_finding(outer, w, X, join, v, Y, swapped)
    return None


def judge_total_cost(cases: list[dict], observations: list[dict]) -> Verdict:
    """J = alpha J_content + beta J_style (Gatys 2015, eq. 7)."""
    facts = _clean(cases, observations) or []
    cases = [_with_defaults(case, fact) for case, fact in zip(cases, facts)] or cases
    expected = [c["alpha"] * c["J_content"] + c["beta"] * c["J_style"] for c in cases]
    tensors = [{"J_content": np.array(c["alpha"]), "J_style": np.array(c["beta"])} for c in cases]
    gradients = [g if c["costs"] == "tensor" else {} for c, g in zip(cases, tensors)]

    def explain(rows: list, gots: list) -> Finding | None:
        return _total_explain(cases, rows, gots, facts)

    return _judge("total_cost", cases, observations, expected, gradients, explain)


# --- Exercise 5: one step of the optimiser -------------------------------------------------------

KERNELS = (
    (3, 1, 4),
    (1, 1, 5),
    (3, 2, 6),
    (2, 2, 3),
    (1, 2, 2),
    (2, 1, 7),
)  # size, stride, channels


def _features(case: dict, image: np.ndarray) -> list[np.ndarray]:
    """The six activations of the tiny network for an image (1, H, W, 3), in float64."""
    outputs = []
    for i in range(6):
        kernel, stride = case[f"kernel_{i}"].astype("float64"), case[f"stride_{i}"]
        h, w = ((n - k) // stride + 1 for n, k in zip(image.shape[1:3], kernel.shape[:2]))
        total = case[f"bias_{i}"].astype("float64")
        for y, x in np.ndindex(*kernel.shape[:2]):
            total = (
                total
                + image[:, y : y + stride * h : stride, x : x + stride * w : stride][:, :h, :w]
                @ kernel[y, x]
            )
        outputs.append(total)
    return outputs


def _pull_back(case: dict, shape: tuple, upstream: dict) -> np.ndarray:
    """The gradient to the image, from the gradients `upstream` to some of the six activations."""
    gradient = np.zeros(shape)
    for i, above in upstream.items():
        kernel, stride = case[f"kernel_{i}"].astype("float64"), case[f"stride_{i}"]
        h, w = above.shape[1:3]
        for y, x in np.ndindex(*kernel.shape[:2]):
            rows, columns = (
                slice(y, y + stride * (h - 1) + 1, stride),
                slice(x, x + stride * (w - 1) + 1, stride),
            )
            gradient[:, rows, columns] += above @ kernel[y, x].T
    return gradient


def _content(case: dict, target: list, a_G: list, shape: tuple) -> tuple[float, np.ndarray]:
    """J_content and its gradient to the image."""
    difference = a_G[5] - target[5]
    cost = (difference**2).sum() / (4 * difference.size)
    return cost, _pull_back(case, shape, {5: difference / (2 * difference.size)})


def _style(case: dict, target: list, a_G: list, shape: tuple) -> tuple[float, np.ndarray]:
    """J_style of five layers and its gradient to the image."""
    layers = [_style_cost(target[i], a_G[i]) for i in range(5)]
    weights = case.get("style_weights", [STYLE_WEIGHT] * 5)
    upstream = {i: weights[i] * layers[i][1] for i in range(5)}
    J_style = sum(weight * cost for weight, (cost, _) in zip(weights, layers))
    return J_style, _pull_back(case, shape, upstream)


def _terms(case: dict, image: np.ndarray) -> dict:
    """The costs, and their gradients, that a train_step may compute, right or wrong."""
    C, S = (_features(case, case[k].astype("float64")) for k in ("content_image", "style_image"))
    a_G, shape, nothing = _features(case, image), image.shape, (0.0, np.zeros(image.shape))
    return {
        "content": {
            "C": _content(case, C, a_G, shape),
            "S": _content(case, S, a_G, shape),
            "fixed": (_content(case, C, S, shape)[0], nothing[1]),
            "none": nothing,
        },
        "style": {
            "S": _style(case, S, a_G, shape),
            "C": _style(case, C, a_G, shape),
            "fixed": (_style(case, S, C, shape)[0], nothing[1]),
            "none": nothing,
        },
    }


def _train_case(rng, *kind) -> dict:
    """A tiny network and pictures on which the first step leaves [0, 1] both below and above."""
    for _ in range(100):
        case = _draw_train_case(rng, *kind)
        step = _rollout(case)[0]
        gradient, sure = step["gradient"], abs(step["gradient"]) > 0.2 * abs(step["gradient"]).max()
        moved = (step["image"] - _step(case, gradient, {}))[sure]
        if (moved < -0.008).sum() >= 3 and (moved > 1.008).sum() >= 3:
            break
    return case


def _draw_train_case(rng, size: tuple, optimizer: str, explicit: int, graph: int) -> dict:
    """A tiny network on which content and style weigh alike at alpha = 10, beta = 40."""
    case = {
        "optimizer": optimizer,
        "explicit": explicit,
        "graph": graph,
        "alpha": 10.0,
        "beta": 40.0,
    }
    for key in ("image", "content_image", "style_image"):
        pixels = rng.uniform(-1, 2, size=(1, *size, 3))  # many near 0 and 1, where clipping shows
        if key == "style_image":
            pixels = pixels + np.array([-0.8, 0.1, 0.8])  # so some colours must fall, some rise
        case[key] = pixels.clip(0.004, 0.996).astype("float32")
    for i, (side, stride, channels) in enumerate(KERNELS):
        case[f"kernel_{i}"] = rng.normal(size=(side, side, 3, channels)).astype("float32")
        case[f"bias_{i}"] = rng.normal(size=channels).astype("float32") * np.float32(0.2)
        case[f"stride_{i}"] = stride
    C, S, G = (
        _features(case, case[k].astype("float64"))
        for k in ("content_image", "style_image", "image")
    )
    for i in range(6):  # J grows with the 4th (style) and 2nd (content) power of the activations
        scale = (_style_cost(S[i], G[i])[0] / 0.25) ** -0.25
        if i == 5:
            scale = (((C[5] - G[5]) ** 2).mean() / 4) ** -0.5
        for key in (f"kernel_{i}", f"bias_{i}"):
            case[key] = case[key] * np.float32(scale)
    if explicit:
        alpha, ratio = rng.uniform((3, 1.5), (7, 3))  # ratio 4: to forget either would look alike
        case["alpha"], case["beta"] = float(np.float32(alpha)), float(np.float32(alpha * ratio))
    case["learning_rate"] = 0.03
    if optimizer == "sgd":
        case["learning_rate"] = 1.0
        gradient = _rollout(case)[0]["gradient"]
        case["learning_rate"] = float(np.float32(0.08 / abs(gradient).max()))
    return case


def cases_train_step(rng: np.random.Generator) -> list[dict]:
    """Adam with default weights, SGD (shows the gradient itself), and Adam inside tf.function."""
    return [
        _train_case(rng, (9, 7), "adam", 0, 0),
        _train_case(rng, (7, 8), "sgd", 1, 0),
        _train_case(rng, (8, 11), "adam", 1, 1),
    ]


def _step(case: dict, gradient: np.ndarray, state: dict) -> np.ndarray:
    """What the optimiser subtracts: SGD, or Adam (Kingma & Ba 2015) with Keras' defaults."""
    if case["optimizer"] == "sgd":
        return case["learning_rate"] * gradient
    state["t"] = t = state.get("t", 0) + 1
    state["m"] = 0.9 * state.get("m", 0) + 0.1 * gradient
    state["v"] = 0.999 * state.get("v", 0) + 0.001 * gradient**2
    rate = case["learning_rate"] * (1 - 0.999**t) ** 0.5 / (1 - 0.9**t)
    return rate * state["m"] / (state["v"] ** 0.5 + 1e-7)


def _rollout(case: dict) -> list[dict]:
    """Two right steps: image before, J, gradient, pixels after."""
    image, state, steps = case["image"].astype("float64"), {}, []
    for _ in range(2):
        terms = _terms(case, image)
        (J_c, g_c), (J_s, g_s) = terms["content"]["C"], terms["style"]["S"]
        gradient = case["alpha"] * g_c + case["beta"] * g_s
        after = (image - _step(case, gradient, state)).clip(0, 1)
        J = case["alpha"] * J_c + case["beta"] * J_s
        steps.append({"image": image, "terms": terms, "J": J, "gradient": gradient, "after": after})
        image = after
    return steps


def _pixels_same(case: dict, got, expected: np.ndarray, *gradients: np.ndarray) -> bool:
    """Equal where the gradient is not so small that rounding decides its sign (Adam divides by it)."""
    if got is None or got.shape != expected.shape or not np.isfinite(got).all():
        return False
    sure = np.ones(expected.shape, dtype=bool)
    limit = 1.5e-3  # SGD moves the pixels by 0.08 at most
    if case["optimizer"] == "adam":
        limit = 0.08 * case["learning_rate"]
        for gradient in gradients:
            sure &= abs(gradient) >= 0.1 * abs(gradient).max()
    return bool((abs(got - expected)[sure] <= limit).all())


# fmt: off
TRAIN_CONTENT = {
    "C": Mistake("", 2, 1, None, ""),
    "S": Mistake("train-content-target", 2, NO_GRADIENT, None, "the content cost compares G with the style image S: compare with a_C"),
    "fixed": Mistake("train-content-fixed", 2, FACTOR, None, "the content cost compares C with S, G does not appear in it: compare a_C with the activations of G"),
    "none": Mistake("train-no-content", 3, FACTOR, None, "the content term is missing"),
}
TRAIN_STYLE = {
    "S": Mistake("", 2, 1, None, ""),
    "C": Mistake("train-style-target", 2, NO_GRADIENT, None, "the style cost compares G with the content image C: compare with a_S"),
    "fixed": Mistake("train-style-fixed", 2, FACTOR, None, "the style cost compares S with C, G does not appear in it: compare a_S with the activations of G"),
    "none": Mistake("train-no-style", 3, FACTOR, None, "the style term is missing"),
}
TRAIN_WEIGHTS = {  # the case -> alpha and beta that count; "ignored" are the numbers always taken
    "": Mistake("", 3, 1, lambda c: (c["alpha"], c["beta"]), ""),
    "hard": Mistake("train-weights-ignored", 3, NO_GRADIENT, lambda c: c["ignored"], "alpha and beta are ignored: whatever is passed, J is the same. Pass both on to total_cost"),
    "hard-alpha": Mistake("train-alpha-ignored", 3, NO_GRADIENT, lambda c: (c["ignored_alpha"], c["beta"]), "alpha is ignored: pass on to total_cost what the caller gives (beta is passed on)"),
    "hard-beta": Mistake("train-beta-ignored", 3, NO_GRADIENT, lambda c: (c["alpha"], c["ignored_beta"]), "beta is ignored: pass on to total_cost what the caller gives (alpha is passed on)"),
    "swapped": Mistake("train-weights-swapped", 3, NO_GRADIENT, lambda c: (c["beta"], c["alpha"]), "alpha and beta are swapped (or J_content and J_style are)"),
    "hard-swapped": Mistake("train-weights-swapped", 3, NO_GRADIENT, lambda c: (40, 10), "alpha is always 40 and beta always 10: swapped, and the arguments are ignored"),
    "one": Mistake("train-no-weights", 3, FACTOR, lambda c: (1, 1), "alpha and beta are not used"),
    "alpha": Mistake("train-no-beta", 3, FACTOR, lambda c: (c["alpha"], 1), "beta is not used"),
    "beta": Mistake("train-no-alpha", 3, FACTOR, lambda c: (1, c["beta"]), "alpha is not used"),
}
TRAIN_UPDATES = (  # pixels before, what the optimiser subtracts -> pixels after
    Mistake("", 0, 1, lambda x, d: (x - d).clip(0, 1), ""),
    Mistake("train-no-clip", 5, NO_GRADIENT, lambda x, d: x - d, "the pixels leave [0, 1]: clip, and assign the clipped pixels to the variable itself, not to a new tensor"),
    Mistake("train-clip-255", 5, NO_GRADIENT, lambda x, d: (x - d).clip(0, 255), "pixels above 1 are kept: clip to [0, 1], not to 255 and not only from below"),
    Mistake("train-clip-above-only", 5, NO_GRADIENT, lambda x, d: (x - d).clip(-1, 1), "pixels below 0 are kept: clip to [0, 1]"),
    Mistake("train-not-applied", 4, PART, lambda x, d: x, "the image does not change: apply the gradient to the variable that is given, in place"),
    Mistake("train-ascent", 4, FACTOR, lambda x, d: (x + d).clip(0, 1), "the image moves up the gradient: the sign is turned round, J must fall"),
    Mistake("train-ascent+train-no-clip", 4, TWO, lambda x, d: x + d, "the image moves up the gradient (the sign is turned round), and it is not clipped"),
    Mistake("train-clip-before", 5, NO_GRADIENT, lambda x, d: x.clip(0, 1) - d, "the clipping comes before the step: clip afterwards"),
    Mistake("train-clip-other", 5, FACTOR, lambda x, d: (x - d).clip(-0.5, 0.5), "the pixels are clipped to another range than [0, 1]"),
    Mistake("train-step-doubled", 4, FACTOR, lambda x, d: (x - 2 * d).clip(0, 1), "the step is twice as large as it should be: is the gradient applied twice?"),
)
# fmt: on


RIGHT_COST = ("", "C", "S")  # the key of J itself


def _variants() -> list[tuple]:
    """All (weights, content, style) keys, the right one first, then the fewest mistakes first."""
    keys = itertools.product(TRAIN_WEIGHTS, TRAIN_CONTENT, TRAIN_STYLE)
    keys = [k for k in keys if k[1:] != ("none", "none")]
    return sorted(keys, key=lambda k: len(_variant_parts(k)))


def _variant_parts(key: tuple) -> list[Mistake]:
    parts = (TRAIN_WEIGHTS[key[0]], TRAIN_CONTENT[key[1]], TRAIN_STYLE[key[2]])
    return [part for part in parts if part.id]


def _variant(case: dict, terms: dict, key: tuple) -> tuple[float, np.ndarray]:
    """J and gradient under the wrong (or right) weights and targets of `key`."""
    a, b = TRAIN_WEIGHTS[key[0]].formula(case)
    (J_c, g_c), (J_s, g_s) = terms["content"][key[1]], terms["style"][key[2]]
    return a * J_c + b * J_s, a * g_c + b * g_s


def _ignored_weights(cases: list, facts: list, steps: list) -> dict:
    """The constant alpha, beta, or one of them, that give every J that was returned; else 10 and 40.

    Two cases of two steps each are four equations for one or two numbers.
    """
    found = {"ignored": (10, 40), "ignored_alpha": 10, "ignored_beta": 40}
    rows = []
    for case, fact, step in zip(cases, facts, steps):
        pixels = _number(fact, "pixels_1")
        if pixels is None or pixels.shape != step[0]["image"].shape or not abs(pixels).max() < 300:
            return found
        for n, terms in ((1, step[0]["terms"]), (2, _terms(case, pixels))):
            value = _number(fact, f"value_{n}")
            if value is None or value.shape != () or not np.isfinite(value):
                return found
            costs = [terms["content"]["C"][0], terms["style"]["S"][0]]
            rows.append([*costs, case["alpha"], case["beta"], float(value)])
    J_c, J_s, a, b, J = np.array(rows).T
    fit = np.linalg.lstsq(np.stack([J_c, J_s], axis=1), J, rcond=None)[0]
    fit_a, fit_b = (J - b * J_s) @ J_c / (J_c @ J_c), (J - a * J_c) @ J_s / (J_s @ J_s)
    known = ((40, 10), (1, 1))  # these have names of their own
    if (
        fit.min() > 1e-3
        and _same(fit @ [J_c, J_s], J)
        and not any(_near(fit[0], x) and _near(fit[1], y) for x, y in known)
    ):
        found["ignored"] = tuple(fit)
    if fit_a > 1e-3 and not _near(fit_a, 1) and _same(fit_a * J_c + b * J_s, J):
        found["ignored_alpha"] = fit_a
    if fit_b > 1e-3 and not _near(fit_b, 1) and _same(a * J_c + fit_b * J_s, J):
        found["ignored_beta"] = fit_b
    return found


def _style_weights(facts: list[dict]) -> list[list]:
    """The weights of the style layers that may be right: the notebook's own, and 0.2 five times."""
    found = []
    for key in ("style_weights_default", "style_weights_global"):
        own = _number(facts[0], key) if facts else None
        if own is None or own.ndim != 1 or not (own >= 0).all() or not 0.1 <= own.sum() <= 100:
            continue
        own = [*own[:5], 0, 0, 0, 0, 0][:5]  # layers left out do not count
        if sum(own) > 0 and own not in found:
            found.append([float(weight) for weight in own])
    equal = [STYLE_WEIGHT] * 5
    return found if equal in found else [*found, equal]


def _own_costs_finding(cases: list, facts: list, steps: list) -> Finding | None:
    """Are the student's earlier functions the ones to put right?"""
    wrong, follows, checked = [], 0, 0
    for case, fact, step in zip(cases, facts, steps):
        if case["graph"]:
            continue
        own = {k: _number(fact, "own_" + k) for k in ("content", "style", "total", "gradient")}
        if own["content"] is None or own["style"] is None or own["total"] is None:
            error = _text(fact, "own_error")
            if error and "NoneType' object is not callable" not in error:
                says = f"Your cost functions fail on this network ({error}): fix Exercises 1 to 4 first."
                return Finding("train-fix-costs", 2, 0, says)
            return None
        checked += 1
        J_c, J_s = step[0]["terms"]["content"]["C"][0], step[0]["terms"]["style"]["S"][0]
        wrong += [1] * (not _same(own["content"], J_c)) + [3] * (not _same(own["style"], J_s))
        wrong += [4] * (
            not _same(own["total"], case["alpha"] * own["content"] + case["beta"] * own["style"])
        )
        if own["gradient"] is None or not _same(own["gradient"], step[0]["gradient"], 2e-2):
            wrong += [] if wrong else [0]
        if (
            own["gradient"] is not None
            and own["gradient"].shape == step[0]["image"].shape
            and abs(own["gradient"]).any()
        ):
            after = (step[0]["image"] - _step(case, own["gradient"], {})).clip(0, 1)
            same = _pixels_same(case, _number(fact, "pixels_1"), after, own["gradient"])
            follows += same and own["total"] != 0 and _same(_number(fact, "value_1"), own["total"])
    if not wrong:
        return None
    which = ", ".join(str(n) for n in sorted(set(wrong)) if n) or "1 to 4 (the gradient)"
    which = which.replace("3", "3 (or 2)")
    if follows == checked:
        return Finding(
            "train-fix-costs",
            2,
            0.4,
            f"train_step itself looks right, but a cost that it calls is not: fix Exercise {which} first.",
        )
    return Finding(
        "train-fix-costs",
        2,
        0,
        f"A cost that train_step calls is not right yet: fix Exercise {which} first, then run this again.",
    )


def _train_update_finding(cases: list, facts: list, steps: list, cost_key: tuple) -> Finding | None:
    """Which gradient and which update give the pixels after the first step? None: the right ones."""
    pixels = [_number(fact, "pixels_1") for fact in facts]
    unused = all(
        _number(f, "iterations_1") is not None and not _number(f, "iterations_1").any()
        for f in facts
    )
    moved = [
        p is not None and p.shape == s[0]["image"].shape and abs(p - s[0]["image"]).max() > 1e-5
        for p, s in zip(pixels, steps)
    ]
    if unused and any(moved):
        return Finding(
            "train-own-optimizer",
            4,
            FACTOR,
            "the pixels move, but the optimizer that is given is not used (its step counter is 0): a new one forgets Adam's state",
        )
    keys = [cost_key] + [k for k in _variants() if k != cost_key]
    for key, update in itertools.product(keys, TRAIN_UPDATES):
        matches = 0
        for case, got, step in zip(cases, pixels, steps):
            gradient = _variant(case, step[0]["terms"], key)[1]
            if not gradient.any():
                break
            after = update.formula(step[0]["image"], _step(case, gradient, {}))
            if not _pixels_same(case, got, after, gradient):
                break
            matches += 1
        if matches == len(cases):
            if key == cost_key or update.id == "train-not-applied":
                return (
                    Finding(update.id, update.hint, update.credit, update.says)
                    if update.id
                    else None
                )
            parts = [p.says for p in _variant_parts(key)] + ([update.says] if update.id else [])
            says = (
                "the image moves along the gradient of another cost than J: in it, "
                + ", and ".join(parts or ["all is right"])
            )
            return Finding("train-gradient-of-part", 4, FACTOR, says)
    return Finding(
        "train-pixels",
        4,
        PART,
        "the pixels after the step are not those that one step of the optimizer gives",
    )


def _train_costs(cases: list, facts: list, steps: list) -> Iterator[tuple[Finding | None, tuple]]:
    """The costs that give the J of the first step, the likeliest first. (None, key) for the right one.

    Numbers are drawn, so two costs can agree by chance: only the pixels tell which one it is.
    """
    values = [_number(fact, "value_1") for fact in facts]

    def fitting(terms: list) -> Iterator[tuple]:
        for key in _variants():
            if all(_same(v, _variant(c, t, key)[0]) for v, c, t in zip(values, cases, terms)):
                yield key, _variant_parts(key)

    for key, parts in fitting([step[0]["terms"] for step in steps]):
        if not parts:
            yield None, key
            continue
        says = ", and ".join(p.says for p in parts)
        credit = parts[0].credit if len(parts) == 1 else TWO
        yield Finding("+".join(p.id for p in parts), parts[0].hint, credit, says), key
    pixels = [_number(fact, "pixels_1") for fact in facts]
    if all(
        p is not None and p.shape == s[0]["image"].shape and abs(p).max() < 300
        for p, s in zip(pixels, steps)
    ):
        for key, parts in fitting([_terms(case, p) for case, p in zip(cases, pixels)]):
            says = "J is computed after the step: return the J of the image before it"
            says += "".join(", and " + p.says for p in parts)
            ids = "+".join(["train-cost-after"] + [p.id for p in parts])
            yield Finding(ids, 6, TWO if parts else SLIP, says), key
    says = (
        "the J that is returned is not alpha J_content + beta J_style of the image before the step"
    )
    yield Finding("train-cost", 6, PART, says), RIGHT_COST


UNEARNED = ("train-pixels", "train-not-applied")  # without a right J these show nothing


def _train_finding(cases: list, facts: list, steps: list) -> Finding | None:
    """All that can be wrong with results that did arrive, the worst first."""
    kinds = {_text(f, f"kind_{n}", 40) for f in facts for n in (1, 2)}
    values = [_number(f, f"value_{n}") for f in facts for n in (1, 2)]
    costs = _train_costs(cases, facts, steps)
    cost, key = first = next(costs)
    update = _train_update_finding(cases, facts, steps, RIGHT_COST)
    if cost and update is None and "train-cost" not in cost.id:
        says = f"the image moves along the right gradient, but the J that is returned is another one: {cost.says}"
        cost = Finding("train-returns-part", 6, SLIP, says)
    elif update is not None:
        fitting = itertools.chain([first], costs)
        followed = (c for c in fitting if not _train_update_finding(cases, facts, steps, c[1]))
        cost, key = next(followed, first)
        update = _train_update_finding(cases, facts, steps, key)
    if any(v is None for v in values):
        found = _kind_finding("train_step", min(kinds & {"NoneType", "tuple", "list"} or kinds))
        credit = SLIP if update is None else 0 if update.id in UNEARNED else TWO
        more = "" if update is None else f" Besides, {update.says}."
        return Finding(found.id, 6, credit, found.says + more)
    if any(v.shape != () for v in values):
        return Finding(
            "train-not-a-scalar",
            6,
            SLIP if update is None else 0 if update.id in UNEARNED else TWO,
            f"train_step returns an array of shape {values[0].shape}: return the number J.",
        )
    if cost or update:
        both = [f for f in (cost, update) if f]
        says = ", and ".join(f.says for f in both)
        says = "In train_step " + says + "."
        credit = both[0].credit if len(both) == 1 else TWO
        if {"train-cost"} < {f.id for f in both} and update.id in UNEARNED:
            credit = 0
        return Finding("+".join(f.id for f in both), both[0].hint, credit, says)
    for case, fact in zip(cases, facts):
        for i in range(6):
            if not all(
                _same(_number(fact, k), case[k], 1e-6) for k in (f"kernel_{i}", f"bias_{i}")
            ):
                return Finding(
                    "train-network-changed",
                    4,
                    FACTOR,
                    "The weights of the network change: only the image may, so take the gradient with respect to generated_image alone.",
                )
    for case, fact, step in zip(cases, facts, steps):
        if not _pixels_same(
            case,
            _number(fact, "pixels_2"),
            step[1]["after"],
            step[0]["gradient"],
            step[1]["gradient"],
        ):
            return Finding(
                "train-second-step",
                4,
                FACTOR,
                "The first step is right, the second is not: Adam's state must be kept in the optimizer that is given.",
            )
        if not _same(_number(fact, "value_2"), step[1]["J"], 1e-2):
            return Finding(
                "train-second-cost",
                6,
                FACTOR,
                "The J of the first step is right, the J of the second is not: does something remember the first image?",
            )
    return None


def judge_train_step(cases: list[dict], observations: list[dict]) -> Verdict:
    """Right with one of the weights of the style layers that the student may use, or what is wrong."""
    facts = _clean(cases, observations)
    if facts is None:
        found = Finding("train-malformed", 1, 0, "The observations are malformed.")
        return _verdict("train_step", found)
    given, cases = cases, [_with_defaults(case, fact) for case, fact in zip(cases, facts)]
    verdicts = []
    for weights in _style_weights(facts):
        verdicts.append(_judge_train_step([c | {"style_weights": weights} for c in cases], facts))
        if not verdicts[-1].mistake:
            return verdicts[-1]
    own = [_number(facts[0], "default_" + key) for key in ("alpha", "beta")]
    if cases == given and all(n is not None and n.shape == () for n in own):  # no fair choice
        own = {"alpha": float(own[0]), "beta": float(own[1]), "style_weights": [STYLE_WEIGHT] * 5}
        unfair = [case if case["explicit"] else case | own for case in given]
        if (own["alpha"], own["beta"]) != (10, 40) and not _judge_train_step(unfair, facts).mistake:
            says = "It is right when alpha and beta are given, but the defaults of the def line are not alpha=10, beta=40 any more."
            return _verdict("train_step", Finding("train-defaults", 3, SLIP, says))
    return verdicts[0]


def _judge_train_step(cases: list[dict], facts: list[dict]) -> Verdict:
    """J before the step, the pixels after two steps, the network untouched."""
    name = "train_step"
    steps = [_rollout(case) for case in cases]
    eager = [i for i, case in enumerate(cases) if not case["graph"]]
    shown = [_show_both(steps[i][0]["J"], _number(facts[i], "value_1")) for i in eager]
    show = next(
        (both for both in shown if both[0]), ("", "")
    )  # none: J is right, the pixels are not
    own = _own_costs_finding(cases, facts, steps)
    errors = [i for i in eager if _text(facts[i], "error_type")]
    if errors:
        found = _error_finding(name, facts[errors[0]], [facts[i] for i in errors], None)
        stub = "NotImplementedError" in _text(facts[errors[0]], "error_text")
        found = own if own and not stub else found
        J = _show(np.array(steps[errors[0]][0]["J"]))
        return _verdict(name, found, J, _text(facts[errors[0]], "error_type"))
    few = [[part[i] for i in eager] for part in (cases, facts, steps)]
    ignored = _ignored_weights(*few)
    cases = [case | ignored for case in cases]
    few[0] = [cases[i] for i in eager]
    found = _train_finding(*few)
    if found is None and len(eager) < len(cases):
        i = next(i for i in range(len(cases)) if i not in eager)
        inside = _train_finding([cases[i]], [facts[i]], [steps[i]])
        error = _text(facts[i], "error_message")
        if _text(facts[i], "error_type") or inside is not None:
            says = f"It works when called directly, but not inside tf.function ({error or inside.says}): stay in TensorFlow, no float() or NumPy."
            found = Finding("train-not-in-graph", 6, SLIP, says)
    if found is not None and own is not None:
        found = own
    return _verdict(name, found, *show) if found else _verdict(name, None)


# --- What the student calls ----------------------------------------------------------------------


@dataclass(frozen=True)
class Exercise:
    """The three parts of a checkpoint."""

    name: str
    cases: Callable[[np.random.Generator], list[dict]]
    observe: Callable[..., dict]
    _judge: Callable[[list, list], Verdict]

    @property
    def points(self) -> int:
        return EXERCISES[self.name]

    def judge(self, cases: list[dict], observations: list[dict]) -> Verdict:
        """The verdict; never an exception, whatever the observations are."""
        try:
            with np.errstate(all="ignore"):
                return self._judge(cases, observations)
        except Exception as error:
            says = f"The observations are malformed ({type(error).__name__})."
            return _verdict(self.name, Finding(f"{SHORT[self.name]}-malformed", 1, 0, says))


REGISTRY = {
    exercise.name: exercise
    for exercise in (
        Exercise(
            "compute_content_cost",
            cases_compute_content_cost,
            observe_compute_content_cost,
            judge_compute_content_cost,
        ),
        Exercise("gram_matrix", cases_gram_matrix, observe_gram_matrix, judge_gram_matrix),
        Exercise(
            "compute_layer_style_cost",
            cases_compute_layer_style_cost,
            observe_compute_layer_style_cost,
            judge_compute_layer_style_cost,
        ),
        Exercise("total_cost", cases_total_cost, observe_total_cost, judge_total_cost),
        Exercise("train_step", cases_train_step, observe_train_step, judge_train_step),
    )
}

# The second stage of each hint: shown when the same mistake comes again. Never the solution.
MORE = {
    "compute_content_cost": (
        "Lists count from the end with negative indices. Print len(content_output) and the shape of what you picked.",
        "a.shape has four entries: 1, n_H, n_W, n_C. Print them beside the ones that you use.",
        "Work one small example by hand: activations 1, 2 against 3, 5 differ by -2, -3; what must be summed is 4 and 9.",
        "Python reads a / b * c as (a / b) * c. Print your denominator alone for a layer of shape (1, 2, 3, 5): it must be 120.",
    ),
    "gram_matrix": (
        "Work one small example by hand: for A = [[1, 2], [3, 4]] the result is [[5, 11], [11, 25]].",
        "Print the shapes of both factors: (n_C, positions) times (positions, n_C) gives (n_C, n_C).",
        "Every step must be a TensorFlow operation on A, and nothing may follow the product.",
    ),
    "compute_layer_style_cost": (
        "a.shape has four entries: 1, n_H, n_W, n_C. As plain Python numbers they cannot overflow.",
        "reshape never moves a number, it only cuts the same row of numbers elsewhere. Try both orders on an array 0, 1, 2 ... of shape (1, 2, 2, 3): a row of the matrix must hold one channel, 0, 3, 6, 9.",
        "Print the shapes: both Gram matrices are (n_C, n_C), one from a_S and one from a_G.",
        "Subtract the two matrices, square every entry, then sum to one number.",
        "Print your denominator alone for a layer of shape (1, 2, 3, 5): it must be 3600.",
    ),
    "total_cost": (
        "Work one example by hand: J_content = 2, J_style = 3, alpha = 5, beta = 7 give 31.",
    ),
    "train_step": (
        "Indent under `with tf.GradientTape() as tape:` all that leads from the image to J, the call of vgg first.",
        "Of the three pictures C, S and G, which two does each cost compare? G must be in both.",
        "total_cost takes four arguments. Call train_step with alpha=0 and see what J is.",
        "The optimizer takes a list of (gradient, variable) pairs, and only one variable is painted on.",
        "Print the smallest and the largest pixel after a step. A tensor has no assign, a tf.Variable has.",
        "J belongs to the image before the step: keep it while the image changes, and return it.",
    ),
}


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
    lines += [f"  {verdict.diagnosis}", f"  Read {verdict.hint} again."]
    if again:
        number = int(verdict.hint.split()[1])
        lines.append(f"  More: {MORE[verdict.exercise][number - 1]}")
    return "\n".join(lines)


def _check(name: str, fn: Callable) -> int:
    """Cases, observations, verdict; then print, record, and raise if it is not right."""
    _import_tensorflow()
    exercise = REGISTRY[name]
    cases = exercise.cases(np.random.default_rng())
    verdict = exercise.judge(cases, [exercise.observe(fn, case) for case in cases])
    again = _seen.get(name) == verdict.mistake != ""
    _seen[name] = verdict.mistake
    _results[name] = verdict
    text = explain(verdict, again)
    partly = verdict.points > 0 and os.environ.get("NBGRADER_EXECUTION") == "autograde"
    if not verdict.mistake or partly:  # nbgrader reads partial credit from the value of the cell
        notebook = type(sys.stdout).__module__.startswith("ipykernel")  # no terminal, no file
        print(text if verdict.mistake or not notebook else f"\x1b[1;32m{text}\x1b[0m")  # green
        return verdict.points
    if verdict.mistake.endswith("-not-written"):  # not a mistake: the stub says what to do next
        number = list(EXERCISES).index(name) + 1
        raise NotImplementedError(f"Exercise {number}: {name}")
    raise CheckpointError(text, verdict)


def compute_content_cost(fn: Callable) -> int:
    """Exercise 1. Returns the points, or raises `CheckpointError`."""
    return _check("compute_content_cost", fn)


def gram_matrix(fn: Callable) -> int:
    """Exercise 2. Returns the points, or raises `CheckpointError`."""
    return _check("gram_matrix", fn)


def compute_layer_style_cost(fn: Callable) -> int:
    """Exercise 3. Returns the points, or raises `CheckpointError`."""
    return _check("compute_layer_style_cost", fn)


def total_cost(fn: Callable) -> int:
    """Exercise 4. Returns the points, or raises `CheckpointError`."""
    return _check("total_cost", fn)


def train_step(fn: Callable) -> int:
    """Exercise 5. Returns the points, or raises `CheckpointError`."""
    return _check("train_step", fn)


def score() -> int:
    """Print the table so far, and return the total out of 100."""
    print(f"{'exercise':<28}{'points':>6}{'of':>6}")
    for name, possible in EXERCISES.items():
        points = str(_results[name].points) if name in _results else "-"
        print(f"{name:<28}{points:>6}{possible:>6}")
    total = sum(verdict.points for verdict in _results.values())
    print(f"{'total':<28}{total:>6}{sum(EXERCISES.values()):>6}")
    return total
