"""Who handed in what: the layouts of learning platforms, and that nobody is lost in them."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from handed_in import EMPTY, SOLVED

from classroom import ClassroomError
from classroom.submissions import find_submissions

RIGHT, HANDOUT = nbformat.writes(SOLVED), nbformat.writes(EMPTY)
OTHER = nbformat.writes(nbformat.v4.new_notebook())
GRADESCOPE = """---
submission_11:
  :submitters:
  - :name: Ada Lovelace
    :sid: '1'
submission_12:
  :submitters:
  - :name: Bob
  - :name: Cleo
"""


def make(folder: Path, files: str) -> Path:
    """Write files, each two minutes younger than the one before; what `=` starts is their text.

    A .ipynb is the solved notebook, each with another number of blanks at its end.
    """
    for number, line in enumerate(files.strip().splitlines()):
        name, _, content = (part.strip() for part in line.partition(" = "))
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = {"": RIGHT if ".ipynb" in name else "x", "HANDOUT": HANDOUT, "OTHER": OTHER}
        text["GRADESCOPE"] = GRADESCOPE
        path.write_text(text.get(content, content) + " " * number, encoding="utf-8")
        os.utime(path, (1.7e9 + 120 * number,) * 2)
    return folder


def rows(place: Path) -> list[str]:
    """ "student [id]: file" of each submission."""
    return [
        f"{e.student}{e.number and f' [{e.number}]'}: {e.shown}"
        for e in find_submissions(place).submissions
    ]


LAYOUTS = {
    "Windows, Extract all": (
        "Abgaben/ada/nst.ipynb\nAbgaben/bob/nst.ipynb\nAbgaben/cleo/nst.ipynb",
        "ada: Abgaben/ada/nst.ipynb\nbob: Abgaben/bob/nst.ipynb\ncleo: Abgaben/cleo/nst.ipynb",
    ),
    "flat in an inner folder": (
        "inner/ada.ipynb\ninner/bob.ipynb",
        "ada: inner/ada.ipynb\nbob: inner/bob.ipynb",
    ),
    "deep, with a list": (
        "a/b/c/Abgaben/ada.ipynb\na/b/c/Abgaben/bob.ipynb\na/b/c/Abgaben/list.csv",
        "ada: a/b/c/Abgaben/ada.ipynb\nbob: a/b/c/Abgaben/bob.ipynb",
    ),
    "two groups, flat": (
        "Gruppe A/ada.ipynb\nGruppe A/bob.ipynb\nGruppe B/cleo.ipynb\nGruppe B/dan.ipynb",
        "ada: Gruppe A/ada.ipynb\nbob: Gruppe A/bob.ipynb\n"
        "cleo: Gruppe B/cleo.ipynb\ndan: Gruppe B/dan.ipynb",
    ),
    "two groups of folders": (
        "G 1/ada/nst.ipynb\nG 1/bob/nst.ipynb\nG 2/cleo/nst.ipynb\nG 2/ada/nst.ipynb",
        "ada: G 1/ada/nst.ipynb\nada: G 2/ada/nst.ipynb\n"
        "bob: G 1/bob/nst.ipynb\ncleo: G 2/cleo/nst.ipynb",
    ),
    "groups that work together": (
        "Group 1/nst.ipynb\nGroup 2/nst.ipynb",
        "Group 1: Group 1/nst.ipynb\nGroup 2: Group 2/nst.ipynb",
    ),
    "one folder, and a list beside it": (
        "status.xlsx\nKurs/ada/nst.ipynb\nKurs/bob/nst.ipynb",
        "ada: Kurs/ada/nst.ipynb\nbob: Kurs/bob/nst.ipynb",
    ),
    "numbers for names": (
        "in/123456.ipynb\nin/678901.ipynb",
        "123456: in/123456.ipynb\n678901: in/678901.ipynb",
    ),
    "one of two is broken": (
        "in/ada.ipynb\nin/bob.ipynb = { broken",
        "ada: in/ada.ipynb\nbob: in/bob.ipynb",
    ),
    "one of two is something else": (
        "Abgaben/ada/nst.ipynb\nAbgaben/bob/essay.pdf",
        "ada: Abgaben/ada/nst.ipynb\nbob: Abgaben/bob/essay.pdf",
    ),
    "the whole course of one student": (
        "ada/nst/nst_utils.py\nada/nst/images/x.png\nada/nst/notebooks/nst.ipynb\n"
        "ada/nst/notebooks/going_further.ipynb = OTHER\nada/nst/literature/paper.pdf\nbob/x.ipynb",
        "ada: ada/nst/notebooks/nst.ipynb\nbob: bob/x.ipynb",
    ),
    "Moodle, folders": (
        "Ada L_1_assignsubmission_file_/x.ipynb\n"
        "Ada L_1_assignsubmission_onlinetext_/onlinetext.html\n"
        "Bob_2_assignsubmission_onlinetext_/onlinetext.html\nGrades.csv",
        "Ada L [1]: Ada L_1_assignsubmission_file_/x.ipynb\n"
        "Bob [2]: Bob_2_assignsubmission_onlinetext_/onlinetext.html",
    ),
    "Moodle, flat": (
        "Ada L_1_assignsubmission_file_x.ipynb\nAda L_1_assignsubmission_file_photo.png\n"
        "Ada L_1_assignsubmission_onlinetext_onlinetext.html\n"
        "Ada L_2_assignsubmission_file_y.ipynb",
        "Ada L [1]: Ada L_1_assignsubmission_file_x.ipynb\n"
        "Ada L [2]: Ada L_2_assignsubmission_file_y.ipynb",
    ),
    "Canvas": (
        "lovelaceada_12348_70_image.png\nlovelaceada_12348_71_nst.ipynb\n"
        "bob_LATE_9_73_nst-1.ipynb\nbob_LATE_9_72_nst.ipynb\ncleo_3_74_notes.csv",
        "bob [9]: bob_LATE_9_72_nst.ipynb\ncleo [3]: cleo_3_74_notes.csv\n"
        "lovelaceada [12348]: lovelaceada_12348_71_nst.ipynb",
    ),
    "what only looks like Canvas": (
        "uni_2024_05_ada.ipynb\nuni_2024_05_bob.ipynb",
        "uni_2024_05_ada: uni_2024_05_ada.ipynb\nuni_2024_05_bob: uni_2024_05_bob.ipynb",
    ),
    "Blackboard": (
        "Ex 3_a_smith_attempt_2024-05-01-10-30-00_nst.ipynb\n"
        "Ex 3_a_smith_attempt_2024-05-01-10-30-00.txt = Name: Ada Smith (a_smith)\n"
        "Ex 3_b_smith_attempt_2024-05-03-10-30-00_nst.ipynb\n"
        "Ex 3_b_smith_attempt_2024-05-02-10-30-00_nst.ipynb",
        "Ada Smith [a_smith]: Ex 3_a_smith_attempt_2024-05-01-10-30-00_nst.ipynb\n"
        "smith [Ex 3_b_smith]: Ex 3_b_smith_attempt_2024-05-03-10-30-00_nst.ipynb",
    ),
    "Brightspace": (
        "index.html\n12-34 - Ada Lovelace - May 1, 2024 1030 AM/nst.ipynb\n"
        "12-34 - Ada Lovelace - May 2, 2024 1030 AM/nst.ipynb\n"
        "13-34 - Ana-Maria Paz - May 1, 2024 1030 AM/x.ipynb",
        "Ada Lovelace [12]: 12-34 - Ada Lovelace - May 2, 2024 1030 AM/nst.ipynb\n"
        "Ana-Maria Paz [13]: 13-34 - Ana-Maria Paz - May 1, 2024 1030 AM/x.ipynb",
    ),
    "Gradescope": (
        "assignment_1_export/submission_metadata.yml = GRADESCOPE\n"
        "assignment_1_export/submission_11/nst.ipynb\nassignment_1_export/submission_12/nst.ipynb",
        "Ada Lovelace [11]: assignment_1_export/submission_11/nst.ipynb\n"
        "Bob, Cleo [12]: assignment_1_export/submission_12/nst.ipynb",
    ),
    "GitHub Classroom": (
        "nst-submissions/nst-ada/notebooks/neural_style_transfer.ipynb\n"
        "nst-submissions/nst-ada/.git/x.ipynb\nnst-submissions/nst-ada/README.md\n"
        "nst-submissions/nst-ada/notebooks/going_further.ipynb = OTHER\n"
        "nst-submissions/nst-bob/notebooks/neural_style_transfer.ipynb",
        "nst-ada: nst-submissions/nst-ada/notebooks/neural_style_transfer.ipynb\n"
        "nst-bob: nst-submissions/nst-bob/notebooks/neural_style_transfer.ipynb",
    ),
    "OLAT": (
        "Aufgabe 3/table.xlsx\nAufgabe 3/Lovelace_Ada_1/1_task/nst.ipynb = HANDOUT\n"
        "Aufgabe 3/Lovelace_Ada_1/2_submissions/nst.ipynb\n"
        "Aufgabe 3/Bob_B_2/2_submissions/nst.ipynb",
        "Bob_B_2: Aufgabe 3/Bob_B_2/2_submissions/nst.ipynb\n"
        "Lovelace_Ada_1: Aufgabe 3/Lovelace_Ada_1/2_submissions/nst.ipynb",
    ),
    "ILIAS": (
        "Übung/members.xls\nÜbung/Submissions/Lovelace_Ada_ada_1/20240501_nst.ipynb\n"
        "Übung/Submissions/Bob_B_bob_2/20240501_nst.ipynb",
        "Bob_B_bob_2: Übung/Submissions/Bob_B_bob_2/20240501_nst.ipynb\n"
        "Lovelace_Ada_ada_1: Übung/Submissions/Lovelace_Ada_ada_1/20240501_nst.ipynb",
    ),
    "Sakai": (
        "Task/grades.csv\nTask/Lovelace, Ada(ada)/timestamp.txt\n"
        "Task/Lovelace, Ada(ada)/Submission attachment(s)/nst.ipynb\n"
        "Task/B, Bob(bob)/Submission attachment(s)/nst.ipynb",
        "B, Bob(bob): Task/B, Bob(bob)/Submission attachment(s)/nst.ipynb\n"
        "Lovelace, Ada(ada): Task/Lovelace, Ada(ada)/Submission attachment(s)/nst.ipynb",
    ),
    "Teams": (
        "Submitted files/Ada Lovelace/NST/Version 9/nst.ipynb\n"
        "Submitted files/Ada Lovelace/NST/Version 10/nst.ipynb\n"
        "Submitted files/Bob/NST/Version 1/nst.ipynb",
        "Ada Lovelace: Submitted files/Ada Lovelace/NST/Version 10/nst.ipynb\n"
        "Bob: Submitted files/Bob/NST/Version 1/nst.ipynb",
    ),
    "Google Classroom": (
        "Ada Lovelace - nst.ipynb\nBob - nst.ipynb\nAda Lovelace - photo.jpg",
        "Ada Lovelace - nst: Ada Lovelace - nst.ipynb\nBob - nst: Bob - nst.ipynb",
    ),
    "nbgrader": (
        "gradebook.db\nsubmitted/ada/nst/a.ipynb\nsubmitted/ada/nst/.ipynb_checkpoints/a.ipynb\n"
        "submitted/ada/nst/timestamp.txt\nsubmitted/bob/one/a.ipynb\nsubmitted/bob/two/b.ipynb",
        "ada: submitted/ada/nst/a.ipynb\nbob: submitted/bob/two/b.ipynb",
    ),
    "nbgrader's exchange": (
        "inbound/ada+nst+2024-05-02 10:30:00.0 UTC/a.ipynb\n"
        "inbound/ada+nst+2024-05-01 10:30:00.0 UTC/a.ipynb\n"
        "inbound/bob+nst+2024-05-01 10:30:00.0 UTC/a.ipynb",
        "ada: inbound/ada+nst+2024-05-02 10:30:00.0 UTC/a.ipynb\n"
        "bob: inbound/bob+nst+2024-05-01 10:30:00.0 UTC/a.ipynb",
    ),
    "all sorts": (
        "ada.ipynb\nada.pdf\nbob/nst.ipynb\ncleo.pdf\nnotes.txt\ndan/essay.pdf\nlist.md\n"
        "eve.ipynb.txt\nfay/.DS_Store\n__MACOSX/._ada.ipynb\nada.png",
        "ada: ada.ipynb\nbob: bob/nst.ipynb\ncleo: cleo.pdf\ndan: dan/essay.pdf\n"
        "eve: eve.ipynb.txt\nfay: fay",
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_row_for_each_student(layout, tmp_path):
    files, expected = LAYOUTS[layout]
    if os.name == "nt" and ":" in files:
        pytest.skip("no such names on Windows")
    assert rows(make(tmp_path, files)) == expected.splitlines()


def test_every_file_is_told_of(tmp_path):
    """A list, a picture, an empty folder: none vanishes without a word."""
    make(tmp_path, LAYOUTS["all sorts"][0])
    found = find_submissions(tmp_path)
    assert found.passed_over == ["list.md", "notes.txt"]
    assert "no file" in found.submissions[-1].problem
    make(tmp_path / "ilias", LAYOUTS["ILIAS"][0])
    assert find_submissions(tmp_path / "ilias").passed_over == ["Übung/members.xls"]


@pytest.mark.parametrize(
    ("files", "counts", "note"),
    [
        ("ada/b.ipynb\nada/a.ipynb\nbob/x.ipynb", "ada/a.ipynb",
         "b.ipynb was not graded: a.ipynb is newer"),
        ("ada/new.ipynb\nada/old.ipynb = HANDOUT\nbob/x.ipynb", "ada/new.ipynb", ""),
        ("ada/nst_old.ipynb\nada/nst.ipynb", "ada/nst.ipynb", "nst_old.ipynb was not graded"),
        ("ada/1/x.ipynb\nada/2/x.ipynb\nbob/x.ipynb", "ada/2/x.ipynb",
         "1/x.ipynb was not graded: 2/x.ipynb"),
        ("ada/nst.ipynb\nada/other.ipynb = OTHER\nbob/x.ipynb", "ada/nst.ipynb", ""),
        ("ada/nst.ipynb\nada/x.ipynb = { broken\nbob/x.ipynb", "ada/nst.ipynb",
         "x.ipynb was not graded: nst.ipynb answers more exercises"),
        ("ada/course/nst.ipynb = HANDOUT\nada/my.ipynb\nbob/x.ipynb", "ada/my.ipynb", ""),
    ],
)  # fmt: skip
def test_of_several_notebooks_of_one_student_the_newest_counts(tmp_path, files, counts, note):
    entry = find_submissions(make(tmp_path, files)).submissions[0]
    assert (entry.student, entry.shown) == ("ada", counts)
    assert len(entry.notes) == bool(note) and note in "".join(entry.notes)


def test_two_with_one_name_stay_apart(tmp_path):
    make(tmp_path, "Ada_1_assignsubmission_file_/x.ipynb\nAda_2_assignsubmission_file_/x.ipynb")
    found = find_submissions(tmp_path).submissions
    assert len({entry.key for entry in found}) == 2


def test_the_folder_of_reports_may_be_inside(tmp_path):
    make(tmp_path, "ada.ipynb\nreport/graded/x.json\nbob/x.ipynb\nbob/report/y.ipynb")
    for out, students in (("report", ["ada", "bob"]), ("bob/report", ["ada", "bob", "report"])):
        found = find_submissions(tmp_path, tmp_path / out).submissions
        assert [entry.student for entry in found] == students
        assert found[1].notes == () or out == "report"
    with pytest.raises(ClassroomError, match="is empty"):
        find_submissions(tmp_path / "report", tmp_path / "report/graded")


def test_a_class_of_lists_alone_says_what_was_found(tmp_path):
    with pytest.raises(ClassroomError, match=r"expected notebooks.*found only status\.xlsx"):
        find_submissions(make(tmp_path, "status.xlsx"))


@pytest.mark.skipif(os.name != "posix", reason="names that are no text, pipes")
def test_names_that_are_no_text_and_files_that_are_none(tmp_path):
    make(tmp_path, "ada.ipynb")
    os.mkfifo(tmp_path / "pipe.ipynb")
    (tmp_path / "nowhere.ipynb").symlink_to("gone")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/m\xfcller.ipynb")).write_text(RIGHT)
    found = {entry.student: entry for entry in find_submissions(tmp_path).submissions}
    assert set(found) == {"ada", "pipe", "nowhere", "m?ller"}
    assert found["pipe"].problem and found["nowhere"].problem and found["m?ller"].key


def test_a_folder_that_goes_down_and_down_costs_its_owner_alone(tmp_path):
    make(tmp_path, "ada.ipynb")
    make(tmp_path / "bob" / "/".join(["d"] * 300), "nst.ipynb")
    found = find_submissions(tmp_path).submissions
    assert [(e.student, bool(e.problem)) for e in found] == [("ada", False), ("bob", True)]
