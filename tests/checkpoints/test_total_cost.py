"""Exercise 4: right and wrong total costs."""

from __future__ import annotations

import pytest
from trials import Trials, fresh


class TestTotalCost(Trials):
    name = "total_cost"
    other_in_graphs = (
        "right_tf_ops",  # inside tf.function, tf.multiply(10, J) needs two dtypes
        "wrong_float",  # in a graph float() is a cast, and right
        "wrong_content_detached",
    )

    def cases_in_graphs(self):
        return fresh(self.name)[::2]

    @pytest.mark.parametrize(
        ("key", "points"), [("wrong_swapped", 7), ("wrong_own_defaults_hard_coded_swapped", 3)]
    )
    def test_partial_credit(self, key, points, verdicts):
        assert verdicts[key][1].points == points

    @pytest.mark.parametrize("forgotten", ["alpha", "beta"])
    def test_one_weight_forgotten_earns_no_less_than_both(self, forgotten, verdicts):
        one, both = verdicts[f"wrong_no_{forgotten}"][1], verdicts["wrong_no_weights"][1]
        assert one.points >= both.points > 0
        assert f"{forgotten} is" in one.diagnosis
