"""Who handed in what: the files of a class, as learning platforms export them."""

from __future__ import annotations

import contextlib
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import checkpoints
from classroom import ClassroomError

MOODLE = re.compile(r"(?P<student>.+?)_(?P<number>\d+)_assignsubmission_")
CANVAS = re.compile(r"(?P<student>[^_]+)_(?:LATE_)?(?P<number>\d+)_\d+_.+")
LISTS = (".csv", ".xls", ".xlsx", ".ods", ".md")  # a teacher's own files beside the submissions
IGNORED = {"__MACOSX", ".ipynb_checkpoints", "timestamp.txt", "Thumbs.db", "desktop.ini"}


@dataclass(frozen=True)
class Submission:
    """One student's file. `problem` says why there is none that can be graded."""

    student: str
    number: str  # the id that Canvas or Moodle gave, "" if none
    path: Path
    shown: str  # the path as the teacher knows it
    problem: str = ""

    @property
    def key(self) -> str:
        """A file name of its own for each submission, also when two students share a name."""
        slug = re.sub(r"[^\w-]+", "_", self.student)[:50].strip("_") or "student"
        return f"{slug}-{hashlib.sha256(self.shown.encode()).hexdigest()[:6]}"


def find_submissions(place: Path, out: Path | None = None) -> list[Submission]:
    """One submission a student, in the shapes of Canvas, Moodle, nbgrader, or plain files.

    `out`, the folder of reports, may be inside: it is none. Raises ClassroomError if `place` holds
    nothing.
    """
    if place.is_file():
        return [_submission(place, [place], place.parent)]
    base = place / "submitted" if (place / "submitted").is_dir() else place
    reports, found = out and out.resolve(), []
    for entry in sorted(base.iterdir()):
        if _is_ignored(entry) or entry.resolve() == reports or _is_no_answer(entry, base):
            continue
        files = _files_in(entry, reports) if entry.is_dir() else [entry]
        found.append(_submission(entry, files, base))
    if not found:
        raise ClassroomError(f"{place} is empty: expected notebooks, or a folder for each student.")
    return found


def _is_ignored(path: Path) -> bool:
    return path.name in IGNORED or path.name.startswith(".")


def _files_in(folder: Path, reports: Path | None) -> list[Path]:
    """All files in a folder and in those in it, but for the reports and what systems put there."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    files = [p for p in files if not set(p.relative_to(folder).parts) & IGNORED]
    return [p for p in files if reports not in p.resolve().parents]


def _is_no_answer(entry: Path, base: Path) -> bool:
    """A list of the teacher's, or the text field of Moodle beside the files of the same student."""
    match = MOODLE.match(entry.name)
    if not match:
        return entry.is_file() and entry.suffix.lower() in LISTS and not CANVAS.match(entry.name)
    start = f"{match['student']}_{match['number']}_assignsubmission_file"
    text = "_assignsubmission_onlinetext" in entry.name
    return text and any(other.name.startswith(start) for other in base.iterdir())


def _submission(entry: Path, files: list[Path], base: Path) -> Submission:
    """The notebook among a student's files: the one that defines most exercises."""
    match = MOODLE.match(entry.name) or CANVAS.match(entry.name)
    student = match["student"] if match else entry.name if entry.is_dir() else entry.stem
    number = match["number"] if match else ""
    likely = [p for p in files if re.search(r"\.(ipynb|json)(\.txt)?$", p.name.lower())] or files
    likely = [p for p in likely if not p.is_symlink() and not p.name.startswith(".")]
    if not likely:
        return Submission(student, number, entry, entry.name, "there is no file in this folder")
    best = max(likely, key=lambda p: (*_exercises_in(p), -len(p.parts)))  # a tie: the outer one
    return Submission(student, number, best, best.relative_to(base).as_posix())


def _exercises_in(path: Path) -> tuple[int, int]:
    """How many exercises a file seems to solve, and to define, from its first 2 MB."""
    with contextlib.suppress(OSError), path.open("rb") as stream:
        text = stream.read(2_000_000)
        defined = sum(f"def {name}(".encode() in text for name in checkpoints.EXERCISES)
        return defined - text.count(b"raise NotImplementedError("), defined
    return -99, 0
