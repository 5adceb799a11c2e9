"""In which order a function is observed and judged: what is dear, or large, only if it is needed.

The checkpoint calls the function itself; a grader asks another process. Both go through `rounds`.
"""

from __future__ import annotations

from collections.abc import Generator

from .verdict import Exercise, Verdict

Request = tuple[str, list[dict]]  # ("first" or "alone", see observe.py; the cases to observe)


def is_late(case: dict) -> bool:
    """Whether a case is asked only where the others found nothing wrong."""
    return bool(case["graph"] or case.get("late"))


def rounds(exercise: Exercise, cases: list[dict]) -> Generator[Request, list, Verdict]:
    """Yield what is to be observed, take the facts of each case, and return the verdict.

    Facts may be hostile. [] for those of the second round means that there are none.
    """
    small = [case for case in cases if not is_late(case)]
    large = [case for case in cases if is_late(case)]
    facts = yield "first", small
    verdict = exercise.judge(small, facts)
    if not verdict.mistake:
        facts = [*facts, *(yield "first", large)]
        return exercise.judge(small + large, facts)
    more = yield "alone", small
    if len(more) == len(facts) and all(type(fact) is dict for fact in (*facts, *more)):
        verdict = exercise.judge(
            small, [first | alone for first, alone in zip(facts, more, strict=True)]
        )
    return verdict
