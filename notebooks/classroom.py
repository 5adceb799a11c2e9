"""For teachers: make the student's notebook, release it, and grade what comes back."""

from __future__ import annotations

import argparse
import ast
import copy
import re
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
NOTEBOOK = "neural_style_transfer.ipynb"
SOLUTION = HERE / "solutions" / NOTEBOOK
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
ANSWERS = "*Your answers here.*"


class ClassroomError(Exception):
    """Something that the person at the keyboard can put right; the message says how."""


# --- The student's notebook ------------------------------------------------------------------------


def student_version(solution: NotebookNode) -> NotebookNode:
    """The solution without its answers: what students receive.

    Outputs are dropped, except those of cells tagged "goal", which show where the course leads.
    Raises ClassroomError if BEGIN SOLUTION and END SOLUTION do not come in pairs.
    """
    student = copy.deepcopy(solution)
    number = 0
    for cell in student.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            answer = ""
            if BEGIN in cell.source:
                number += 1
                names = re.findall(r"^def (\w+)", cell.source, re.MULTILINE)
                answer = f'raise NotImplementedError("Exercise {number}: {names[0]}")'
            cell.source = _without_answer(cell.source, answer)
            cell.execution_count = None
            if "goal" not in cell.metadata.get("tags", []):
                cell.outputs = []
            for output in cell.outputs:
                output.pop("execution_count", None)
                if output.output_type == "execute_result":
                    output.execution_count = None
        else:
            cell.source = _without_answer(cell.source, ANSWERS)
    return student


def _without_answer(source: str, answer: str) -> str:
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


def student_text() -> str:
    """The bytes of the student's notebook, made from the solution notebook."""
    if not SOLUTION.is_file():
        raise ClassroomError(f"{SOLUTION} is missing: only the teacher's copy of the course has it.")
    return nbformat.writes(student_version(nbformat.read(SOLUTION, as_version=4))) + "\n"


def command_student(options: argparse.Namespace) -> int:
    """Write the student's notebook, or with --check say whether it is up to date."""
    path, text = HERE / NOTEBOOK, student_text()
    if not options.check:
        path.write_text(text, encoding="utf-8", newline="\n")
        print(f"written: {path}")
        return 0
    if path.is_file() and path.read_bytes() == text.encode():
        return 0
    print(f"{path} differs from the solution: run python notebooks/classroom.py student")
    return 1


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    student = commands.add_parser("student", help="make the student's notebook from the solution")
    student.add_argument("--check", action="store_true", help="only compare; exit code 1 if stale")
    student.set_defaults(run=command_student)
    options = parser.parse_args(arguments)
    try:
        return options.run(options)
    except ClassroomError as error:
        print(f"classroom.py: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
