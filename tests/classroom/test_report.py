"""The report: a table that spreadsheets can read, pages, the summary."""

from __future__ import annotations

import csv

from handed_in import POINTS

from classroom.grade import nothing_graded
from classroom.report import common_mistakes, write_reports


def result(student, **verdicts):
    """A graded submission: `exercise=(points, mistake, diagnosis)`, all others right."""
    found = nothing_graded(7) | {"student": student, "number": "", "file": f"{student}.ipynb"}
    for name, possible in POINTS.items():
        points, mistake, says = verdicts.get(name, (possible, "", ""))
        found["verdicts"][name] = {
            "exercise": name, "points": points, "possible": possible, "diagnosis": says,
            "expected": "", "got": "", "hint": "", "mistake": mistake,
        }  # fmt: skip
        found["points"][name] = points
    page = "".join(c if c.isalnum() else "_" for c in student)
    return found | {"total": sum(found["points"].values()), "page": f"feedback/{page}.html"}


def rows(out):
    text = (out / "grades.csv").read_text(encoding="utf-8-sig")
    return list(csv.DictReader(text.splitlines()))


def test_a_spreadsheet_takes_no_name_for_a_formula(tmp_path):
    names = ["=1+1", "+a", "-b", "@c", "\tx", "Zoë, Ö"]
    write_reports([result(name) for name in names], tmp_path)
    assert [r["student"] for r in rows(tmp_path)] == [*("'" + n for n in names[:5]), "Zoë, Ö"]


def test_what_students_wrote_is_no_html(tmp_path):
    evil = "<script>alert(1)</script>"
    says = (0, "x", f"NameError: {evil}")
    write_reports([result(evil, gram_matrix=says) | {"notes": [evil]}], tmp_path)
    for path in tmp_path.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "<script>" not in text and "&lt;script&gt;" in text


def test_pages_of_files_no_longer_there_are_put_away(tmp_path):
    results = [result(name) for name in ("ada", "bob", "cleo")]
    write_reports(results, tmp_path)
    write_reports(results[1:], tmp_path)
    assert sorted(p.name for p in (tmp_path / "feedback").iterdir()) == ["bob.html", "cleo.html"]
    assert [p.name for p in (tmp_path / "feedback-old").iterdir()] == ["ada.html"]


def test_a_class_of_which_nothing_can_be_graded_has_a_report(tmp_path):
    refused = nothing_graded(7, "it is empty") | {"student": "ada", "number": "", "file": "a"}
    write_reports([refused | {"page": "feedback/ada.html"}], tmp_path)
    assert rows(tmp_path)[0]["diagnosis"] == "it is empty"
    assert "Mean 0 of 100" in (tmp_path / "summary.html").read_text(encoding="utf-8")


def test_the_commonest_mistake_comes_first():
    half = (7, "content-no-quarter", "4 times too large.")
    zero = (0, "gram-elementwise", "not a product of matrices.")
    results = [result("a", compute_content_cost=half), result("b", compute_content_cost=half)]
    results += [result("c", gram_matrix=zero), result("d")]
    assert common_mistakes(results) == [
        (2, "compute_content_cost", "4 times too large."),
        (1, "gram_matrix", "not a product of matrices."),
    ]
