"""Which of a student's files is the one to grade."""

from __future__ import annotations

import contextlib
import filecmp
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import checkpoints
from classroom.layouts import NOTEBOOK_NAME, natural


@dataclass(frozen=True)
class Look:
    """What the first 2 MB of a file show."""

    solved: int = -99  # exercises that it seems to answer; below all others if it is unreadable
    defined: int = 0
    named: int = 0
    is_notebook: bool = False


@lru_cache(100_000)
def look(path: Path) -> Look:
    """A first look at a file, which may be anything."""
    if path.is_symlink() or not path.is_file():  # a link may lead anywhere, a pipe never ends
        return Look()
    with contextlib.suppress(OSError), path.open("rb") as stream:
        text = stream.read(2_000_000)
        defined = sum(f"def {name}(".encode() in text for name in checkpoints.EXERCISES)
        named = sum(name.encode() in text for name in checkpoints.EXERCISES)
        stubs = text.count(b"raise NotImplementedError(")
        is_notebook = b'"cells"' in text or b'"worksheets"' in text
        return Look(defined - stubs, defined, named, is_notebook)
    return Look()


def looks_like_a_notebook(path: Path) -> bool:
    """By its name, or by what is in it."""
    return bool(NOTEBOOK_NAME.search(path.name)) or (
        look(path).is_notebook and look(path).named > 1
    )


def holds_a_notebook(path: Path) -> bool:
    """A notebook of this course, or one that cannot be read; not one about something else."""
    about = look(path)
    return looks_like_a_notebook(path) and (about.named > 1 or not about.is_notebook)


def choose(times: dict[Path, str]) -> tuple[Path | None, list[str]]:
    """The file that answers most exercises, the newest of several; and notes on the others.

    `times` has, for each file, what a platform tells of its time, "" if nothing.
    """
    files = [path for path in times if path.is_file() and not path.is_symlink()]
    likely = [path for path in files if looks_like_a_notebook(path)] or files
    if not likely:
        return None, []

    def time(path: Path) -> tuple:
        return times[path], int(path.stat().st_mtime) // 2  # zips count in steps of 2 s

    def rank(path: Path) -> tuple:
        about = look(path)
        last = natural(path.parent.as_posix()), natural(path.stem)  # "nst-1" comes after "nst"
        return about.solved, about.defined, *time(path), -len(path.parts), *last

    best = max(likely, key=rank)
    others = [p for p in likely if p != best and look(best).defined and _counts_too(p, best)]
    notes = []
    for path in others:
        more = look(best).solved > look(path).solved
        newer = "is newer" if time(best) > time(path) else "comes last"
        why = "answers more exercises" if more else newer
        one, other = _told_apart(path, best)
        notes.append(f"{one} was not graded: {other} {why}")
    return best, notes


def _told_apart(path: Path, other: Path) -> tuple[str, str]:
    """Their names, with the folder that they lie in if they have one name."""
    names = path.name, other.name
    if names[0] != names[1]:
        return names
    return tuple(p.relative_to(p.parent.parent).as_posix() for p in (path, other))


def _counts_too(path: Path, best: Path) -> bool:
    """Another attempt at the exercises: neither the handout, nor a copy of the best."""
    about = look(path)
    handout = about.defined and about.solved <= 0
    return holds_a_notebook(path) and not handout and not filecmp.cmp(path, best, shallow=False)
