"""The course in real nbgrader: generate_assignment, autograde of two students, feedback."""

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
HALF = {
    "compute_content_cost": """def compute_content_cost(content_output, generated_output):
    a_C, a_G = content_output[-1], generated_output[-1]
    return tf.reduce_mean(tf.square(a_C - a_G))""",
    "total_cost": """def total_cost(J_content, J_style, alpha=10, beta=40):
    return beta * J_style + alpha * J_content""",
}
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
    path = folder / "submitted" / student / "nst" / NAME
    path.parent.mkdir(parents=True)
    path.write_text(nbformat.writes(notebook), encoding="utf-8")


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course folder in which two students have been graded."""
    folder = tmp_path_factory.mktemp("course")
    (folder / "nbgrader_config.py").write_text(CONFIG)
    source = folder / "source" / "nst"
    (source / "notebooks").mkdir(parents=True)
    shutil.copy(ROOT / "notebooks" / "solutions" / NAME, source)
    shutil.copy(ROOT / "nst_utils.py", source)
    shutil.copytree(ROOT / "notebooks" / "checkpoints", source / "notebooks" / "checkpoints")
    shutil.copytree(ROOT / "images", source / "images")
    run(folder, "generate_assignment", "nst", "--create")
    solved = nbformat.read(source / NAME, as_version=4)
    half = nbformat.read(folder / "release" / "nst" / NAME, as_version=4)
    for cell in half.cells:
        cell.source = HALF.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
    hand_in(folder, "ada", solved)
    hand_in(folder, "ben", half)
    own = folder / "submitted" / "ben" / "nst" / "notebooks"  # a student's own checkpoints
    (own / "checkpoints").mkdir(parents=True)
    forged = "def __getattr__(name):\n    return lambda fn: 25\n"
    for name in ("checkpoints.py", "checkpoints/__init__.py"):
        (own / name).write_text(forged)
    run(folder, "autograde", "nst", "--create")
    run(folder, "generate_feedback", "nst")
    return folder


def scores(folder: Path) -> dict[str, dict[str, float]]:
    """Student -> test cell -> points, from nbgrader's database."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as book:
        return {
            name: {
                grade.name: grade.score
                for grade in book.find_submission_notebook(NAME[:-6], "nst", name).grades
            }
            for name in ("ada", "ben")
        }


def test_release_has_no_answer(course):
    text = (course / "release" / "nst" / NAME).read_text(encoding="utf-8")
    assert "SOLUTION" not in text and "raise NotImplementedError" in text


def test_marks(course):
    found = scores(course)
    assert sum(found["ada"].values()) == 100, found["ada"]
    right = {"check_compute_content_cost": 7, "check_total_cost": 15}
    assert {k: v for k, v in found["ben"].items() if v} == right


def test_feedback_names_the_mistake(course):
    page = (course / "feedback" / "ben" / "nst" / NAME).with_suffix(".html").read_text("utf-8")
    text = re.sub("<[^>]+>", "", page)
    assert "4 times too large" in text and "hint 4 of Exercise 1" in text
