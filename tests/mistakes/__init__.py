"""Wrong and right answers to the five exercises, a module or more for each, named after it.

A module that begins with an exercise's name is found by itself: begin another when one is full.

A function `wrong_...` carries the mistakes that the checkpoint must name, `right_...` must pass.
Where several ids are given, any of them is a right name; "a+b" means both mistakes at once.
"""

from __future__ import annotations

import importlib
import types
from collections.abc import Callable
from pathlib import Path


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


def modules_of(exercise: str) -> list[types.ModuleType]:
    """The modules with answers to an exercise: those that are named after it."""
    room = exercise.removeprefix("compute_")
    names = sorted(path.stem for path in Path(__file__).parent.glob(f"{room}*.py"))
    return [importlib.import_module(f"mistakes.{name}") for name in names]


def answers(exercise: str, prefix: str) -> dict[str, Callable]:
    """The answers to an exercise whose names start with `prefix`.

    Raises ValueError if two of its modules give the same name.
    """
    found = {}
    for module in modules_of(exercise):
        more = {name: fn for name, fn in vars(module).items() if name.startswith(prefix)}
        if twice := found.keys() & more.keys():
            raise ValueError(f"{min(twice)} stands in two modules: rename one.")
        found |= more
    return found


def answer(exercise: str, name: str) -> Callable:
    """One of the answers to an exercise."""
    return answers(exercise, name)[name]
