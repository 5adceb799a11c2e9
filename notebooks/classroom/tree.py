"""The files of a class, without what systems and tools put among them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from classroom.choosing import holds_a_notebook
from classroom.layouts import DEEPEST, IGNORED, LISTS, PICTURES, natural


@dataclass
class Tree:
    """The folder `place` with the submissions; `reports`, which may be in it, is none."""

    place: Path
    reports: Path | None = None

    @cached_property
    def deepest(self) -> int:
        """How many parts a path may have; a folder that lies deeper is taken for empty."""
        return len(self.place.parts) + DEEPEST

    def children(self, folder: Path) -> list[Path]:
        """What is in a folder, but for reports and what systems put there."""
        try:
            inside = sorted(folder.iterdir(), key=lambda p: natural(p.name))
        except OSError:  # it is shut
            return []
        inside = [p for p in inside if p.name not in IGNORED and not p.name.startswith(".")]
        return [p for p in inside if not self._is_a_report(p) and not leads_back(p)]

    def _is_a_report(self, path: Path) -> bool:
        """The folder of reports, or that of an earlier grading."""
        out = self.reports
        if out and path.name == out.name and path.resolve() == out:
            return True
        return (path / "graded").is_dir() and (path / "grades.csv").is_file()

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

    def answers(self, entry: Path) -> list[Path]:
        """The files in a folder that may be an answer to this course's exercises."""
        return [path for path in self.files(entry) if holds_a_notebook(path)]

    def works(self, entry: Path) -> list[Path]:
        """The files in a folder that somebody may have handed in, of whatever kind."""
        return [path for path in self.files(entry) if not is_no_answer(path)]

    def parts(self, folder: Path) -> list[Path]:
        """What in a folder holds answers; if nothing does, what holds work of any kind."""
        inside = self.children(folder)
        found = [path for path in inside if self.answers(path)]
        return found or [path for path in inside if self.works(path)]

    def unwrapped(self, folder: Path) -> list[Path]:
        """The folder, the one folder in it, and so on, while each holds no other work,
        and no empty folder.
        """
        chain = [folder]
        while True:
            inside = self.children(chain[-1])
            parts = [path for path in inside if self.works(path) or not self.files(path)]
            if len(parts) != 1 or not parts[0].is_dir():
                return chain
            chain.append(parts[0])


def leads_back(path: Path) -> bool:
    """Whether a link leads to a folder that it is in itself: what is there would come for ever."""
    with suppress(OSError, RuntimeError):  # it leads to itself
        return path.is_symlink() and path.resolve() in (path.parent / "x").resolve().parents
    return False


def is_no_answer(path: Path) -> bool:
    """A teacher's list, a platform's own file, or a picture."""
    return path.suffix.lower() in LISTS | PICTURES or path.name.lower() == "index.html"
