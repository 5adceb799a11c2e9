"""One small class, graded once with the command that teachers type: marks, report, second run."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import shutil
from pathlib import Path

import nbformat
import pytest
from handed_in import (
    ANSWERS,
    CARELESS,
    EMPTY,
    NO_QUARTER,
    POINTS,
    ROUGH,
    TAMPERING,
    command,
    rearranged,
    with_cells,
    write,
)

from classroom import Limits
from classroom.batch import grade_all
from classroom.grade import nothing_graded
from classroom.submissions import find_submissions

FULL = [15, 20, 25, 15, 25]
LIMITS = Limits(cell_seconds=2.0, seconds=300.0, memory_gb=3.0)
OPTIONS = ["--cell-seconds", "2", "--seconds", "300", "--memory-gb", "3", "-j2"]


def make_class(folder: Path) -> None:
    """Submissions in the shapes of Canvas, Moodle and nbgrader, all in one folder."""
    folder.mkdir()
    rough = rearranged()
    rough.cells[:0] = [nbformat.v4.new_code_cell(source) for source in ROUGH]
    old = nbformat.convert(rough, 3)
    path = folder / "müllerzoë_LATE_101_9001_version 3.ipynb"
    path.write_text(nbformat.v3.writes_json(old), encoding="utf-8")
    wrong = {
        "compute_content_cost": NO_QUARTER,
        "gram_matrix": "def gram_matrix(A):\n    import os\n    os._exit(1)",
        "train_step": "def train_step(:\n    return 1",
    }
    write(folder / "partly_103_9003_x.ipynb", with_cells(**wrong))
    write(folder / "noted_111_9011_x.ipynb", noted())
    above = with_cells(EMPTY, first=CARELESS.values())
    write(folder / "Same Name_1_assignsubmission_file_/Neural style.ipynb", above)
    broken = folder / "Same Name_2_assignsubmission_file_/x.ipynb"
    broken.parent.mkdir()
    broken.write_text("{ broken")
    few = with_cells(EMPTY, gram_matrix=ANSWERS["gram_matrix"])
    write(folder / "noted_111_9012_x-1.ipynb", few)
    (folder / "noted_111_9013_x.png").write_bytes(b"\x89PNG")
    (folder / "=cmd_108_9008_x.pdf").write_bytes(b"%PDF-1.7")
    for name, book in TAMPERING.items():
        write(folder / f"{name}.ipynb", book)


def noted():
    """Nearly right, with much that deserves a line, and a policy that is the student's own."""
    cells = ["%%bash\necho 1", "x = float(input())", "!pip install numpy\nimport my_helpers\ny = 1"]
    cells += ["import keras\nkeras.config.set_dtype_policy('mixed_float16')", "print(y)"]
    book = with_cells(EMPTY, first=[*cells, *ANSWERS.values()], last=["total_cost = total_cost"])
    book.cells += [nbformat.v4.new_code_cell("def gram_matrix(A):\n    return A @ tf.transpose(A)")]
    moved = next(c for c in book.cells if c.source == ANSWERS["compute_content_cost"])
    book.cells = [c for c in book.cells if c is not moved and "def compute_content" not in c.source]
    book.cells.append(nbformat.v4.new_markdown_cell(moved.source))
    return book


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The class, graded once: (folder, report, rows of grades.csv by student and id, exit code)."""
    place = tmp_path_factory.mktemp("with space ü")
    make_class(place / "handed in")
    done = command(
        "grade", place / "handed in", "--out", place / "report", *OPTIONS,
        env=os.environ | {"SECRET_OF_THE_TEACHER": "hunter2"},
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    text = (place / "report/grades.csv").read_text(encoding="utf-8-sig")
    rows = {(row["student"], row["id"]): row for row in csv.DictReader(text.splitlines())}
    return place / "handed in", place / "report", rows, done


def earned(row: dict) -> list[int]:
    return [int(row[name]) for name in POINTS]


@pytest.mark.parametrize(
    ("student", "expected"),
    [
        (("müllerzoë", "101"), FULL),
        (("Same Name", "1"), FULL),
        (("partly", "103"), [7, 0, 20, 15, 0]),
        (("noted", "111"), [0, 20, 25, 15, 20]),
    ],
)
def test_marks(graded, student, expected):
    row = graded[2][student]
    assert earned(row) == expected, row
    assert row["status"] == "graded"


def test_reasons_why_nothing_came_back(graded):
    says = graded[2]["partly", "103"]["diagnosis"]
    assert "4 times too large" in says
    assert "Calling gram_matrix gave no result: it ended the kernel." in says
    assert "which defines train_step, did not run: SyntaxError" in says and ".py" not in says
    assert "it calls your gram_matrix, which raises a NoResult: fix Exercise 2 first" in says
    says = graded[2]["noted", "111"]["diagnosis"]
    assert "which defines it, is not a code cell" in says and "fix Exercise 1 first" in says


def test_what_deserves_a_line(graded):
    notes = graded[2]["noted", "111"]["notes"]
    for words in ("Cell 1 calls %%bash", "Cell 2: it asks for input",
                  "calls !pip: the grader starts no programs",
                  "imports my_helpers, which is not there", "gram_matrix is defined in cells 6 and",
                  "is a Markdown cell and does not run",
                  "the marks of the teacher's notebook"):  # fmt: skip
        assert words in notes, words
    assert "Cell 1:" not in notes, "it is told once"
    assert "Cell 5" not in notes and "pty" not in notes, "the cell goes on after !pip"
    left = "noted_111_9012_x-1.ipynb was not graded: noted_111_9011_x.ipynb answers more exercises"
    assert left in notes and left in graded[3].stdout
    same = graded[2]["müllerzoë", "101"]["notes"]
    assert "the same code as the solution" in same


def test_what_cannot_be_graded_has_a_reason_and_an_exit_code(graded):
    _, _, rows, done = graded
    assert done.returncode == 1 and "2 not: see" in done.stdout
    for student in (("Same Name", "2"), ("'=cmd", "108")):
        assert rows[student]["status"] == "refused" and "hand" in rows[student]["diagnosis"]
    assert {r["status"] for r in rows.values()} == {"graded", "refused"}


@pytest.mark.parametrize("attempt", TAMPERING)
def test_tampering_earns_nothing(graded, attempt):
    row = graded[2][attempt, ""]
    assert row["status"] == "graded", row
    assert sum(earned(row)) == 0, row
    assert "replaces" in row["diagnosis"] or "uses" in row["diagnosis"]
    assert attempt != "snoops" or "compute_layer_style_cost is not written yet" in row["diagnosis"]


def test_feedback_pages(graded):
    _, report, rows, _ = graded
    pages = {p.name: p.read_text(encoding="utf-8") for p in (report / "feedback").iterdir()}
    assert len(pages) == len(rows)
    text = next(t for name, t in pages.items() if name.startswith("partly"))
    assert "hint 4" in text and "Expected:" in text and "<h1>partly" in text
    assert not any("hunter2" in text for text in pages.values())
    summary = (report / "summary.html").read_text(encoding="utf-8")
    assert all(name in summary for name in POINTS) and "Not graded" in summary
    assert not any("same code" in text for text in pages.values()), "for the teacher alone"
    assert not list(report.rglob("*.part"))


def test_a_second_run_grades_nothing_again_but_a_changed_file(graded, tmp_path):
    folder, report, rows, _ = graded
    again, calls = tmp_path / "report", []
    shutil.copytree(report, again)
    copy = shutil.copytree(folder, tmp_path / "handed in")
    write(copy / "partly_103_9003_x.ipynb", with_cells(EMPTY, first=["x = 1"]))

    async def pretend(data, limits, seed):
        calls.append(json.loads(data)["cells"][0]["source"])
        return nothing_graded(seed) | {"status": "failed", "reason": "stopped"}

    for _ in range(2):  # what failed is tried again
        results = asyncio.run(
            grade_all(find_submissions(copy).submissions, again, LIMITS, 2, grader=pretend)
        )
    assert calls == [["x = 1"]] * 2 and len(results) == len(rows)
    assert {r["student"] for r in results if r["status"] == "failed"} == {"partly"}
