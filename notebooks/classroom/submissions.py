"""Who handed in what: a row for each student of a class, however deep it is packed.

A folder is a student's, or it holds several students; which of the two, its content tells. No file
vanishes: what is not graded is a row with a reason, a note to a row, or in `Found.passed_over`.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from classroom import ClassroomError
from classroom.choosing import choose, holds_a_notebook, look, looks_like_a_notebook
from classroom.layouts import (
    DEEPEST,
    IGNORED,
    LISTS,
    NOTEBOOK_NAME,
    PICTURES,
    Owner,
    blackboard_name,
    gradescope_names,
    natural,
    owners,
    person,
)


@dataclass(frozen=True)
class Submission:
    """One student's file. `problem` says why there is none that can be graded."""

    student: str
    number: str  # the id that a platform gave, "" if none
    path: Path
    shown: str  # the path as the teacher knows it
    problem: str = ""
    notes: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """A file name of its own for each submission, also when two students share a name."""
        slug = re.sub(r"[^\w-]+", "_", self.student)[:50].strip("_") or "student"
        return f"{slug}-{hashlib.sha256(self.shown.encode()).hexdigest()[:6]}"


@dataclass
class Found:
    """The students of a class, and the files that are nobody's answer."""

    submissions: list[Submission] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)


def find_submissions(place: Path, out: Path | None = None) -> Found:
    """One submission a student, in the shapes of learning platforms, or plain files.

    `out`, the folder of reports, may be inside: it is none. Raises ClassroomError if `place` holds
    nothing.
    """
    look.cache_clear()
    if place.is_file():
        return Found([_submission(place.stem, "", {place: ""}, place, place.parent)])
    walk = _Walk(place, out and out.resolve())
    rows = sorted(walk.students(place), key=lambda row: (natural(row.student), row.shown))
    found = Found(rows, walk.passed_over)
    if not found.submissions:
        beside = f", found only {', '.join(found.passed_over[:5])}" if found.passed_over else ""
        raise ClassroomError(
            f"{place} is empty: expected notebooks, or a folder for each student{beside}."
        )
    return found


