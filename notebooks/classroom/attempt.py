"""A student's cells in a kernel, the exercises asked; and again without what ended the kernel."""

from __future__ import annotations

import json
import os
import re
import stat
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from classroom import Limits
from classroom.given import Cells, Given
from classroom.kernel import Kernel
from classroom.kernel_side.wire import pack, unpack
from classroom.source import definitions, only_definitions

ATTEMPTS = 5
PREPARE = "import kernel_side.ask as _ask; _ask.prepare_shell()"
ASK = "import kernel_side.ask as _ask; _ask.observe_exercise({!r}, {!r})"


@dataclass
class Attempt:
    """What happened in one kernel, or, put together, in several."""

    facts: dict = field(default_factory=dict)  # exercise -> observations
    problems: dict = field(default_factory=dict)  # cell number -> what went wrong
    lost: dict = field(default_factory=dict)  # exercise -> why nothing came back
    costly: set = field(default_factory=set)  # cells that were stopped, or ended the kernel
    died: bool = False  # the kernel was ended, so that something may not have run
    worked: float = 0  # seconds

    @property
    def asked(self) -> set:
        """The exercises that need not be asked again."""
        return {*self.facts, *self.lost}

    def add(self, other: Attempt) -> None:
        """Put a later attempt to the earlier ones."""
        self.facts |= other.facts
        self.lost |= other.lost
        self.problems = other.problems | self.problems  # the first one says most
        self.worked += other.worked


async def observe(cells: Cells, cases: dict, given: Given, limits: Limits) -> Attempt:
    """All that a notebook's functions show of themselves, in as many kernels as it takes."""
    whole = Attempt()
    for _ in range(ATTEMPTS):
        left = replace(limits, seconds=limits.seconds - whole.worked)
        attempt = await _attempt(cells, cases, given, left, whole)
        whole.add(attempt)
        cells = [(n, only_definitions(s) if n in attempt.costly else s) for n, s in cells]
        if not attempt.died or whole.asked.issuperset(cases) or limits.seconds - whole.worked < 10:
            break
    return whole


async def _attempt(
    cells: Cells, cases: dict, given: Given, limits: Limits, before: Attempt
) -> Attempt:
    """Run prelude, cells and exercises in a fresh kernel; stop where the kernel ends."""
    attempt = Attempt(lost=dict(before.lost))
    with tempfile.TemporaryDirectory(prefix="nst-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        async with Kernel(folder, limits) as kernel:
            await kernel.run(PREPARE)
            for source in filter(str.strip, given.prelude):
                await kernel.run(source)
            await _run_cells(kernel, cells, attempt)
            for exercise in [e for e in cases if e not in before.asked]:
                await _ask(kernel, exercise, cases[exercise], attempt)
            attempt.worked, attempt.died = kernel.watch.worked, bool(kernel.watch.dead)
        for exercise in attempt.facts:  # read only now, when nothing of the student's runs any more
            attempt.facts[exercise] = read_facts(folder / f"{exercise}.out", limits)
    return attempt


async def _run_cells(kernel: Kernel, cells: Cells, attempt: Attempt) -> None:
    """Run the student's cells; late in the notebook's time only those that define functions."""
    for number, source in cells:
        if kernel.watch.dead:
            break
        late = kernel.watch.worked > 0.6 * kernel.limits.seconds
        if late and not re.search(r"^def ", source, re.MULTILINE):
            attempt.problems[number] = "it did not run: the time was used up before"
        else:
            await _run_cell(kernel, number, source, attempt)


async def _run_cell(kernel: Kernel, number: int, source: str, attempt: Attempt) -> None:
    """Run a cell and note what went wrong; a line that fails must not hide the functions below."""
    problem, stopped = await kernel.run(source), kernel.watch.late
    if problem:
        attempt.problems[number] = problem
        for part in definitions(source):  # one by one: an import may be what failed
            await kernel.run(part)
    if stopped or kernel.watch.dead:
        attempt.costly.add(number)


async def _ask(kernel: Kernel, exercise: str, cases: list, attempt: Attempt) -> None:
    """Let the kernel observe one exercise, if it still lives."""
    if kernel.watch.dead:
        return
    (kernel.folder / f"{exercise}.in").write_text(json.dumps(pack(cases)))
    if problem := await kernel.run(ASK.format(exercise, list(attempt.lost))):
        attempt.lost[exercise] = problem
    else:
        attempt.facts[exercise] = None  # which are read when the kernel is gone


def read_facts(path: Path, limits: Limits) -> dict | None:
    """What the kernel wrote: {"missing": True} or {"facts": [...]}; None if it is neither."""
    try:
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        with os.fdopen(os.open(path, flags), "rb") as stream:
            about = os.fstat(stream.fileno())
            if not stat.S_ISREG(about.st_mode) or about.st_size > limits.facts_mb * 1e6:
                return None
            facts = unpack(json.loads(stream.read(int(limits.facts_mb * 1e6))))
        return facts if isinstance(facts, dict) else None
    except Exception:  # whatever a hostile file can raise: there are no facts then
        return None
