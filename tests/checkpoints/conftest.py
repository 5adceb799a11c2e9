"""What the tests of the checkpoints share."""

from __future__ import annotations

import pytest
from mistakes import answers
from trials import fresh, judge_wrong


@pytest.fixture(scope="class")
def verdicts(request) -> dict:
    """Name -> (function, verdict) for all wrong functions of an exercise, called directly."""
    name = request.cls.name
    cases = fresh(name)
    wrong = answers(name, "wrong_")
    return {key: (fn, judge_wrong(name, fn, cases)) for key, fn in wrong.items()}
