"""Exercise 1: right and wrong content costs."""

from __future__ import annotations

import pytest
from mistakes import answer
from trials import Trials, fresh, is_named, judge_wrong


class TestContentCost(Trials):
    name = "compute_content_cost"
    slow_in_graphs = ("right_loop",)
    other_in_graphs = ("wrong_float",)  # in a graph float() is a cast, and right

    @pytest.mark.parametrize(
        ("key", "points"), [("wrong_no_quarter", 7), ("wrong_numpy", 9), ("wrong_stub", 0)]
    )
    def test_partial_credit(self, key, points, verdicts):
        assert verdicts[key][1].points == points


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("key", ["wrong_tf_subtract_lists", "wrong_two_layers_mixed"])
def test_layers_of_one_shape_do_not_hide_the_mistake(key, seed):
    """With seed 3 some lists have one layer, or several of one shape, and no error there."""
    fn = answer("compute_content_cost", key)
    assert is_named(
        fn, judge_wrong("compute_content_cost", fn, fresh("compute_content_cost", seed))
    )
