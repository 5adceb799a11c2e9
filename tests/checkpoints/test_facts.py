"""Reading and showing numbers."""

from __future__ import annotations

import numpy as np

from checkpoints.facts import number, same, show_both, text


def test_expected_and_got_can_be_told_apart():
    assert show_both(20, np.array(20.1)) == ("20", "20.1")
    assert show_both(1e8, np.array(1e8)) == ("", "")
    far = np.eye(3), np.diag([1.0, 1, 4])
    assert show_both(*far)[1] == "shape (3, 3), at [2, 2]: 4"


def test_what_is_no_number_is_none():
    for value in (None, "1", [1], True, np.array(["1"]), np.array(True), np.array(1j)):
        assert number({"value": value}, "value") is None
    assert number({}, "value") is None
    assert number({"value": np.float32(2)}, "value") == 2


def test_the_last_line_of_an_error_is_shown():
    facts = {"error_message": "first\n  last\x00\n", "kind": 3}
    assert text(facts, "error_message") == "last"
    assert text(facts, "kind") == text(facts, "nothing") == ""


def test_an_array_in_the_last_line_of_an_error_is_left_out():
    """As TensorFlow prints a variable that it does not take: the sentence goes on behind it."""
    array = "[[[ 2.2033155e-01  2.6566416e-01]\n  [-1.9e+00 5.8e-02]\n  [ 1.8e-01 -2.4983615e-02]]]"
    facts = {"error_message": f"Passed in <Variable value={array}> of type 'Variable', not this."}
    assert (
        text(facts, "error_message")
        == "Passed in <Variable value=[...]> of type 'Variable', not this."
    )
    facts = {"error_message": "first\n[2, 3] and [4, 5] do not fit"}
    assert text(facts, "error_message") == "[2, 3] and [4, 5] do not fit"


def test_same_wants_the_same_shape():
    assert same(np.array([1.001]), [1.0])
    assert not same(np.array(1.0), [1.0])
    assert not same(np.array([np.nan]), [1.0])
    assert not same(np.array([1.1]), [1.0])
