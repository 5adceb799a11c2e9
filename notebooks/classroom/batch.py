"""A class: what is not graded yet, some at a time; each result is kept at once."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path

from tqdm import tqdm

import checkpoints
import classroom
from classroom import ClassroomError, Limits, write_whole
from classroom.grade import grade_bytes, nothing_graded
from classroom.reading import read_bytes
from classroom.submissions import Submission

Grader = Callable[[bytes, Limits, int], Awaitable[dict]]


async def grade_all(
    entries: list[Submission],
    out: Path,
    limits: Limits,
    jobs: int,
    seed: int | None = None,
    grader: Grader = grade_bytes,
) -> list[dict]:
    """The results of all entries, in their order; `jobs` at a time are graded by `grader`.

    Each is kept in `out`/graded, and taken from there when nothing has changed that counts.
    """
    gate = asyncio.Semaphore(jobs)
    with tqdm(total=len(entries), desc="grading", unit="notebook", dynamic_ncols=True) as bar:

        async def one(entry: Submission) -> dict:
            async with gate:
                result = await _kept_or_graded(entry, out, limits, seed, grader)
            bar.update()
            return result

        return await asyncio.gather(*map(one, entries))


async def _kept_or_graded(
    entry: Submission, out: Path, limits: Limits, seed: int | None, grader: Grader
) -> dict:
    """The result that is kept, if it still holds; else a new one, which is kept."""
    kept = out / "graded" / f"{entry.key}.json"
    problem, data = entry.problem, b""
    if not problem:
        try:
            data = read_bytes(entry.path, limits)
        except ClassroomError as error:
            problem = str(error)
    key = fingerprint(data, entry.shown, problem, limits, seed)
    result = _read_kept(kept)
    if result.get("key") != key or result["status"] in ("failed", "lost"):
        chosen = secrets.randbits(32) if seed is None else seed
        about = {"student": entry.student, "number": entry.number, "file": entry.shown}
        graded = nothing_graded(chosen, problem) if problem else await grader(data, limits, chosen)
        result = about | graded | {"key": key}
        write_whole(kept, json.dumps(result, ensure_ascii=False, indent=1))
    page = f"feedback/{entry.key}.html"
    return result | {"page": page, "notes": [*entry.notes, *result["notes"]]}


def _read_kept(path: Path) -> dict:
    """A result of an earlier run, {} if there is none that is whole."""
    with contextlib.suppress(OSError, ValueError, RecursionError):
        kept = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(kept, dict) and kept.keys() >= {"key", "status", "notes"}:
            return kept
    return {}


def fingerprint(data: bytes, shown: str, problem: str, limits: Limits, seed: int | None) -> str:
    """Changes when the file, the checkpoints, the limits or the asked-for seed change."""
    digest = hashlib.sha256(version())
    digest.update(repr((shown, problem, limits, seed)).encode())
    digest.update(data)
    return digest.hexdigest()


@cache
def version() -> bytes:
    """A hash of all that marks depend on: both packages, and the notebook that was handed out."""
    digest = hashlib.sha256()
    for package in (checkpoints, classroom):
        for path in sorted(Path(package.__file__).parent.rglob("*.py")):
            digest.update(path.read_bytes())
    for path in (classroom.SOLUTION, classroom.HANDOUT, classroom.NOTEBOOKS / classroom.NOTEBOOK):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.digest()
