"""Who handed in what: the layouts of learning platforms."""

from __future__ import annotations

import nbformat
import pytest
from handed_in import EMPTY, SOLVED, write

from classroom import ClassroomError
from classroom.submissions import find_submissions


def test_names_in_all_shapes(tmp_path):
    book = nbformat.writes(EMPTY)
    for name in (
        "submitted/ada/nst/a.ipynb",
        "submitted/ada/nst/.ipynb_checkpoints/a-checkpoint.ipynb",
        "submitted/bob/nst/notes.ipynb",
        "submitted/bob/nst/really.ipynb",
        "submitted/empty/nst/.DS_Store",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}" if "notes" in name else book)
    found = {e.student: e for e in find_submissions(tmp_path)}
    assert found["ada"].shown == "ada/nst/a.ipynb"
    assert found["bob"].shown == "bob/nst/really.ipynb"
    assert "no file" in found["empty"].problem
    assert len({e.key for e in found.values()}) == 3


def test_the_solved_notebook_counts_not_the_handout_beside_it(tmp_path):
    for name, book in (("ada/course/nst.ipynb", EMPTY), ("ada/my.ipynb", SOLVED),
                       ("bob/going_further.ipynb", nbformat.v4.new_notebook()),
                       ("bob/nst.ipynb", EMPTY)):  # fmt: skip
        write(tmp_path / name, book)
    assert [e.path.name for e in find_submissions(tmp_path)] == ["my.ipynb", "nst.ipynb"]


def test_what_is_no_submission(tmp_path):
    for name in (
        "Ada_1_assignsubmission_file_/x.ipynb",
        "Ada_1_assignsubmission_onlinetext_/onlinetext.html",
        "Bob_2_assignsubmission_onlinetext_/onlinetext.html",
        "Grades.csv",
        "cleo_3_4_notes.csv",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    found = find_submissions(tmp_path)
    assert [(e.student, e.path.name) for e in found] == [
        ("Ada", "x.ipynb"),
        ("Bob", "onlinetext.html"),
        ("cleo", "cleo_3_4_notes.csv"),
    ]


def test_the_folder_of_reports_may_be_inside(tmp_path):
    write(tmp_path / "ada.ipynb")
    write(tmp_path / "report/graded/x.json")
    write(tmp_path / "bob/x.ipynb")
    write(tmp_path / "bob/report/y.ipynb")
    for out, number in (("report", 2), ("bob/report", 1)):
        found = find_submissions(tmp_path, tmp_path / out)
        assert [e.student for e in found][:2] == ["ada", "bob"] and len(found) == 4 - number
        assert number == 2 or found[1].shown == "bob/x.ipynb"
    with pytest.raises(ClassroomError, match="is empty"):
        find_submissions(tmp_path / "report", tmp_path / "report/graded")
