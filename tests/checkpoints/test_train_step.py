"""Exercise 5: right and wrong steps."""

from __future__ import annotations

import pytest
import tensorflow as tf
from mistakes import answer, answers
from trials import Trials, fresh, is_named, judge, judge_wrong

import checkpoints
from checkpoints.tiny_network import rollout


class TestTrainStep(Trials):
    name = "train_step"
    other_in_graphs = ("wrong_float_before_gradient",)  # there it is a right one

    def test_right_is_right(self, capsys):
        """The whole checkpoint with every fifth; the case inside tf.function takes its time."""
        for number, (key, fn) in enumerate(answers(self.name, "right_").items()):
            if number % 5:
                verdict = judge(self.name, fn, fresh(self.name)[:2], both=False)
                assert verdict.mistake == "", (key, verdict)
            else:
                assert checkpoints.train_step(fn) == 25, key
                assert capsys.readouterr().out == "train_step: right. 25 of 25 points.\n", key

    @pytest.mark.slow
    def test_every_right_one_earns_all_points(self):
        for key, fn in answers(self.name, "right_").items():
            assert checkpoints.train_step(fn) == 25, key

    def test_right_inside_tf_function(self):
        """Two of them: tracing takes seconds here."""
        for key in ("right_plain", "right_keywords"):
            fn = answer(self.name, key)
            verdict = judge(self.name, tf.function(fn), self.cases_in_graphs())
            assert verdict.mistake == "", (key, verdict)

    def test_wrong_inside_tf_function(self):
        case = fresh(self.name)[0]
        for key, fn in list(answers(self.name, "wrong_").items())[::20]:
            if key in self.other_in_graphs:
                continue
            on_all = key == "wrong_defaults" or "train-further-term" in fn.mistakes
            cases = fresh(self.name) if on_all else [case]
            assert judge(self.name, tf.function(fn), cases).mistake, key

    @pytest.mark.parametrize(
        ("key", "points"),
        [
            ("wrong_no_clip", 15),
            ("wrong_cost_after", 20),
            ("wrong_own_content", 20),
            ("wrong_pass", 0),
        ],
    )
    def test_partial_credit(self, key, points, verdicts):
        assert verdicts[key][1].points == points

    @pytest.mark.parametrize("forgotten", ["alpha", "beta"])
    def test_one_weight_forgotten_earns_no_less_than_both(self, forgotten, verdicts):
        one, both = (verdicts[f"wrong_{w}_not_passed"][1] for w in (forgotten, "weights"))
        assert one.points >= both.points > 0
        assert f"{forgotten} is" in one.diagnosis


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("forgotten", ["alpha", "beta"])
def test_two_costs_that_agree_by_chance_are_told_apart_by_the_pixels(forgotten, seed):
    cases = fresh("train_step", seed)
    case = cases[0]  # the one with weights of its own, outside tf.function
    terms = rollout(case)[0]["terms"]
    J_content, J_style = terms["content"]["C"][0], terms["style"]["S"][0]
    case["beta"] = ((case["alpha"] - 10) * J_content + 40 * J_style) / J_style
    fn = answer("train_step", f"wrong_{forgotten}_not_passed")
    assert judge_wrong("train_step", fn, cases).mistake == f"train-{forgotten}-ignored"


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("key", ["wrong_gradient_cut_to_a_norm", "wrong_only_while_J_falls"])
def test_the_numbers_drawn_do_not_decide_the_points(key, seed):
    """A tiny move is lost in float32; and one who remembers moves nothing when asked again."""
    fn = answer("train_step", key)
    assert is_named(fn, judge_wrong("train_step", fn, fresh("train_step", seed)))
