"""Exercise 3: right and wrong style costs of a layer."""

from __future__ import annotations

import pytest
from trials import Trials


class TestLayerStyleCost(Trials):
    name = "compute_layer_style_cost"
    slow_in_graphs = ("right_rows", "right_loop_over_channels")

    @pytest.mark.parametrize(
        ("key", "points"), [("wrong_reshape_only", 12), ("wrong_reshape_only_no_quarter", 5)]
    )
    def test_partial_credit(self, key, points, verdicts):
        assert verdicts[key][1].points == points