@dataclass
class _Walk:
    """The way through the folders of a class."""

    place: Path
    reports: Path | None
    passed_over: list[str] = field(default_factory=list)

    def children(self, folder: Path) -> list[Path]:
        """What is in a folder, but for reports and what systems put there."""
        try:
            inside = sorted(folder.iterdir(), key=lambda p: natural(p.name))
        except OSError:  # it is shut
            return []
        inside = [p for p in inside if p.name not in IGNORED and not p.name.startswith(".")]
        out = self.reports
        return [p for p in inside if not out or p.name != out.name or p.resolve() != out]

    def files(self, entry: Path) -> list[Path]:
        """All files in a folder and in those in it; a file itself."""
        found, todo = [], [entry]
        while todo:  # no recursion: a zip may be deeper than Python's stack
            path = todo.pop()
            if not path.is_dir():
                found.append(path)
            elif (path == entry or not path.is_symlink()) and len(path.parts) < self.deepest:
                todo += reversed(self.children(path))
        return found

    @property
    def deepest(self) -> int:
        """How many parts a path may have; a folder that lies deeper is taken for empty."""
        return len(self.place.parts) + DEEPEST

    def students(self, folder: Path) -> Iterator[Submission]:
        """The submissions in a folder that holds several students."""
        if (folder / "submitted").is_dir():  # nbgrader's; a folder there is a student's for sure
            for entry in self.children(folder / "submitted"):
                yield self.student(entry.stem if entry.is_file() else entry.name, "", [entry])
            return
        entries = {path.name: path for path in self.children(folder)}
        known = owners(list(entries))
        yield from self.known_students(entries, known)
        rest = [path for name, path in entries.items() if name not in known]
        yield from self.folders([path for path in rest if path.is_dir()])
        yield from self.plain_files([path for path in rest if not path.is_dir()])

    def folders(self, folders: list[Path]) -> Iterator[Submission]:
        """Folders beside each other, whose names tell nothing: each a student's, or of several.

        Where one of them is surely a student's, two names in another are two attempts.
        """
        inner = {path: self.unwrapped(path) for path in folders}
        sure = {path for path in folders if self.is_a_platforms(inner[path])}
        people = {path: self.people(inner[path]) for path in folders}
        single = {p for p in folders if len(people[p]) < 2 and p not in sure and self.answers(p)}
        for path in folders:
            if path in sure or len(people[path]) >= (3 if single - {path} else 2):
                left_out = set(self.files(path)) - set(self.files(inner[path]))
                self.pass_over(sorted(left_out))
                yield from self.students(inner[path])
            else:
                yield self.student(path.name, "", [path])

    def is_a_platforms(self, folder: Path) -> bool:
        """Whether a folder holds several students for sure, as its names tell."""
        names = [path.name for path in self.children(folder)]
        return (folder / "submitted").is_dir() or bool(owners(names))

    def known_students(
        self, entries: dict[str, Path], known: dict[str, Owner]
    ) -> Iterator[Submission]:
        """Files and folders whose names tell whose they are: one row for each of these."""
        groups = defaultdict(list)
        for name, owner in known.items():
            groups[owner.student, owner.number].append((entries[name], owner))
        for (student, number), parts in groups.items():
            uploads = [part for part in parts if part[1].kind != "onlinetext"] or parts
            told = self.told_name(uploads) or (student, number)
            whens = {path: owner.when for path, owner in uploads}
            yield self.student(*told, list(whens), whens)

    def told_name(self, parts: list[tuple[Path, Owner]]) -> tuple[str, str] | None:
        """A name and an id that stand in a file of the platform's."""
        for path, owner in parts:
            if owner.when and path.suffix == ".txt" and path.is_file():
                return blackboard_name(path.read_text(encoding="utf-8", errors="replace")[:2000])
            about = path.parent / "submission_metadata.yml"
            if owner.student.startswith("submission_") and about.is_file():
                names = gradescope_names(about.read_text(encoding="utf-8", errors="replace"))
                if owner.student in names:
                    return names[owner.student], owner.number
        return None

    def plain_files(self, files: list[Path]) -> Iterator[Submission]:
        """Files that lie in the folder of the class: those with one stem are one student's."""
        stems = defaultdict(list)
        for path in files:
            stems[path.name.partition(".")[0].casefold() or path.name].append(path)
        for group in stems.values():
            if any(looks_like_a_notebook(p) for p in group) or not all(map(_is_no_answer, group)):
                name = NOTEBOOK_NAME.sub("", group[0].name)
                yield self.student(name if name != group[0].name else group[0].stem, "", group)
            else:
                self.pass_over(group)

    def pass_over(self, files: list[Path]) -> None:
        """Note files that are nobody's answer."""
        self.passed_over += [readable(p.relative_to(self.place).as_posix()) for p in files]

    def answers(self, entry: Path) -> list[Path]:
        """The files in a folder that may be an answer to this course's exercises."""
        return [path for path in self.files(entry) if holds_a_notebook(path)]

    def works(self, entry: Path) -> list[Path]:
        """The files in a folder that somebody may have handed in, of whatever kind."""
        return [path for path in self.files(entry) if not _is_no_answer(path)]

    def people(self, folder: Path) -> set[str]:
        """Whom the names of the parts of a folder, and of the parts of these, tell apart.

        Parts with answers count; and others, where these lie in folders with names of people, or
        where the folder itself has a name like "submissions".
        """
        parts = self.children(folder)
        answers = [path for path in parts if self.answers(path)]
        groups = [inner for path in answers if len(inner := self.people(path)) > 1]
        names = {_person(path) for path in answers}.union(*groups) - {""}
        if names and all(path.is_dir() for path in answers):
            names |= {_person(path) for path in parts if path.is_dir() and self.works(path)}
        if names and not person(folder.name):
            names |= {_person(path) for path in parts if self.works(path)}
        return names - {""}

    def unwrapped(self, folder: Path) -> Path:
        """The innermost folder, where each holds one folder with something in it, and no more."""
        while True:
            parts = [path for path in self.children(folder) if self.works(path)]
            if len(parts) != 1 or not parts[0].is_dir():
                return folder
            folder = parts[0]

    def student(
        self, student: str, number: str, entries: list[Path], whens: dict[Path, str] | None = None
    ) -> Submission:
        """The row of one student, to whom all of `entries` belong."""
        times = {
            path: (whens or {}).get(entry, "") for entry in entries for path in self.files(entry)
        }
        return _submission(student, number, times, entries[0], self.place)


def _submission(
    student: str, number: str, times: dict[Path, str], entry: Path, place: Path
) -> Submission:
    """The file of a student that counts, and what to say of the others."""
    best, notes = choose(times)
    path, problem = best or entry, "" if best else "there is no file in this folder"
    shown = readable(path.relative_to(place).as_posix())
    return Submission(readable(student), readable(number), path, shown, problem, tuple(notes))


def _person(path: Path) -> str:
    """Whom the name of a file or a folder tells."""
    return person(path.name if path.is_dir() else path.stem)


def _is_no_answer(path: Path) -> bool:
    """A teacher's list, a platform's own file, or a picture."""
    return path.suffix.lower() in LISTS | PICTURES or path.name.lower() == "index.html"


def readable(text: str) -> str:
    """A name as it can be written into a report: one form of Unicode, without broken parts."""
    return unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode())
