"""Who handed in what: the layouts of learning platforms, and that nobody is lost in them."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from handed_in import ANSWERS, EMPTY, SOLVED, with_cells

from classroom import ClassroomError
from classroom.submissions import find_submissions

RIGHT, HANDOUT = nbformat.writes(SOLVED), nbformat.writes(EMPTY)
ABOVE = nbformat.writes(with_cells(EMPTY, first=ANSWERS.values()))  # the stubs are left below
PART = nbformat.writes(with_cells(EMPTY, gram_matrix=ANSWERS["gram_matrix"]))
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
    """Write files, each two minutes younger than the one before; what `=` starts is their text;
    what ends in / is a folder.

    A .ipynb is the solved notebook, each with another number of blanks at its end.
    """
    for number, line in enumerate(files.strip().splitlines()):
        name, _, content = (part.strip() for part in line.partition(" = "))
        path = folder / name
        if name.endswith("/"):
            path.mkdir(parents=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        text = {"": RIGHT if ".ipynb" in name else "x", "HANDOUT": HANDOUT, "OTHER": OTHER}
        text |= {"GRADESCOPE": GRADESCOPE, "ABOVE": ABOVE, "PART": PART}
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
        "bob_LATE_9_73_nst-1.ipynb\nbob_LATE_9_72_nst.ipynb\ncleo_3_72_notes.csv",
        "bob [9]: bob_LATE_9_72_nst.ipynb\ncleo [3]: cleo_3_72_notes.csv\n"
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
    "Canvas, what was typed, without names": (
        "adal_12_text.html\nadal_12_88_photo.png\nbobo_LATE_13_14_nst.ipynb\n"
        "anon_x4Pq2_456_nst.ipynb\nanon_x4Pq2_457_me.png\nanon_k2LmA_458_nst.ipynb",
        "adal [12]: adal_12_text.html\nanon_k2LmA: anon_k2LmA_458_nst.ipynb\n"
        "anon_x4Pq2: anon_x4Pq2_456_nst.ipynb\nbobo [13]: bobo_LATE_13_14_nst.ipynb",
    ),
    "a student's pictures look like Canvas": (
        "ada/nst.ipynb\nada/IMG_20240501_123456_HDR.jpg\nbob/nst.ipynb\nPXL_2024_05_x.png",
        "ada: ada/nst.ipynb\nbob: bob/nst.ipynb",
    ),
    "Moodle, a group of one": (
        "S 1/Ada_1_assignsubmission_file_/x.ipynb\nS 1/Bob_2_assignsubmission_file_/x.ipynb\n"
        "S 2/Cleo_3_assignsubmission_file_/x.ipynb",
        "Ada [1]: S 1/Ada_1_assignsubmission_file_/x.ipynb\n"
        "Bob [2]: S 1/Bob_2_assignsubmission_file_/x.ipynb\n"
        "Cleo [3]: S 2/Cleo_3_assignsubmission_file_/x.ipynb",
    ),
    "a group of one": (
        "Gruppe A/ada/nst.ipynb\nGruppe A/bob/nst.ipynb\nGruppe B/cleo/nst.ipynb",
        "ada: Gruppe A/ada/nst.ipynb\nbob: Gruppe A/bob/nst.ipynb\ncleo: Gruppe B/cleo/nst.ipynb",
    ),
    "a group of one, flat": (
        "Montag/ada.ipynb\nMontag/bob.ipynb\nDienstag/cleo.ipynb",
        "ada: Montag/ada.ipynb\nbob: Montag/bob.ipynb\ncleo: Dienstag/cleo.ipynb",
    ),
    "parts of a class with names of their own": (
        "Turing/ada/nst.ipynb\nTuring/bob/nst.ipynb\nNoether/cleo/nst.ipynb",
        "ada: Turing/ada/nst.ipynb\nbob: Turing/bob/nst.ipynb\ncleo: Noether/cleo/nst.ipynb",
    ),
    "a folder for each day": (
        "2024-05-01/ada.ipynb\n2024-05-01/bob.ipynb\n2024-05-02/cleo.ipynb",
        "ada: 2024-05-01/ada.ipynb\nbob: 2024-05-01/bob.ipynb\ncleo: 2024-05-02/cleo.ipynb",
    ),
    "names without letters": (
        "Informatik/\U0001f98a/nst.ipynb\nInformatik/\U0001f43b/nst.ipynb",
        "\U0001f43b: Informatik/\U0001f43b/nst.ipynb\n\U0001f98a: Informatik/\U0001f98a/nst.ipynb",
    ),
    "who came late": (
        "Abgaben/ada/nst.ipynb\nAbgaben/bob/nst.ipynb\nlate/cleo.ipynb\ndan.ipynb",
        "ada: Abgaben/ada/nst.ipynb\nbob: Abgaben/bob/nst.ipynb\n"
        "cleo: late/cleo.ipynb\ndan: dan.ipynb",
    ),
    "one of three": (
        "Abgaben/ada/nst.ipynb\nAbgaben/bob/\nAbgaben/cleo/",
        "ada: Abgaben/ada/nst.ipynb\nbob: Abgaben/bob\ncleo: Abgaben/cleo",
    ),
    "one of three, in a folder with a name": (
        "Informatik/ada/nst.ipynb\nInformatik/bob/\nInformatik/cleo/",
        "ada: Informatik/ada/nst.ipynb\nbob: Informatik/bob\ncleo: Informatik/cleo",
    ),
    "short numbers": (
        "Abgaben/1/nst.ipynb\nAbgaben/2/nst.ipynb\nAbgaben/10/nst.ipynb",
        "1: Abgaben/1/nst.ipynb\n2: Abgaben/2/nst.ipynb\n10: Abgaben/10/nst.ipynb",
    ),
    "two short numbers": (
        "foo/bar/s01/nst.ipynb\nfoo/bar/s02/nst.ipynb",
        "s01: foo/bar/s01/nst.ipynb\ns02: foo/bar/s02/nst.ipynb",
    ),
    "short numbers, flat": (
        "Informatik/s1.ipynb\nInformatik/s2.ipynb\nInformatik/s3.ipynb\nlist.csv",
        "s1: Informatik/s1.ipynb\ns2: Informatik/s2.ipynb\ns3: Informatik/s3.ipynb",
    ),
    "groups with short numbers": (
        "Gruppe 1/1/nst.ipynb\nGruppe 1/2/nst.ipynb\nGruppe 2/3/nst.ipynb\nGruppe 2/4/nst.ipynb",
        "1: Gruppe 1/1/nst.ipynb\n2: Gruppe 1/2/nst.ipynb\n"
        "3: Gruppe 2/3/nst.ipynb\n4: Gruppe 2/4/nst.ipynb",
    ),
    "saved from letters": (
        "Downloads/nst.ipynb\nDownloads/nst (1).ipynb\nDownloads/nst (2).ipynb",
        "nst: Downloads/nst.ipynb\nnst (1): Downloads/nst (1).ipynb\n"
        "nst (2): Downloads/nst (2).ipynb",
    ),
    "a program of the teacher's": (
        "repo/ada/nst.ipynb\nrepo/bob/nst.ipynb\nrepo/src/grade.py",
        "ada: repo/ada/nst.ipynb\nbob: repo/bob/nst.ipynb\nsrc: repo/src/grade.py",
    ),
    "people whose names are words": (
        "Abgaben/Neu/nst.ipynb\nAbgaben/Test/nst.ipynb",
        "Neu: Abgaben/Neu/nst.ipynb\nTest: Abgaben/Test/nst.ipynb",
    ),
    "no notebook at all": (
        "win/ada/nst.py\nwin/bob/essay.pdf\nAufgabe 3.pdf",
        "ada: win/ada/nst.py\nbob: win/bob/essay.pdf",
    ),
    "names with dots": (
        "a.lovelace.ipynb\na.smith.ipynb\na.smith.png\nDr. B.ipynb\nDr. C.tar.gz",
        "a.lovelace: a.lovelace.ipynb\na.smith: a.smith.ipynb\nDr. B: Dr. B.ipynb\n"
        "Dr. C: Dr. C.tar.gz",
    ),
    "a file beside a folder of one name": (
        "ada/photo.png\nada.ipynb\nbob/nst.ipynb",
        "ada: ada.ipynb\nbob: bob/nst.ipynb",
    ),
    "two versions in a folder that is nobody's": (
        "Abgabe/nst.ipynb\nAbgabe/nst (1).ipynb",
        "Abgabe: Abgabe/nst (1).ipynb",
    ),
    "one student's course, unpacked": (
        "neural-style-transfer/nst_utils.py\nneural-style-transfer/notebooks/nst.ipynb\n"
        "neural-style-transfer/pretrained-model/train.py",
        "neural-style-transfer: neural-style-transfer/notebooks/nst.ipynb",
    ),
    "the report of an earlier grading": (
        "ada.ipynb\nold/graded/ada-1.json\nold/feedback/ada-1.html\nold/grades.csv",
        "ada: ada.ipynb",
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
        ("ada/nst.ipynb = ABOVE\nada/new.ipynb = PART\nbob/x.ipynb", "ada/nst.ipynb",
         "new.ipynb was not graded: nst.ipynb answers more exercises"),
        ("ada/new.ipynb\nada/old.ipynb = HANDOUT\nbob/x.ipynb", "ada/new.ipynb", ""),
        ("ada/nst_old.ipynb\nada/nst.ipynb", "ada/nst.ipynb", "nst_old.ipynb was not graded"),
        ("ada/1/x.ipynb\nada/2/x.ipynb\nbob/x.ipynb", "ada/2/x.ipynb",
         "1/x.ipynb was not graded: 2/x.ipynb"),
        ("ada/nst.ipynb\nada/other.ipynb = OTHER\nbob/x.ipynb", "ada/nst.ipynb", ""),
        ("ada/nst.ipynb\nada/x.ipynb = { broken\nbob/x.ipynb", "ada/nst.ipynb",
         "x.ipynb was not graded: nst.ipynb answers more exercises"),
        ("ada/neural_style_transfer.ipynb = HANDOUT\nada/solutions/neural_style_transfer.ipynb\n"
         "bob/x.ipynb", "ada/neural_style_transfer.ipynb",
         "solutions/neural_style_transfer.ipynb was not graded: it is the course's solution"),
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
    for out, students in (("report", ["ada", "bob"]), ("bob/report", ["ada", "bob", "graded"])):
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
