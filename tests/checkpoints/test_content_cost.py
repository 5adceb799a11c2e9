"""Exercise 1: right and wrong content costs."""

from __future__ import annotations

import pytest
from trials import Trials


class TestContentCost(Trials):
    name = "compute_content_cost"
    slow_in_graphs = ("right_loop",)
    other_in_graphs = ("wrong_float",)  # in a graph float() is a cast, and right

    @pytest.mark.parametrize(
        ("key", "points"), [("wrong_no_quarter", 7), ("wrong_numpy", 9), ("wrong_stub", 0)]
    )
    def test_partial_credit(self, key, points, verdicts):
        assert verdicts[key][1].points == points
