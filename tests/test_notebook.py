"""The course notebook: stored outputs, the student's version, and that mistakes turn it red.

That the solution runs and that its deterministic cells print what is stored is tested by nbval.
"""

import copy
import os
import re
import subprocess
import sys

import nbformat
import pytest
from conftest import ROOT, SOLUTION
from nbclient import NotebookClient

from classroom.student import student_version

STUDENT = ROOT / "notebooks" / SOLUTION.name
FURTHER = ROOT / "notebooks" / "going_further.ipynb"
ATELIER = ROOT / "notebooks" / "atelier.ipynb"
FIRST_CELL = {
    SOLUTION: ["checkpoints", "painter"],
    FURTHER: ["painter"],
    ATELIER: ["atelier"],
}  # and the packages that it needs
EXERCISES = [
    "compute_content_cost", "gram_matrix", "compute_layer_style_cost", "total_cost", "train_step",
]  # fmt: skip


def solution_of(notebook, name):
    return next(cell for cell in notebook.cells if f"def {name}(" in cell.source)


def test_stored_outputs(solution):
    code = [cell for cell in solution.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert not [o for o in outputs if o.output_type == "error" or o.get("name") == "stderr"]
    assert sum("image/jpeg" in o.get("data", {}) for o in outputs) >= 12
    assert not re.search(r"/(home|root|work|Users)/", SOLUTION.read_text(encoding="utf8"))
    assert SOLUTION.stat().st_size <= 2_500_000


@pytest.mark.parametrize("path", [SOLUTION, STUDENT, FURTHER], ids=lambda path: path.name)
def test_no_time_of_day_is_stored(path):
    """Every run would change hundreds of lines; README's command to run them leaves it out."""
    cells = nbformat.read(path, 4).cells
    assert not [k for k, cell in enumerate(cells) if "execution" in cell.metadata]


def test_cells_are_short(solution):
    for cell in solution.cells:
        if cell.cell_type == "code":
            assert cell.source.count("\n") < 20, cell.source.split("\n")[0]


@pytest.mark.parametrize("path", FIRST_CELL, ids=lambda path: path.name)
def test_the_first_cell_says_what_is_not_there(path, tmp_path):
    """In a bare folder, as on Colab; with half of the course beside it; with all of it."""
    cells = nbformat.read(path, 4).cells
    source = next(cell.source for cell in cells if cell.cell_type == "code")
    bare, clone, packages = tmp_path / "content", tmp_path / "content/clone", FIRST_CELL[path]
    needed = " and ".join(packages)

    def last_line():
        command = [sys.executable, "-I", "-c", f"{source}\nprint(ROOT)"]
        done = subprocess.run(command, cwd=bare, capture_output=True, text=True, timeout=60)
        return (done.stderr or done.stdout).splitlines()[-1]

    bare.mkdir()
    assert f"FileNotFoundError: nst_utils and {needed} not found near" in last_line()
    assert "!git clone" in last_line() and "!unzip" in last_line()
    clone.mkdir()
    (clone / "nst_utils.py").touch()
    assert f"FileNotFoundError: {needed} not found near" in last_line()
    for package in packages:
        (clone / "notebooks" / package).mkdir(parents=True)
        (clone / "notebooks" / package / "__init__.py").touch()
    assert last_line() == os.path.realpath(clone)


def test_deterministic_cells_are_compared(solution):
    compared = [c for c in solution.cells if "nbval-check-output" in c.metadata.get("tags", [])]
    assert len(compared) == 10
    assert all(f"checkpoints.{name}" in "".join(c.source for c in compared) for name in EXERCISES)
    assert "sanitize" not in (ROOT / "pyproject.toml").read_text(encoding="utf8")  # no rules


def test_student_version_is_generated(solution):
    text = nbformat.writes(student_version(solution)).rstrip("\n") + "\n"
    assert STUDENT.read_bytes().decode("utf8") == text, "run: python notebooks/classroom student"


def test_student_version_holds_no_solution(solution):
    text = STUDENT.read_text(encoding="utf8")
    lines = {
        line.strip() for cell in nbformat.reads(text, 4).cells for line in cell.source.split("\n")
    }
    for name in EXERCISES:
        body = solution_of(solution, name).source.split("### BEGIN SOLUTION")[1]
        for line in body.split("### END")[0].strip().splitlines():
            assert line.strip() not in lines
    assert "SOLUTION" not in text and "**Answers**" not in text


def test_student_version_stops_at_exercise_1_and_passes_when_solved(solution):
    """What a student does: run until the first exercise is missed, solve all, go on from there."""
    student = nbformat.read(STUDENT, 4)
    place = {"metadata": {"path": str(STUDENT.parent)}}
    # Errors are allowed up to Exercise 1: else the kernel, as it does for "run all", drops requests
    # that come soon after an error, and the solution below would sometimes not be run.
    client = NotebookClient(student, timeout=300, resources=place, allow_errors=True)
    with client.setup_kernel():
        for index, cell in enumerate(student.cells):
            client.execute_cell(cell, index)
            errors = [o for o in cell.get("outputs", []) if o.output_type == "error"]
            if errors:
                break
        assert errors[0].ename == "NotImplementedError"
        assert errors[0].evalue == "Exercise 1: compute_content_cost"
        client.allow_errors = False
        first = student.cells.index(solution_of(student, EXERCISES[0]))
        assert first < index
        for name in EXERCISES:
            solution_of(student, name).source = solution_of(solution, name).source
        steps = next(cell for cell in student.cells if "fast_step(G, " in cell.source)
        steps.source += "\nassert fast_step.experimental_get_tracing_count() == 1"
        for index in range(first, student.cells.index(steps) + 1):  # nbval runs the rest
            client.execute_cell(student.cells[index], index)
    score = next(cell for cell in student.cells if "checkpoints.score" in cell.source)
    assert "100" in str(score.outputs)


MUTATIONS = [
    ("compute_content_cost", "tf.square(a_C - a_G)", "tf.abs(a_C - a_G)"),
    ("gram_matrix", "A, tf.transpose(A)", "tf.transpose(A), A"),
    ("compute_layer_style_cost", "perm=[0, 3, 1, 2]", "perm=[0, 1, 2, 3]"),
    ("total_cost", "alpha * J_content + beta", "beta * J_content + alpha"),
    ("train_step", "gradient, generated", "-gradient, generated"),
]


def test_mutated_solutions_turn_the_run_red(solution, tmp_path):
    """One real run of nbval: each mutation makes its checkpoint cell fail, and no other cell."""
    folders = f"import sys\nsys.path[:0] = {[str(ROOT), str(STUDENT.parent)]}"
    needed = ("import checkpoints", "def compute_style_cost")
    cells = [nbformat.v4.new_code_cell(f"{folders}\nfrom nst_utils import STYLE_LAYERS")]
    cells += [c for c in solution.cells if any(text in c.source for text in needed)]
    red = set()
    for name, right, wrong in MUTATIONS:
        good = solution_of(solution, name)
        assert right in good.source
        mutated = copy.deepcopy(good)
        mutated.source = good.source.replace(right, wrong)
        check = next(cell for cell in solution.cells if f"checkpoints.{name}(" in cell.source)
        red.add(len(cells) + 1)
        cells += [mutated, check, good, check]
    keys = ("source", "metadata", "outputs", "execution_count")
    cells = [nbformat.v4.new_code_cell(**{key: cell[key] for key in keys}) for cell in cells]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=solution.metadata)
    (tmp_path / "mutated.ipynb").write_text(nbformat.writes(notebook), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-rA", "-n", "0", "-c", str(ROOT / "pyproject.toml")]
    done = subprocess.run(
        [*command, f"--rootdir={tmp_path}", str(tmp_path)], cwd=ROOT, capture_output=True,
        text=True, timeout=300,
    )  # fmt: skip
    results = re.findall(
        r"^(PASSED|FAILED) \S*mutated.ipynb::Cell (\d+)", done.stdout, re.MULTILINE
    )
    assert {int(number) for result, number in results if result == "FAILED"} == red, done.stdout
    assert len(results) == len(cells) and done.returncode == 1


@pytest.mark.slow
def test_again_and_again_under_load():
    """NST_REPEATS times (3) through nbval, while every core has other work: always green."""
    busy = [subprocess.Popen([sys.executable, "-c", "while 1: 0"]) for _ in range(os.cpu_count())]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(SOLUTION)]
    try:
        for _ in range(int(os.environ.get("NST_REPEATS", 3))):
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
            assert done.returncode == 0, done.stdout[-3000:]
            assert re.search(r"\b\d\d passed", done.stdout)
    finally:
        for process in busy:
            process.kill()
            process.wait(60)
