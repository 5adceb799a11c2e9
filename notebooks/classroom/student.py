"""The student's notebook: the solution without its answers."""

from __future__ import annotations

import copy
import re

import nbformat
from nbformat import NotebookNode

from classroom import SOLUTION, ClassroomError

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
ANSWERS = "*Your answers here.*"


def student_version(solution: NotebookNode) -> NotebookNode:
    """The solution without its answers: what students receive.

    Outputs are dropped, except those of cells tagged "goal", which show where the course leads.
    Raises ClassroomError if BEGIN SOLUTION and END SOLUTION do not come in pairs.
    """
    student, exercises = copy.deepcopy(solution), 0
    for cell in student.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            cell.source = without_answer(cell.source, ANSWERS)
            continue
        stub = ""
        if BEGIN in cell.source:
            exercises += 1
            name = re.findall(r"^def (\w+)", cell.source, re.MULTILINE)[0]
            stub = f'raise NotImplementedError("Exercise {exercises}: {name}")'
        cell.source = without_answer(cell.source, stub)
        _forget_the_run(cell)
    return student


def _forget_the_run(cell: NotebookNode) -> None:
    """Drop counts, and outputs but for those of a cell tagged "goal"."""
    cell.execution_count = None
    if "goal" not in cell.metadata.get("tags", []):
        cell.outputs = []
    for output in cell.outputs:
        output.pop("execution_count", None)
        if output.output_type == "execute_result":
            output.execution_count = None


def without_answer(source: str, answer: str) -> str:
    """`source` with `answer` in the place of what stands between the markers, markers included."""
    lines, inside = [], False
    for line in source.splitlines():
        if BEGIN in line and not inside:
            inside = True
            lines.append(line[: len(line) - len(line.lstrip())] + answer)
        elif END in line and inside:
            inside = False
        elif BEGIN in line or END in line:
            raise ClassroomError(f"A line '{line.strip()}' has no partner: put BEGIN before END.")
        elif not inside:
            lines.append(line)
    if inside:
        raise ClassroomError(f"A '{BEGIN}' has no '{END}': add it in the solution notebook.")
    return "\n".join(lines)


def read_solution() -> NotebookNode:
    """The solved notebook. Raises ClassroomError in a student's copy, which has none."""
    if not SOLUTION.is_file():
        raise ClassroomError(
            f"{SOLUTION} is missing: only the teacher's copy of the course has it."
        )
    return nbformat.read(SOLUTION, as_version=4)


def student_text() -> str:
    """What the file of the student's notebook must hold."""
    return nbformat.writes(student_version(read_solution())) + "\n"
