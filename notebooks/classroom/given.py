"""What students received, cell by cell, so that the grader knows what is theirs."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import nbformat
from nbformat import NotebookNode

import checkpoints
from classroom import HANDOUT, NOTEBOOK, NOTEBOOKS, SOLUTION, ClassroomError
from classroom.own_picture import pictures_in
from classroom.source import defined_names, definitions
from classroom.student import student_version

SKIPPED = {"demo", "goal"}  # tags of given cells that draw, load VGG-19 or train
Cells = list[tuple[int, str]]  # (number in the notebook from 1 on, source)


@dataclass
class Given:
    """The given cells, sorted by what the grader does with them."""

    skipped: set[str] = field(default_factory=set)  # cells that need not run
    known: set[str] = field(default_factory=set)  # all given code cells
    prelude: list[str] = field(default_factory=list)  # given cells that exercises may rely on
    stubs: set[str] = field(default_factory=set)  # the exercises as they were handed out
    pictures: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, notebook: NotebookNode) -> Given:
        """Sort the given cells; one marked as an exercise is not among them."""
        given = cls()
        for cell in notebook.cells:
            if cell.cell_type != "code":
                continue
            about, source = cell.metadata.get("nbgrader", {}), cell.source.strip()
            given.pictures.update(pictures_in(cell))
            if about.get("solution"):
                given.stubs.add(source)
                continue
            given.known.add(source)
            if about.get("grade"):
                given.skipped.add(source)
            elif SKIPPED & set(cell.metadata.get("tags", [])):
                given.skipped.add(source)
                given.prelude.append("\n".join(definitions(cell.source)))
            else:
                given.prelude.append(cell.source)
        return given

    def to_run(self, notebook: NotebookNode) -> Cells:
        """The student's code cells that may matter."""
        code = [(n, c.source) for n, c in enumerate(notebook.cells, 1) if c.cell_type == "code"]
        code = [(n, s) for n, s in code if s.strip() and s.strip() not in self.skipped]
        return self.without_stubs([(n, s) for n, s in code if self.is_own(s) or definitions(s)])

    def is_own(self, source: str) -> bool:
        """Whether a cell is the student's, or a given one that was changed."""
        return source.strip() not in self.known

    def without_stubs(self, cells: Cells) -> Cells:
        """Leave out exercises as handed out that another cell solves: it may stand above."""
        exercises = checkpoints.EXERCISES.keys()
        own = [defined_names(s) & exercises for _, s in cells if s.strip() not in self.stubs]
        solved = set().union(*own)
        return [
            (n, s)
            for n, s in cells
            if s.strip() not in self.stubs or defined_names(s) & exercises - solved
        ]


@cache
def given_cells() -> Given:
    """What students received: made from the solution, or in their copies, as it was released."""
    if SOLUTION.is_file():
        return Given.read(student_version(nbformat.read(SOLUTION, as_version=4)))
    for path in (HANDOUT, NOTEBOOKS / NOTEBOOK):
        if path.is_file():
            return Given.read(nbformat.read(path, as_version=4))
    raise ClassroomError(f"{HANDOUT} is missing: it is needed to know the given cells.")
