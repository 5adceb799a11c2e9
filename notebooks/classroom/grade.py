"""One notebook: a pure function of its bytes, the limits and the seed of the hidden inputs."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
import time
from collections.abc import Coroutine
from dataclasses import asdict

import numpy as np
from nbformat import NotebookNode

import checkpoints
from classroom import ClassroomError, Limits
from classroom.attempt import Attempt, judge
from classroom.given import Cells, Given, given_cells
from classroom.kernel import KernelFailed
from classroom.own_picture import own_picture
from classroom.reading import read_notebook
from classroom.remarks import code_of_answers, not_code_cells, remarks
from classroom.tampering import tampering

MOST_LINES = 12


def grade(data: bytes, limits: Limits, seed: int) -> dict:
    """`grade_bytes` for who has no event loop: a pool of processes, a cluster."""
    return run_loop(grade_bytes(data, limits, seed))


async def grade_bytes(data: bytes, limits: Limits, seed: int) -> dict:
    """Everything about one file; a reason in place of marks where there can be none.

    Keys: status ("graded", "refused" or "failed"), reason, seed, verdicts (exercise -> fields of
    `checkpoints.Verdict`), notes, tampering, code (a hash of the answers, "" if few), picture (a
    data URI without "data:"), points, total, seconds. Never raises, but for KeyboardInterrupt.
    """
    start, result = time.monotonic(), nothing_graded(seed)
    try:
        notebook = read_notebook(data)
        given = given_cells()
        result["picture"] = own_picture(notebook, given.pictures)
        result |= await _grade_notebook(notebook, given, limits, seed)
    except ClassroomError as error:
        result |= {"status": "refused", "reason": str(error)}
    except KernelFailed as error:
        reason = f"{error}; this is not the student's fault: run again"
        result |= {"status": "failed", "reason": reason}
    except Exception as error:  # a fault of ours must not stop the class
        reason = f"the grader failed: {type(error).__name__}: {error}"
        result |= {"status": "failed", "reason": reason}
    verdicts = result["verdicts"]
    result["points"] |= {name: verdict["points"] for name, verdict in verdicts.items()}
    result["total"] = sum(result["points"].values())
    result["seconds"] = round(time.monotonic() - start, 1)
    return result


def nothing_graded(seed: int, refused: str = "") -> dict:
    """What is known before the grading; with `refused`, the reason, what is all that there is."""
    return {
        "status": "refused" if refused else "graded",
        "reason": refused,
        "seed": seed,
        "verdicts": {},
        "notes": [],
        "tampering": [],
        "picture": "",
        "code": "",
        "points": dict.fromkeys(checkpoints.EXERCISES, 0),
        "total": 0,
        "seconds": 0.0,
    }


async def _grade_notebook(notebook: NotebookNode, given: Given, limits: Limits, seed: int) -> dict:
    """Run the student's cells, ask their functions, judge the answers here."""
    rng = np.random.default_rng(seed)
    cases = {name: exercise.cases(rng) for name, exercise in checkpoints.REGISTRY.items()}
    cells = given.to_run(notebook)
    seen = await judge(cells, cases, given, limits)
    verdicts = {}
    for name, exercise in checkpoints.REGISTRY.items():
        verdict = seen.verdicts.get(name)
        if verdict is None:
            why = _why_nothing(name, seen, cells, notebook)
            verdict = checkpoints.Verdict(name, 0, exercise.points, why, mistake="not-run")
        verdicts[name] = asdict(verdict)
    own = [(n, source) for n, source in cells if given.is_own(source)]
    tampered = [f"Cell {n} {what}" for n, source in own for what in tampering(source)]
    return {
        "verdicts": verdicts,
        "notes": _shortened(_notes(notebook, own, seen)),
        "tampering": _shortened(tampered),
        "code": code_of_answers(own),
    }


def _notes(notebook: NotebookNode, own: Cells, seen: Attempt) -> list[str]:
    """What of the student's cells did not run, and what else is worth a line."""
    notes = []
    with contextlib.suppress(RecursionError, MemoryError):  # of code that is nested very deep
        notes = remarks(notebook, own)
    for number, _ in own:
        problem = seen.problems.get(number, "")
        told = any(f"Cell {number} imports" in note for note in notes)
        if problem.startswith("StdinNotImplementedError"):
            problem = "it asks for input, which nobody can give here: write the value into the cell"
        stub = problem.startswith("NotImplementedError: Exercise")
        if problem and not stub and not (told and problem.startswith("ModuleNotFoundError")):
            notes.append(f"Cell {number}: {problem}")
    return notes


def _shortened(lines: list[str]) -> list[str]:
    """At most `MOST_LINES`, the last of which says how many there are."""
    more = len(lines) - MOST_LINES + 1
    return lines if more < 2 else [*lines[: MOST_LINES - 1], f"and {more} more"]


def _why_nothing(name: str, seen: Attempt, cells: Cells, notebook: NotebookNode) -> str:
    """Why there is nothing to judge, in words for the student."""
    if name in seen.lost:
        return f"Calling {name} gave no result: {seen.lost[name]}."
    if name not in seen.missing:
        return f"{name} could not be called: the notebook had ended the kernel before."
    for number, source in reversed(cells):
        defines = re.search(rf"^\s*def\s+{name}\b", source, re.MULTILINE)
        if defines and number in seen.problems:
            return f"Cell {number}, which defines {name}, did not run: {seen.problems[number]}."
    text = ", ".join(f"cell {number}" for number in not_code_cells(notebook, name))
    where = f": {text}, which defines it, is not a code cell" if text else ""
    return f"There is no function {name} in this notebook{where}."


def run_loop(work: Coroutine) -> object:
    """Run a coroutine on an event loop that also suits ZeroMQ on Windows."""
    if sys.version_info < (3, 11):  # which has no Runner
        if sys.platform == "win32":
            asyncio.set_event_loop_policy(asyncio.WindowsSelectorEventLoopPolicy())
        return asyncio.run(work)
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        return runner.run(work)
