"""Exercise 2: right and wrong Gram matrices."""

from __future__ import annotations

import pytest
from trials import Trials, fresh, judge


class TestGramMatrix(Trials):
    name = "gram_matrix"
    slow_in_graphs = ("right_rows",)
    other_in_graphs = ("wrong_calls_itself",)  # AutoGraph takes five seconds to find that out
    other_by_numbers = ("wrong_fixed_range",)  # an index too large, or a shape, by the channels

    @pytest.mark.parametrize(
        ("key", "points"), [("wrong_divided_by_positions", 10), ("wrong_elementwise", 0)]
    )
    def test_partial_credit(self, key, points, verdicts):
        assert verdicts[key][1].points == points

    def test_shape_is_named_in_words(self, verdicts):
        verdict = verdicts["wrong_transposed_first"][1]
        assert "(n_H*n_W, n_H*n_W)" in verdict.diagnosis
        assert verdict.hint == "hint 2 of Exercise 2"

    def test_numpy_names_are_translated(self, verdicts):
        """TensorFlow's own message suggests its NumPy behaviour, which would change every dtype."""
        for key, (fn, verdict) in verdicts.items():
            if "as-in-numpy" in fn.mistakes[0]:
                assert ": use tf." in verdict.diagnosis, key
                assert "experimental" not in verdict.diagnosis, key


def test_error_shows_the_line():
    def gram_matrix(A):
        return A @ A.T

    verdict = judge("gram_matrix", gram_matrix, fresh("gram_matrix"))
    line = gram_matrix.__code__.co_firstlineno + 1
    assert f"line {line}, `return A @ A.T`" in verdict.diagnosis
