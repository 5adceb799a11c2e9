"""A function counts for itself, also when an earlier exercise, which it calls, is wrong."""

from __future__ import annotations

import pytest
import tensorflow as tf
from mistakes import answer, rebind
from trials import fresh, judge_wrong, observed

import checkpoints
from checkpoints import limits, observe


def endless(*arguments):
    while True:
        tf.constant(0.0)


def test_a_gram_matrix_without_end_costs_exercise_3_little(monkeypatch):
    monkeypatch.setattr(limits, "SECONDS", 0.5)
    observe.start()
    style = rebind(answer("compute_layer_style_cost", "wrong_own_gram_stub"), gram_matrix=endless)
    verdict = judge_wrong("compute_layer_style_cost", style, fresh("compute_layer_style_cost"))
    assert verdict.mistake == "style-fix-gram" and verdict.points == 20
    assert "does not come to an end" in verdict.diagnosis and "fix Exercise 2" in verdict.diagnosis


def test_a_content_cost_without_end_costs_exercise_5_little(monkeypatch):
    monkeypatch.setattr(limits, "SECONDS", 0.5)
    observe.start()
    step = rebind(answer("train_step", "right_plain"), compute_content_cost=endless)
    verdict = judge_wrong("train_step", step, fresh("train_step"))
    assert verdict.mistake == "train-fix-costs" and verdict.points == 20
    assert "does not come to an end" in verdict.diagnosis and "fix Exercise 1" in verdict.diagnosis


@pytest.mark.parametrize(
    ("key", "mistake", "words"),
    [
        ("wrong_own_style", "train-fix-costs", ["itself is right", "fix Exercise 3"]),
        (
            "wrong_no_clip_above_scrambled",
            "train-no-clip+train-fix-costs",
            ["the pixels leave [0, 1]", "Besides", "fix Exercise 3"],
        ),
        ("wrong_no_clip_content_not_called", "train-no-clip", ["the pixels leave [0, 1]"]),
    ],
)
def test_the_sentence_says_what_is_to_be_done_where(key, mistake, words):
    verdict = judge_wrong("train_step", answer("train_step", key), fresh("train_step"))
    assert verdict.mistake == mistake
    assert all(word in verdict.diagnosis for word in words), verdict.diagnosis
    assert ("Exercise" in verdict.diagnosis) == ("fix-costs" in mistake)


def test_the_notebook_is_as_before():
    """The stand-ins are taken away again, and no function keeps one."""
    step = rebind(answer("train_step", "right_plain"))
    before = dict(step.__globals__)
    observed("train_step", step, fresh("train_step")[1:2])
    assert step.__globals__ == before
    assert not tf.config.functions_run_eagerly()


def test_stand_ins_are_no_answers():
    """What is in the student's kernel earns nothing."""
    cases = fresh("gram_matrix")
    assert judge_wrong("gram_matrix", observe._gram_stand_in, cases).points == 0
    stand_ins = observe._cost_stand_ins(
        answer("train_step", "right_plain"), {"stand_in_content": 1.0, "stand_in_style": 1.0}
    )
    for name, stand_in in stand_ins.items():
        verdict = judge_wrong(name, stand_in, fresh(name))
        assert verdict.mistake and verdict.points <= checkpoints.EXERCISES[name] / 2, name
