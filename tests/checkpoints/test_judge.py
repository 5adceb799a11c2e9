"""Judges believe nothing: hostile facts never raise, and earn nothing."""

from __future__ import annotations

import numpy as np
import pytest
from mistakes import answer
from trials import fresh, observed

import checkpoints

NAMES = list(checkpoints.EXERCISES)
HOSTILE = (
    None,
    True,
    -3,
    10**400,
    float("nan"),
    1e308,
    "text\x00\n" * 50,
    b"bytes",
    [1, 2],
    {},
    {"value": {}},
    np.zeros(()),
    np.zeros((0, 3)),
    np.full((2, 2), np.nan),
    np.full((4, 4), np.inf),
    np.array(["text"]),
    np.array([None, object()], dtype=object),
    np.array(1e308),
    np.array(1 + 2j),
    np.array(True),
    np.arange(7),
    np.float32(3),
)


@pytest.fixture(scope="module")
def honest() -> dict:
    """Cases and honest observations of right functions, to be spoiled one fact at a time."""
    found = {}
    for name in NAMES:
        cases = fresh(name, 5)
        fn = answer(name, "right_plain")
        found[name] = cases, observed(name, fn, cases)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_judge_survives_spoiled_facts(name, honest):
    """One to three honest facts replaced or removed: never an exception, always a sane verdict."""
    cases, observations = honest[name]
    rng = np.random.default_rng(7)
    for _ in range(40):
        spoiled = [dict(facts) for facts in observations]
        for _ in range(rng.integers(1, 4)):
            facts = spoiled[rng.integers(len(spoiled))]
            key = sorted(facts)[rng.integers(len(facts))]
            facts[key] = HOSTILE[rng.integers(len(HOSTILE))]
            if rng.random() < 0.3:
                del facts[key]
        verdict = checkpoints.REGISTRY[name].judge(cases, spoiled)
        assert 0 <= verdict.points <= verdict.possible
        assert all(type(t) is str for t in (verdict.diagnosis, verdict.expected, verdict.got))


@pytest.mark.parametrize("name", NAMES)
def test_judge_survives_nonsense(name, honest):
    """Nothing but hostile facts: no point."""
    cases, observations = honest[name]
    keys = sorted({key for facts in observations for key in facts})
    rng = np.random.default_rng(8)
    nonsense = [*HOSTILE, [], [None] * len(cases), [{}] * len(cases), [{}] * 99]
    for _ in range(40):
        few = [rng.choice(keys, size=rng.integers(0, 12)) for _ in cases]
        facts = [{str(k): HOSTILE[rng.integers(len(HOSTILE))] for k in some} for some in few]
        nonsense.append(facts)
    for observations in nonsense:
        verdict = checkpoints.REGISTRY[name].judge(cases, observations)
        assert verdict.points == 0 and verdict.mistake


def test_constant_answers_earn_nothing(honest):
    """Zeros or ones everywhere, in the shape of honest facts, earn no point."""
    for name, (cases, observations) in honest.items():
        for number in (0, 1):
            forged = [
                {
                    k: np.full_like(v, number) if type(v) is np.ndarray else v
                    for k, v in facts.items()
                }
                for facts in observations
            ]
            assert checkpoints.REGISTRY[name].judge(cases, forged).points == 0, (name, number)
