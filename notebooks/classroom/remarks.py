"""What a teacher should know of a notebook besides its marks, found without running it."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

from nbformat import NotebookNode

import checkpoints
from classroom import SOLUTION
from classroom.folder import STANDS_FOR
from classroom.given import Cells
from classroom.source import defined_names, parse
from classroom.student import BEGIN, read_solution

PROGRAM = re.compile(
    r"^\s*(?:\w+\s*=\s*)?(!\S+|%%?(?:pip|conda|mamba|bash|sh|script|system|sx)\b)", re.M
)
FEW = 4  # answers; in fewer, two students may well write the same


def remarks(notebook: NotebookNode, own: Cells) -> list[str]:
    """Lines about a notebook; `own` are its code cells that are the student's."""
    return [*_defined_twice(own), *_not_code(notebook, own), *_copied(own), *_out_of_reach(own)]


def _answers(cells: Cells) -> dict[str, list[tuple[int, str]]]:
    """exercise -> (cell, its code without docstrings) of each cell that answers it."""
    found = defaultdict(list)
    for number, source in cells:
        names = defined_names(source) & checkpoints.EXERCISES.keys()
        code = _bare(source) if names else ""
        if "raise NotImplementedError(" not in code:
            for name in names:
                found[name].append((number, code))
    return found


def _bare(source: str) -> str:
    """The code of a cell in one form: without comments, layout and docstrings."""
    tree = parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def _defined_twice(own: Cells) -> Iterator[str]:
    for name, defined in _answers(own).items():
        *some, last = [number for number, _ in defined]
        if len({code for _, code in defined}) > 1:
            cells = f"{', '.join(map(str, some))} and {last}"
            yield f"{name} is defined in cells {cells}: the last one counts"


def not_code_cells(notebook: NotebookNode, name: str) -> list[int]:
    """The cells, from 1 on, that define a function and are no code cells."""
    start = re.compile(rf"^\s*def\s+{name}\s*\(", re.MULTILINE)
    cells = enumerate(notebook.cells, 1)
    return [n for n, cell in cells if cell.cell_type != "code" and start.search(cell.source)]


def _not_code(notebook: NotebookNode, own: Cells) -> Iterator[str]:
    for name in checkpoints.EXERCISES.keys() - _answers(own).keys():
        for number in not_code_cells(notebook, name):
            kind = notebook.cells[number - 1].cell_type.capitalize()
            yield (
                f"Cell {number}, which defines {name}, is a {kind} cell and does not run: "
                "make it a code cell"
            )


def _copied(own: Cells) -> Iterator[str]:
    """The markers of the solution, which are in no notebook that was handed out."""
    numbers = [str(number) for number, source in own if BEGIN in source]
    if numbers:
        cells = (
            f"Cells {', '.join(numbers)} hold" if len(numbers) > 1 else f"Cell {numbers[0]} holds"
        )
        yield f"{cells} the marks of the teacher's notebook ({BEGIN})"


def _out_of_reach(own: Cells) -> Iterator[str]:
    """Programs and modules that the grader does not have."""
    for number, source in own:
        for program in dict.fromkeys(PROGRAM.findall(source)):
            yield f"Cell {number} calls {program}: the grader starts no programs, and goes on"
        for module in dict.fromkeys(missing_modules(source)):
            yield (
                f"Cell {number} imports {module}, which is not there: only the notebook is graded, "
                "so put the code of a file of your own into a cell"
            )


def missing_modules(source: str) -> Iterator[str]:
    """The modules that a cell imports and that are not there, but for attempts in a `try`."""
    tree = parse(source)
    tried = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Try)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in tried:
            continue
        if isinstance(node, ast.ImportFrom):
            if node.level:
                yield "." * node.level + (node.module or "")
                continue
            names = [node.module]
        else:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        yield from (name for name in names if not _is_there(name.split(".")[0]))


def _is_there(module: str) -> bool:
    if module in sys.stdlib_module_names or module in STANDS_FOR:
        return True
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def code_of_answers(cells: Cells) -> str:
    """A hash of the code of all answers, comments and layout aside; "" if there are few."""
    written = [defined[-1][1] for _, defined in sorted(_answers(cells).items())]
    return hashlib.sha256("\n".join(written).encode()).hexdigest() if len(written) >= FEW else ""


@cache
def solution_code() -> str:
    """`code_of_answers` of the solution; "" in a student's copy of the course."""
    if not SOLUTION.is_file():
        return ""
    cells = enumerate(read_solution().cells, 1)
    return code_of_answers([(n, cell.source) for n, cell in cells if cell.cell_type == "code"])
