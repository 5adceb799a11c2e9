"""Wrong and right answers to the five exercises, one module an exercise.

A function `wrong_...` carries the mistakes that the checkpoint must name, `right_...` must pass.
Where several ids are given, any of them is a right name; "a+b" means both mistakes at once.
"""

from __future__ import annotations

import importlib
import types
from collections.abc import Callable


def named(*mistakes: str) -> Callable:
    """Mark a wrong function with the ids, any of which names its mistake."""

    def mark(fn: Callable) -> Callable:
        fn.mistakes = mistakes
        return fn

    return mark


def rebind(fn: Callable, **names) -> Callable:
    """`fn` as a student's notebook would have it: with other functions under the given names."""
    twin = types.FunctionType(
        fn.__code__, {**fn.__globals__, **names}, fn.__name__, fn.__defaults__, fn.__closure__
    )
    twin.__kwdefaults__ = fn.__kwdefaults__
    return twin


def module_of(exercise: str) -> types.ModuleType:
    """The answers to an exercise, by the name of the student's function."""
    return importlib.import_module("mistakes." + exercise.removeprefix("compute_"))


def answers(exercise: str, prefix: str) -> dict[str, Callable]:
    """The answers to an exercise whose names start with `prefix`."""
    return {k: f for k, f in vars(module_of(exercise)).items() if k.startswith(prefix)}
