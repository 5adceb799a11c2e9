"""What the student's text tells: causes, and what is remembered; nothing where it is no text."""

from __future__ import annotations

import numpy as np
import pytest

import checkpoints
from checkpoints.causes import with_cause
from checkpoints.source import from_the_source
from checkpoints.verdict import Finding

STYLE = checkpoints.REGISTRY["compute_layer_style_cost"]
CONTENT = checkpoints.REGISTRY["compute_content_cost"]
STEP = checkpoints.REGISTRY["train_step"]


def told(exercise: checkpoints.Exercise, body: str, finding: str = "wrong-value") -> Finding:
    """The finding with its cause, for a function with this body."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    fact = {"source": f"def fn(a_S, a_G, seen=[]):\n{lines}"}
    return with_cause(exercise, fact, exercise.finding(finding, 0, 0.3, "Something is wrong."))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("tf.transpose(a_S)\nreturn a_S", "`tf.transpose(a_S)`: the result goes nowhere"),
        ("return a_S\n- a_G", "`- a_G` stands after the return and is never run: put brackets"),
        ("J = a_S\n+ a_G\nreturn J", "`+ a_G` is a line of its own"),
        ("a_S.assign = a_G", "= replaces assign instead of calling it"),
        ("for i in range(3):\n    J = a_S[i]\n    return J", "stands inside the loop"),
        ("n_H, n_W, n_C, _ = a_S.shape\nreturn n_C", "read in another order"),
        ("n_C = a_S.shape[1]\nreturn n_C", "`n_C = a_S.shape[1]`: the shape is"),
        ("G = a_S @ a_S\nG2 = a_G @ a_G\nreturn G", "G2, from `G2 = a_G @ a_G`, is not used"),
        ("J = a_S\nJ =- a_G\nreturn J", "=+ and =- set the name anew"),
        ("a_S.assign\nreturn a_S", "stands there without its brackets"),
        ("return keras.losses.KLDivergence()(a_S @ a_S, a_G)", "another loss than the sum"),
        ("a_S = tf.sort(a_S @ a_G)\nreturn a_S", "what is sort for?"),
        ("return tf.reduce_sum(a_S - a_G)", "gram_matrix is never called"),
        ("m, s = tf.nn.moments(a_S, 1)\nreturn m", "Means, variances or standard deviations"),
    ],
)
def test_causes(body, says):
    assert says in told(STYLE, body).says


@pytest.mark.parametrize(
    "body",
    [
        "tf.print(a_S)\ntf.debugging.assert_shapes([])\nreturn a_S @ a_G",
        "_, n_H, n_W, n_C = a_S.shape\nreturn a_S @ a_G",
        "n_C, _, n_H, n_W = tf.transpose(a_S).shape\nreturn a_S @ a_G",
        "if len(a_S):\n    return a_S @ a_G\nreturn a_G",
        "for i in range(3):\n    if i:\n        return a_S @ a_G",
        "def inner(x):\n    return x\nreturn inner(a_S) + gram_matrix(a_G)",
    ],
)
def test_what_is_no_cause_is_not_told(body):
    assert told(STYLE, body).says == "Something is wrong."


def test_a_sum_that_each_turn_sets_anew():
    loop = "J = 0.0\nfor i in {over}:\n    {line}\nreturn J"
    body = loop.format(over="range(3)", line="J = tf.reduce_sum(a_S[i])")
    assert told(CONTENT, body).id == "content-overwritten"
    for over, line in (
        ("range(3)", "J = J + tf.reduce_sum(a_S[i])"),
        ("range(3)", "J += tf.reduce_sum(a_S[i])"),
        ("a_S", "J = tf.reduce_sum(i)"),  # the last layer is the right one
        ("range(len(a_S))", "J = tf.reduce_sum(a_S[i])"),
    ):
        assert told(CONTENT, loop.format(over=over, line=line)).id == "content-wrong-value"


@pytest.mark.parametrize(
    ("body", "remembers"),
    [
        ("global best\nbest = a_S", True),
        ("state['best'] = a_S\nreturn state['best']", True),
        ("fn.best = a_S", True),
        ("if history and a_S > history[-1]:\n    pass\nhistory.append(a_S)", True),
        ("seen.append(1)\nreturn len(seen)", True),
        ("history.append(a_S)\nreturn a_S", False),  # a list of the costs, for a plot
        ("rows = []\nrows.append(a_S)\nreturn tf.stack(rows)", False),
        ("a = {}\na['x'] = a_S\nreturn a['x']", False),
    ],
)
def test_what_outlives_the_call(body, remembers):
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    found = from_the_source(STEP, {"source": f"def fn(a_S, a_G, seen=[]):\n{lines}"})
    assert bool(found) == remembers


def test_no_text_tells_nothing():
    found = STYLE.finding("wrong-value", 0, 0.3, "Something is wrong.")
    texts = ("", "lambda a: a", "def fn(", "(" * 9000, "-" * 9000 + "1", "\x00")
    for source in (None, 3, np.zeros(3), b"def", *texts):
        assert with_cause(STYLE, {"source": source}, found) == found
        assert from_the_source(STYLE, {"source": source}) is None


def test_a_text_that_is_nested_on_purpose_does_no_harm():
    for depth in (90, 400, 800, 2000):
        body = f"J = 0\nfor i in a_S:\n    J = {'-' * depth}tf.square(i)\nreturn J"
        assert told(STYLE, body).credit == 0.3, depth
