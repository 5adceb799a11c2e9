"""Asks the student's functions: calls them on the hidden inputs, and writes down what happens."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import IPython

from kernel_side.anatomy import EARLIER  # copies of those of checkpoints
from kernel_side.observe import OBSERVERS
from kernel_side.wire import pack, unpack

FOLDER = Path(__file__).resolve().parent.parent


class NoResult(Exception):
    """In the place of a function that ended the kernel, or never ended itself."""


def prepare_shell() -> None:
    """Let exit(), quit() and !programs do nothing, and the cell go on."""
    shell = IPython.get_ipython()
    shell.ask_exit = lambda: None
    shell.system = lambda command: print(f"The grader starts no programs: {command}")
    shell.getoutput = lambda command, split=True, depth=0: []


def observe_exercise(name: str, how: str, lost: list[str]) -> None:
    """Call the student's function `name` on each case of NAME.in; the facts are in NAME.out.

    `how` is the round, as `checkpoints.rounds` names it; `lost` are functions not to be called.
    """
    function = IPython.get_ipython().user_ns.get(name)
    observer = OBSERVERS[how].get(name)
    facts: dict = {"missing": True} if function is None else {"facts": []}
    if function is not None and observer is not None:
        cases = unpack(json.loads((FOLDER / f"{name}.in").read_text()))
        with _without(set(lost) - {name}):
            facts = {"facts": [observer(function, case) for case in cases]}
    (FOLDER / f"{name}.out").write_text(json.dumps(pack(facts)))


@contextlib.contextmanager
def _without(lost: set[str]) -> Iterator[None]:
    """Put functions that only raise in the place of those that are lost, or not there.

    So a function that calls them can be judged for what it does itself.
    """
    names = IPython.get_ipython().user_ns
    own = {name: names[name] for name in EARLIER if name in names}
    instead = {name: _raising(NoResult) for name in lost & set(EARLIER)}
    instead |= {name: _raising(NotImplementedError) for name in EARLIER if name not in names}
    names.update(instead)
    try:
        yield
    finally:
        for name in instead:
            names.pop(name, None)
        names.update(own)


def _raising(error: type[Exception]) -> Callable:
    def function(*args, **options):
        raise error

    return function
