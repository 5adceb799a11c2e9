"""What the tests of the five exercises share: right is right, wrong is wrong and named."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf
from mistakes import answers

import checkpoints
from checkpoints import observe
from checkpoints.rounds import is_late


def fresh(name: str, seed: int = 0) -> list[dict]:
    """Cases of one seed: a test that draws its numbers would one day be red for no reason."""
    return checkpoints.REGISTRY[name].cases(np.random.default_rng(seed))


def observed(name: str, fn: Callable, cases: list[dict], both: bool = True) -> list[dict]:
    """All facts about `fn`: of both rounds, or of the first alone."""
    rounds = [observers[name] for observers in observe.OBSERVERS.values() if name in observers]
    rounds = rounds if both else rounds[:1]
    facts = ([observer(fn, case) for observer in rounds] for case in cases)
    return [{key: fact for one in few for key, fact in one.items()} for few in facts]


def judge(name: str, fn: Callable, cases: list[dict], both: bool = True) -> checkpoints.Verdict:
    """Observe `fn` on `cases`, and judge."""
    return checkpoints.REGISTRY[name].judge(cases, observed(name, fn, cases, both))


def judge_wrong(
    name: str, fn: Callable, cases: list[dict], both: bool = True
) -> checkpoints.Verdict:
    """Like `judge`, but the late cases only where the others find nothing, as `rounds` does."""
    verdict = judge(name, fn, [case for case in cases if not is_late(case)], both)
    return verdict if verdict.mistake else judge(name, fn, cases)


def one_of_each(name: str) -> dict[str, Callable]:
    """The first wrong answer with each mistake: what the others have is known after it.

    The long form, with other numbers, asks them all.
    """
    seen, found = set(), {}
    for key, fn in answers(name, "wrong_").items():
        if fn.mistakes not in seen or calls_others(fn):
            found[key] = fn
        seen.add(fn.mistakes)
    return found


class Verdicts(dict):
    """Name -> (function, verdict) for wrong answers to an exercise, each asked once.

    The second round is about the functions that a wrong one calls. Where these are right it changes
    nothing: every sixth shows that here, and all of them in the long form with other numbers.
    """

    def __init__(self, name: str) -> None:
        self.name, self.cases = name, fresh(name)

    def __missing__(self, key: str) -> tuple:
        fn = answers(self.name, key)[key]
        both = len(self) % 6 == 0 or calls_others(fn)
        self[key] = fn, judge_wrong(self.name, fn, self.cases, both)
        return self[key]


@functools.cache
def verdicts_of(name: str) -> Verdicts:
    """Those of one answer with each mistake, and of others once they are looked for."""
    found = Verdicts(name)
    for key in one_of_each(name):
        assert found[key]
    return found


def calls_others(fn: Callable) -> bool:
    """Does it call other functions than those of its module, or is it none that shows them?"""
    return getattr(fn, "__globals__", None) is not vars(sys.modules[fn.__module__])


def is_named(fn: Callable, verdict: checkpoints.Verdict) -> bool:
    """Does the verdict name one of the mistakes that the function carries, and no other?"""
    found = set(verdict.mistake.split("+"))
    return any(set(wanted.split("+")) == found for wanted in fn.mistakes)


class Trials:
    """The tests of one exercise. A subclass gives its name, and what is special about it."""

    name: str
    slow_in_graphs: tuple[str, ...] = ()  # right, and hundreds of nodes for every shape
    other_in_graphs: tuple[str, ...] = ()  # another answer inside tf.function
    other_by_numbers: tuple[str, ...] = ()  # another of its names, for as many points

    @pytest.fixture
    def verdicts(self) -> dict:
        """Name -> (function, verdict) for all wrong functions, called directly."""
        return verdicts_of(self.name)

    def cases_in_graphs(self) -> list[dict]:
        """Tracing takes its time: few cases are enough to show that nothing depends on it."""
        cases = fresh(self.name)
        return cases[:2] + cases[-1:]

    def test_right_is_right(self, capsys):
        for key, fn in answers(self.name, "right_").items():
            points = getattr(checkpoints, self.name)(fn)
            assert points == checkpoints.EXERCISES[self.name], key
            said = f"{self.name}: right. {points} of {points} points.\n"
            assert capsys.readouterr().out == said, key

    def test_right_inside_tf_function(self):
        for key, fn in list(answers(self.name, "right_").items())[::2]:
            if key not in self.slow_in_graphs + self.other_in_graphs:
                verdict = judge(self.name, tf.function(fn), self.cases_in_graphs())
                assert verdict.mistake == "", (key, verdict)

    def test_wrong_is_rejected(self, verdicts):
        for key, (_, verdict) in verdicts.items():
            assert verdict.mistake, key
            assert 0 <= verdict.points < verdict.possible, key
            assert len(verdict.diagnosis) > 20, key
            assert "malformed" not in verdict.mistake, (key, verdict)
            assert verdict.expected != verdict.got or not verdict.got, (key, verdict)
            assert ("More:" in checkpoints.explain(verdict, again=True)) == bool(verdict.hint), key

    def test_wrong_is_named(self, verdicts):
        missed = [
            (k, f.mistakes, v.mistake) for k, (f, v) in verdicts.items() if not is_named(f, v)
        ]
        assert not missed, missed

    def test_wrong_inside_tf_function(self):
        few = [case for case in fresh(self.name) if not case["graph"]][:2]
        for key, fn in list(answers(self.name, "wrong_").items())[::12]:
            if key in self.other_in_graphs or "overflow" in fn.mistakes[0]:
                continue
            graph = tf.function(fn)
            verdict = judge(self.name, graph, few)
            if not verdict.mistake:  # some are wrong on few cases only
                verdict = judge(self.name, graph, fresh(self.name))
            assert verdict.mistake, key

    @pytest.mark.slow
    @pytest.mark.parametrize("seed", range(1, 6))
    def test_other_numbers_give_the_same_verdicts(self, seed, verdicts):
        """A student's points must not depend on the numbers that were drawn."""
        for key, fn in answers(self.name, "right_").items():
            assert judge(self.name, fn, fresh(self.name, seed)).mistake == "", key
        for key in answers(self.name, "wrong_"):
            fn, expected = verdicts[key]
            assert is_named(fn, expected), key
            observe.start()  # as before each checkpoint: it has its own seconds
            verdict = judge_wrong(self.name, fn, fresh(self.name, seed))
            assert is_named(fn, verdict), (key, verdict)
            assert verdict.points == expected.points, (key, verdict)
            if key not in self.other_by_numbers:
                assert verdict.mistake == expected.mistake, (key, verdict)
