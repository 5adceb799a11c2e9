"""The course in real nbgrader: generate_assignment, autograde of a student, feedback."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

pytest.importorskip("nbgrader")

ROOT = Path(__file__).resolve().parent.parent.parent
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # alembic
NAME = "neural_style_transfer.ipynb"
NO_QUARTER = """def compute_content_cost(content_output, generated_output):
    a_C, a_G = content_output[-1], generated_output[-1]
    return tf.reduce_mean(tf.square(a_C - a_G))"""
PAINTS = re.compile(r"load_vgg19\(|vgg\b|fast_step|show_\w+\(|plot_costs\(|\bgrams\b")
CONFIG = """c = get_config()
c.CourseDirectory.course_id = "nst"
c.IncludeHeaderFooter.header = ""
c.ExecutePreprocessor.timeout = 300
c.Execute.timeout = 300
"""


def run(folder: Path, *arguments: str) -> str:
    """One nbgrader command; its log. Fails with the log if the command fails."""
    environment = os.environ | {"NST_FAST": "1", "NST_WEIGHTS": "embedded", "MPLBACKEND": "agg"}
    environment |= {"HOME": str(folder), "JUPYTER_PLATFORM_DIRS": "1"}
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stderr


def hand_in(folder: Path, student: str, notebook) -> None:
    """Without what loads VGG-19 and paints, which nbval runs: nbgrader only needs the exercises."""
    notebook.cells = [
        cell
        for cell in notebook.cells
        if "nbgrader" in cell.metadata or not PAINTS.search(cell.source)
    ]
    path = folder / "submitted" / student / "nst" / NAME
    path.parent.mkdir(parents=True)
    path.write_text(nbformat.writes(notebook), encoding="utf-8")


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course folder in which a student has been graded: one exercise of each kind.

    One is wrong, one as it was handed out, two right, and one calls the two that are not.
    """
    folder = tmp_path_factory.mktemp("course")
    (folder / "nbgrader_config.py").write_text(CONFIG)
    source = folder / "source" / "nst"
    (source / "notebooks").mkdir(parents=True)
    shutil.copy(ROOT / "notebooks" / "solutions" / NAME, source)
    shutil.copy(ROOT / "nst_utils.py", source)
    shutil.copytree(ROOT / "notebooks" / "checkpoints", source / "notebooks" / "checkpoints")
    shutil.copytree(ROOT / "images", source / "images")
    run(folder, "generate_assignment", "nst", "--create")
    book = nbformat.read(source / NAME, as_version=4)
    stubs = nbformat.read(folder / "release" / "nst" / NAME, as_version=4).cells
    stub = next(cell.source for cell in stubs if cell.source.startswith("def total_cost"))
    for cell in book.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = {"compute_content_cost": NO_QUARTER, "total_cost": stub}.get(
            name, cell.source
        )
    hand_in(folder, "ben", book)
    own = folder / "submitted" / "ben" / "nst" / "notebooks"  # a student's own checkpoints
    (own / "checkpoints").mkdir(parents=True)
    forged = "def __getattr__(name):\n    return lambda fn: 25\n"
    for name in ("checkpoints.py", "checkpoints/__init__.py"):
        (own / name).write_text(forged)
    run(folder, "autograde", "nst", "--create")
    return folder


def scores(folder: Path) -> dict[str, float]:
    """Test cell -> points, from nbgrader's database."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as book:
        found = book.find_submission_notebook(NAME[:-6], "nst", "ben")
        return {grade.name.removeprefix("check_"): grade.score for grade in found.grades}


def test_release_has_no_answer(course):
    text = (course / "release" / "nst" / NAME).read_text(encoding="utf-8")
    assert "SOLUTION" not in text and "raise NotImplementedError" in text


def test_marks(course):
    """Partial ones, too; and a student's own `checkpoints` give none."""
    assert scores(course) == {
        "compute_content_cost": 7, "gram_matrix": 20, "compute_layer_style_cost": 25,
        "total_cost": 0, "train_step": 20, "answers": 0,
    }  # fmt: skip


def test_feedback_names_the_mistake(course):
    run(course, "generate_feedback", "nst")
    page = (course / "feedback" / "ben" / "nst" / NAME).with_suffix(".html").read_text("utf-8")
    text = re.sub("<[^>]+>", "", page)
    assert "4 times too large" in text and "hint 4 of Exercise 1" in text
