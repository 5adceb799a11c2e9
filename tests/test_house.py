"""The rooms have walls: who imports whom, and how large a room may be.

An arrow that runs the wrong way, a circle, a private name used next door, or a store-room fails.
"""

import ast
import graphlib
import statistics
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
OURS = {"nst_utils", "painter", "checkpoints", "classroom", "atelier"}
MAY_KNOW = {  # room -> what of ours it may import, besides itself
    "nst_utils": set(),
    "checkpoints": set(),
    "painter": {"nst_utils"},
    "classroom": {"checkpoints"},
    "atelier": {"painter", "nst_utils"},
    "pretrained-model": {"nst_utils"},
    "images": set(),
    "notebooks": {"nst_utils", "painter", "checkpoints", "atelier"},
}
LONGEST_FILE = {"nst_utils.py": 900}  # it stays one module; all others:
FILE, FUNCTION, MEDIAN = 500, 45, 10


def python_files():
    """All files of the project that hold Python, as paths relative to its root."""
    folders = ["notebooks", "images", "pretrained-model", "tests"]
    found = [p for folder in folders for p in (ROOT / folder).rglob("*.py")]
    return sorted(p.relative_to(ROOT) for p in [ROOT / "nst_utils.py", *found])


def room(path):
    """The room that a file belongs to: a package, or the folder at the top."""
    parts = path.with_suffix("").parts
    return parts[1] if parts[0] == "notebooks" and len(parts) > 2 else parts[0]


def tree(path):
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def imports(source, package=""):
    """(module, name) of every import in a syntax tree, also inside functions."""
    for node in ast.walk(source):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = ".".join(filter(None, [package if node.level else "", node.module]))
            yield from ((module, alias.name) for alias in node.names)


def module(path):
    """`painter.sizes` for notebooks/painter/sizes.py, `painter` for its __init__.py."""
    parts = path.with_suffix("").parts[1:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = python_files()
ROOMS = [path for path in FILES if room(path) in MAY_KNOW]
PACKAGES = sorted(p for p in OURS - {"nst_utils"})


@pytest.mark.parametrize("path", ROOMS, ids=str)
def test_arrows_run_downwards(path):
    """A room imports only what it may know."""
    here = room(path)
    known = {found.split(".")[0] for found, _ in imports(tree(path), here)} & OURS
    assert known <= MAY_KNOW[here] | {here}


def test_notebooks_know_only_what_students_see():
    for path in (ROOT / "notebooks").rglob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        for cell in cells:
            lines = cell.source.splitlines() if cell.cell_type == "code" else []
            source = "\n".join(line for line in lines if not line.lstrip().startswith(("%", "!")))
            known = {found.split(".")[0] for found, _ in imports(ast.parse(source))} & OURS
            assert known <= MAY_KNOW["notebooks"], path


@pytest.mark.parametrize("package", PACKAGES)
def test_no_circles(package):
    """Inside a package, too, arrows run one way."""
    files = {module(path): path for path in FILES if room(path) == package}
    arrows = {}
    for name, path in files.items():
        found = {m for pair in imports(tree(path), package) for m in (pair[0], ".".join(pair))}
        arrows[name] = {m for m in found if m in files and m not in (name, package)}
    assert tuple(graphlib.TopologicalSorter(arrows).static_order())


@pytest.mark.parametrize("path", FILES, ids=str)
def test_what_is_private_stays_in_its_file(path):
    """Nobody imports a name with an underscore, or a __main__, from another file of ours."""
    here = room(path)
    for found, name in imports(tree(path), here):
        if found.split(".")[0] in OURS:
            assert "__main__" not in (*found.split("."), name)
            assert not name.startswith("_"), f"{name} of {found}"


@pytest.mark.parametrize("path", [p for p in ROOMS if room(p) in OURS], ids=str)
def test_only_the_front_door_is_used_from_outside(path):
    """What another package needs stands in `__init__`; what a kernel needs is copied whole."""
    here = room(path)
    for found, _ in imports(tree(path), here):
        top, *inner = found.split(".")
        if top in OURS - {here}:
            assert not inner, f"{path} imports {found}"


def functions(path):
    """{name: lines} of all functions of a file, their decorators not counted."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = [node for node in ast.walk(tree(path)) if isinstance(node, kinds)]
    return {f"{f.name}:{f.lineno}": f.end_lineno - f.lineno + 1 for f in found}


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_file_is_a_room(path):
    lines = (ROOT / path).read_text(encoding="utf-8").count("\n")
    assert lines <= LONGEST_FILE.get(path.name, FILE)


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_function_fits_on_a_screen(path):
    too_long = {name: lines for name, lines in functions(path).items() if lines > FUNCTION}
    assert not too_long


@pytest.mark.parametrize("tests", [False, True])
def test_most_functions_are_short(tests):
    files = [path for path in FILES if (room(path) == "tests") == tests]
    assert statistics.median(n for path in files for n in functions(path).values()) <= MEDIAN


def test_nothing_else_at_the_top():
    """Only what the course is made of, tool configuration, and what runs leave behind."""
    agreed = {"README.md", "LICENSE", "requirements.txt", "notebooks", "nst_utils.py", "images"}
    agreed |= {"pretrained-model", "tests", "pyproject.toml"}
    left = {"course.ipynb", "painted.png", "artifacts", "__pycache__"}  # ignored by git
    found = {p.name for p in ROOT.iterdir() if not p.name.startswith(".")}
    assert found <= agreed | left


def test_the_faults_of_mutations_can_be_put_in():
    """Each stands once in the code as it is: else the long form would fail after half an hour."""
    import mutations

    for fault in mutations.FAULTS:
        text = (ROOT / fault.file).read_text(encoding="utf-8")
        assert text.count(fault.right) == 1, (fault.file, fault.right)
        assert fault.right != fault.wrong
        assert all((ROOT / "tests" / test).exists() for test in fault.tests.split()), fault.tests
