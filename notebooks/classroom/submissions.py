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
from classroom.choosing import choose, look, looks_like_a_notebook
from classroom.layouts import (
    DOCUMENTS,
    NOTEBOOK_NAME,
    Owner,
    blackboard_name,
    gradescope_names,
    is_nobodys,
    natural,
)
from classroom.several import holding_several, written_by_a_platform
from classroom.tree import Tree, is_no_answer


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
    walk = _Walk(Tree(place, out and out.resolve()))
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

    tree: Tree
    passed_over: list[str] = field(default_factory=list)

    def students(self, folder: Path) -> Iterator[Submission]:
        """The submissions in a folder that holds several students."""
        if (folder / "submitted").is_dir():  # nbgrader's; a folder there is a student's for sure
            for entry in self.tree.children(folder / "submitted"):
                yield self.student(entry.stem if entry.is_file() else entry.name, "", [entry])
            return
        entries = {path.name: path for path in self.tree.children(folder)}
        known = written_by_a_platform(self.tree, folder, people=1)
        yield from self.known_students(entries, known)
        rest = [path for name, path in entries.items() if name not in known]
        somebodys = [path for path in rest if _is_somebodys(path) and self.tree.works(path)]
        alone = not known and len(somebodys) == 1
        several = holding_several(self.tree, [path for path in rest if path.is_dir()], alone)
        for path, inner in several.items():
            left_out = set(self.tree.files(path)) - set(self.tree.files(inner))
            self.pass_over(sorted(left_out))
            yield from self.students(inner)
        yield from self.plain_students([path for path in rest if path not in several])

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

    def plain_students(self, entries: list[Path]) -> Iterator[Submission]:
        """Files and folders of one student each: those with one name, endings aside, are one's."""
        names = defaultdict(list)
        for path in sorted(entries, key=Path.is_file):  # folders first
            names[_without_ending(path).casefold()].append(path)
        for group in names.values():
            if any(map(_is_somebodys, group)):
                yield self.student(_without_ending(group[0]), "", group)
            else:
                self.pass_over(group)

    def pass_over(self, files: list[Path]) -> None:
        """Note files that are nobody's answer."""
        place = self.tree.place
        self.passed_over += [readable(p.relative_to(place).as_posix()) for p in files]

    def student(
        self, student: str, number: str, entries: list[Path], whens: dict[Path, str] | None = None
    ) -> Submission:
        """The row of one student, to whom all of `entries` belong."""
        files = [(path, entry) for entry in entries for path in self.tree.files(entry)]
        times = {path: (whens or {}).get(entry, "") for path, entry in files}
        return _submission(student, number, times, entries[0], self.tree.place)


def _submission(
    student: str, number: str, times: dict[Path, str], entry: Path, place: Path
) -> Submission:
    """The file of a student that counts, and what to say of the others."""
    best, notes = choose(times)
    path, problem = best or entry, "" if best else "there is no file in this folder"
    shown = readable(path.relative_to(place).as_posix())
    return Submission(readable(student), readable(number), path, shown, problem, tuple(notes))


def _without_ending(path: Path) -> str:
    """A name without what tells of its kind: "ada" of ada.ipynb.txt, of ada.tar.gz, of ada/."""
    name = path.name
    if path.is_dir():  # "ada.zip", unpacked beside "ada"
        return name[:-4] if name.lower().endswith(".zip") and len(name) > 4 else name
    while shorter := NOTEBOOK_NAME.sub("", name):
        if shorter == name:
            break
        name = shorter
    if name == path.name:
        name = path.stem.removesuffix(".tar")
    return name or path.name


def _is_somebodys(path: Path) -> bool:
    """Whether a file or folder beside others may be what a student handed in."""
    if path.is_dir() or looks_like_a_notebook(path):
        return True
    sheet = path.suffix.lower() in DOCUMENTS and is_nobodys(path.stem)
    return not is_no_answer(path) and not sheet


def readable(text: str) -> str:
    """A name as it can be written into a report: one form of Unicode, without broken parts."""
    return unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode())
