"""Exercise 4: right and wrong total costs."""

from __future__ import annotations

import pytest
from mistakes import answer
from trials import Trials, fresh, is_named, judge_wrong


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


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("key", ["wrong_float16_inside", "wrong_two_decimals"])
def test_the_numbers_drawn_do_not_decide_the_points(key, seed):
    """One case is always beyond float16; and of large numbers float32 holds no two decimals."""
    fn = answer("total_cost", key)
    assert is_named(fn, judge_wrong("total_cost", fn, fresh("total_cost", seed)))
