"""Exercise 3: right and wrong style costs of a layer."""

from __future__ import annotations

import pytest
from mistakes import answer
from trials import Trials, fresh, is_named, judge

from checkpoints import layer_style_cost


class TestLayerStyleCost(Trials):
    name = "compute_layer_style_cost"
    slow_in_graphs = ("right_rows", "right_loop_over_channels")

    @pytest.fixture(scope="class", autouse=True)
    def formulas_once(self):
        """All wrong functions are asked on the same cases, so what the formulas give is known."""
        formulas, known = layer_style_cost._bases, {}

        def remembered(pairs):
            key = tuple(a.tobytes() for pair in pairs for a in pair)
            if key not in known:
                known[key] = list(formulas(pairs))
            return known[key]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(layer_style_cost, "_bases", remembered)
            yield

    @pytest.mark.parametrize(
        ("key", "points"), [("wrong_reshape_only", 12), ("wrong_reshape_only_no_quarter", 5)]
    )
    def test_partial_credit(self, key, points, verdicts):
        assert verdicts[key][1].points == points


def test_a_power_sign_is_told_of_only_where_there_is_one():
    """4 n_C² n_H n_W ^ 2 is nearly 4 n_C² n_H n_W: on the sizes of this seed the numbers agree."""
    fn = answer("compute_layer_style_cost", "wrong_positions_not_squared")
    cases = [case for case in fresh("compute_layer_style_cost", 12) if not case["graph"]]
    assert is_named(fn, judge("compute_layer_style_cost", fn, cases))
