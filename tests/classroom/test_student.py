"""The student's notebook: the solution without its answers."""

from __future__ import annotations

import pytest
from handed_in import EMPTY, POINTS, command

from classroom import ClassroomError, release, student


def test_student_notebook_has_no_answer():
    code = "\n".join(c.source for c in EMPTY.cells)
    assert "SOLUTION" not in code
    for number, name in enumerate(POINTS, 1):
        assert f'raise NotImplementedError("Exercise {number}: {name}")' in code
    lines = {line.strip() for line in code.splitlines()}
    assert not lines & release.solution_lines()


def test_student_notebook_is_up_to_date_and_stable():
    assert command("student", "--check").returncode == 0
    assert student.student_text() == student.student_text()


@pytest.mark.parametrize(
    "source", ["### BEGIN SOLUTION", "### END SOLUTION", "x\n### END SOLUTION"]
)
def test_unpaired_markers_are_an_error(source):
    with pytest.raises(ClassroomError, match="SOLUTION"):
        student.without_answer(source, "answer")


def test_a_students_copy_of_the_course_has_no_solution(monkeypatch, tmp_path):
    monkeypatch.setattr(student, "SOLUTION", tmp_path / "nothing.ipynb")
    with pytest.raises(ClassroomError, match="only the teacher's copy"):
        student.student_text()
