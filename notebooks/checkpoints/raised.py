"""An exception of the student's function, as the kernel reported it: perhaps not the truth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .verdict import Exercise, Finding


@dataclass(frozen=True)
class Raised:
    """An exception of the student's function, as the kernel reported it: perhaps not the truth."""

    exercise: Exercise
    kind: str  # its type
    message: str  # its last line
    whole: str
    line: int | None  # of the student's code
    code: str  # that line
    here: bool  # not in a library, nor in another function
    names: tuple[str, ...]  # that the function uses
    parameters: tuple[str, ...]
    data: tuple[str, ...]  # of the notebook, that it uses besides its arguments
    source: str  # of the function, "" if it is not known
    eager: bool  # is TensorFlow's eager execution on?
    some: bool | None  # were any of the other calls right? None: every call raised
    asked: tuple[str, ...]  # the sizes that reshape was asked for, one a call that failed

    @property
    def where(self) -> str:
        """The student's line, as the start of a sentence."""
        return (
            f"In line {self.line}, `{self.code}`: " if self.line is not None and self.code else ""
        )

    @property
    def globals_used(self) -> str:
        """A sentence about data of the notebook that is used in the place of the arguments."""
        return globals_used(self.data)

    def finding(self, mistake: str, hint: int | str, credit: float, says: str) -> Finding:
        """A finding whose sentence starts with the student's line."""
        return self.exercise.finding(mistake, hint, credit, self.where + says)


def globals_used(names: Iterable[str]) -> str:
    """A sentence about data of the notebook that is used besides the arguments, "" if none is."""
    if not (listed := " and ".join(names)):
        return ""
    return f" It uses {listed} of your notebook: use the arguments alone."
