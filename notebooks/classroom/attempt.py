"""A student's cells in a kernel, the exercises asked; and again without what ended the kernel."""

from __future__ import annotations

import asyncio
import json
import os
import re
import stat
import tempfile
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from pathlib import Path

import checkpoints
from checkpoints import Verdict
from classroom import Limits
from classroom.given import Cells, Given
from classroom.kernel import Kernel
from classroom.kernel_side.wire import pack, unpack
from classroom.source import definitions, only_definitions

ATTEMPTS = 5
PREPARE = "import kernel_side.ask as _ask; _ask.prepare_shell()"
ASK = "import kernel_side.ask as _ask; _ask.observe_exercise({!r}, {!r}, {!r})"
STILL_THERE = "None"  # a cell that does nothing
NOTHING = "nothing came back that can be judged"


@dataclass
class Attempt:
    """What happened in one kernel, or, put together, in several."""

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)  # exercises without a function of their name
    lost: dict[str, str] = field(default_factory=dict)  # exercise -> why nothing came back
    problems: dict[int, str] = field(default_factory=dict)  # cell number -> what went wrong
    costly: set[int] = field(default_factory=set)  # cells that were stopped, or ended the kernel
    died: bool = False  # the kernel was ended, so that something may not have run
    worked: float = 0  # seconds

    @property
    def asked(self) -> set[str]:
        """The exercises that need not be asked again."""
        return self.missing.union(self.verdicts, self.lost)

    def add(self, other: Attempt) -> None:
        """Put a later attempt to the earlier ones."""
        self.verdicts |= other.verdicts
        self.missing |= other.missing
        self.lost |= other.lost
        self.problems = other.problems | self.problems  # the first one says most
        self.worked += other.worked


async def judge(cells: Cells, cases: dict, given: Given, limits: Limits) -> Attempt:
    """Verdicts on all exercises, in as many kernels as it takes; or why there are none."""
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
                if not kernel.watch.dead:
                    await _ask(kernel, exercise, cases[exercise], attempt)
            attempt.worked, attempt.died = kernel.watch.worked, bool(kernel.watch.dead)
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
    """Run a cell and note what went wrong; a line that fails must not hide the functions below.

    What a cell did may end the kernel, or block it, only after the cell: the next one is not to
    blame for that.
    """
    problem, stopped = await kernel.run(source), kernel.watch.late
    if not problem:
        problem = await kernel.run(STILL_THERE)
        stopped = stopped or kernel.watch.late
    if problem:
        attempt.problems[number] = problem
        for part in definitions(source):  # one by one: an import may be what failed
            await kernel.run(part)
    if stopped or kernel.watch.dead:
        attempt.costly.add(number)


async def _ask(kernel: Kernel, exercise: str, cases: list[dict], attempt: Attempt) -> None:
    """Let the kernel observe an exercise, and judge it here, round after round."""
    steps = checkpoints.rounds(checkpoints.REGISTRY[exercise], cases)
    request, verdict = next(steps), None
    while request:
        found = await _facts(kernel, exercise, *request, attempt.lost)
        if found == {"missing": True}:
            attempt.missing.add(exercise)
            return
        if isinstance(found, str) and request[0] == "first":
            attempt.lost[exercise] = found
            return
        facts = [] if isinstance(found, str) else found["facts"]
        request, verdict = await asyncio.to_thread(_next, steps, facts)
    attempt.verdicts[exercise] = verdict


def _next(steps: Generator, facts: list) -> tuple:
    """(what is to be observed next, None) or (None, the verdict)."""
    try:
        return steps.send(facts), None
    except StopIteration as end:
        return None, end.value


async def _facts(
    kernel: Kernel, exercise: str, how: str, cases: list[dict], lost: dict
) -> dict | str:
    """{"missing": True} or {"facts": [...]}, as the kernel wrote it; else why there are none."""
    place = kernel.folder / f"{exercise}.out"
    place.unlink(missing_ok=True)
    place.with_suffix(".in").write_text(json.dumps(pack(cases)))
    if problem := await kernel.run(ASK.format(exercise, how, list(lost))):
        return problem
    facts = read_facts(place, kernel.limits) or {}
    told = facts.get("missing") is True or type(facts.get("facts")) is list
    return facts if told else NOTHING


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
