"""The report: a table that spreadsheets can read, pages, the summary."""

from __future__ import annotations

import csv
import re

from handed_in import POINTS

from classroom.grade import nothing_graded
from classroom.report import common_mistakes, shares_of_points, write_reports


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
    assert "ada: not graded</h1>" in (tmp_path / "feedback/ada.html").read_text(encoding="utf-8")
    assert "Mean 0 of 100" in (tmp_path / "summary.html").read_text(encoding="utf-8")


def test_what_was_said_is_grouped_and_what_teaches_nothing_comes_last():
    """One student's sentence is not given for all who made a mistake of one kind."""
    half = (7, "content-no-quarter", "4 times too large.")
    first = (10, "train-fix-costs", "fix Exercise 1 first.")
    others = (10, "train-fix-costs", "fix Exercise 3 first.")
    stub = (0, "gram-not-written", "gram_matrix is not written yet.")
    gone = (0, "not-run", "Calling total_cost gave no result.")
    also = (0, "total-not-written", "total_cost is not written yet.")
    call = (0, "total-arguments", "total_cost could not be called.")
    results = [result("a", compute_content_cost=half, train_step=first)]
    results += [result(name, train_step=others, gram_matrix=stub) for name in "bcd"]
    results += [result(name, total_cost=gone) for name in "efgh"]
    results[0]["verdicts"]["total_cost"] |= {"mistake": also[1], "diagnosis": also[2]}
    results += [result("i", total_cost=call)]
    assert common_mistakes(results) == [
        (1, "compute_content_cost", "4 times too large."),
        (1, "total_cost", "total_cost could not be called."),
        (4, "gram_matrix, total_cost", "The function is not written yet."),
        (4, "total_cost", "Calling the function gave no result."),
        (3, "train_step", "Fix Exercise 3 first."),
        (1, "train_step", "Fix Exercise 1 first."),
    ]


def test_the_same_code_is_the_teachers_affair_alone(tmp_path):
    results = [
        result(name) | {"code": code.strip("-")} for name, code in zip("abcd", "xxy-", strict=True)
    ]
    write_reports(results, tmp_path)
    summary = (tmp_path / "summary.html").read_text(encoding="utf-8")
    assert "The same code" in summary and "(b.ipynb)" in summary and "(c.ipynb)" not in summary
    assert [row["notes"] for row in rows(tmp_path)] == [
        "the same code as b (b.ipynb)", "the same code as a (a.ipynb)", "", "",
    ]  # fmt: skip
    assert not [p for p in (tmp_path / "feedback").iterdir() if "same code" in p.read_text("utf-8")]


def test_the_summary_counts_all_some_and_none():
    results = [
        result("a"),
        result("b", total_cost=(7, "x", "")),
        result("c", total_cost=(0, "y", "")),
    ]
    shares = shares_of_points(results)
    assert shares["total_cost"] == (1, 1, 1) and shares["gram_matrix"] == (3, 0, 0)


def test_the_total_stands_beside_the_name(tmp_path):
    """At 1280 pixels it was cut off behind five columns; what is wider than the page scrolls."""
    write_reports([result("ada", total_cost=(7, "x", "so"))], tmp_path)
    summary = (tmp_path / "summary.html").read_text(encoding="utf-8")
    text = re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", summary.split("<h2>All</h2>")[1]))
    assert text.startswith(" student total compute_ content_ cost (15)")
    assert " ada 92 15 20 25 7 25" in text
    assert summary.count("<table>") == summary.count('<div class="scroll"><table>')
    for path in (tmp_path / "summary.html", tmp_path / "feedback/ada.html"):
        page = path.read_text(encoding="utf-8")
        assert "prefers-color-scheme: dark" in page and "color-scheme: light dark" in page


def test_a_long_name_pushes_nothing_out_of_sight(tmp_path):
    """A name of 120 letters without a blank moved the totals out of the window."""
    refused = nothing_graded(7, "it is empty") | {"student": "bob", "number": "", "file": "b"}
    results = [result("a" * 120), refused | {"page": "feedback/bob.html"}]
    write_reports(results, tmp_path)
    summary = (tmp_path / "summary.html").read_text(encoding="utf-8")
    assert re.search(r"td\.who { overflow-wrap: anywhere;", summary)
    cells = re.findall(r"<td[^>]*>(?=bob|<a href)", summary)
    assert cells == ['<td class="who">'] * 3


def test_the_points_are_told_by_more_than_colour(tmp_path):
    write_reports([result("a"), result("b", total_cost=(7, "x", "so"))], tmp_path)
    summary = (tmp_path / "summary.html").read_text(encoding="utf-8")
    text = re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", summary.split("<h2>Points")[1]))
    assert "how many students got all some none of the points" in text
    assert "4 total_cost 1 1 0 5 train_step 2 0 0" in text


def test_what_was_passed_over_is_told(tmp_path):
    write_reports([result("ada")], tmp_path, ["status.xlsx", "<list>.csv"])
    summary = (tmp_path / "summary.html").read_text(encoding="utf-8")
    assert "status.xlsx, &lt;list&gt;.csv" in summary
