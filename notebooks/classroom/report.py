"""What a teacher and the students read: grades.csv, summary.html, a page of feedback each."""

from __future__ import annotations

import csv
import io
import statistics
from collections import defaultdict
from pathlib import Path

import jinja2

import checkpoints
from classroom import write_whole
from classroom.remarks import solution_code

TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).resolve().parent / "templates"),
    autoescape=jinja2.select_autoescape(["html"]),
    trim_blocks=True,
    lstrip_blocks=True,
)
# Ends of the ids of mistakes that teach nothing: there is no answer, or another is to blame.
TEACH_NOTHING = ("-not-written", "not-run", "-malformed")
MOST_MISTAKES = 20


def write_reports(results: list[dict], out: Path, passed_over: list[str] | None = None) -> None:
    """grades.csv, a page for each student, and the summary of the class.

    `results` are those of `batch.grade_all`: the keys of `grade.grade_bytes`, and student, number
    (the id that a platform gave, "" if none), file, page (its path in `out`).
    """
    _put_old_pages_away(results, out)
    page = TEMPLATES.get_template("feedback.html")
    for result in results:
        write_whole(out / result["page"], page.render(r=result))
    write_whole(out / "grades.csv", _table(results))
    write_whole(out / "summary.html", _summary(results, passed_over or []))


def _put_old_pages_away(results: list[dict], out: Path) -> None:
    """Pages of files that were handed in before, and are gone, move to feedback-old/."""
    pages = {out / result["page"] for result in results}
    for path in set((out / "feedback").glob("*.html")) - pages:
        (out / "feedback-old").mkdir(exist_ok=True)
        path.replace(out / "feedback-old" / path.name)


def _table(results: list[dict]) -> str:
    """The text of grades.csv."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = list(checkpoints.EXERCISES)
    head = ["student", "id", "file", *names, "total", "status", "diagnosis", "seed", "notes"]
    writer.writerow(head)
    same = _told_of_same_code(results)
    for r in results:
        says = [r["reason"], *(v["diagnosis"] for v in r["verdicts"].values()), *r["tampering"]]
        row = [r["student"], r["number"], r["file"], *r["points"].values(), r["total"], r["status"]]
        row += [" | ".join(text for text in says if text), r["seed"]]
        notes = [*r["notes"], same.get(r["page"], "")]
        writer.writerow(map(_plain, [*row, " | ".join(filter(None, notes))]))
    return "\ufeff" + text.getvalue()  # the mark tells Excel: UTF-8


def _plain(item: object) -> object:
    """Text that a spreadsheet does not take for a formula."""
    return "'" + item if isinstance(item, str) and item[:1] in ("=", "+", "-", "@", "\t") else item


def _summary(results: list[dict], passed_over: list[str]) -> str:
    """The text of summary.html."""
    graded = [r for r in results if r["status"] == "graded"]
    mistakes = common_mistakes(graded)
    return TEMPLATES.get_template("summary.html").render(
        results=results,
        graded=graded,
        rest=[r for r in results if r["status"] != "graded"],
        exercises=checkpoints.EXERCISES,
        mean=statistics.fmean(r["total"] for r in graded) if graded else 0.0,
        shares=shares_of_points(graded),
        mistakes=mistakes[:MOST_MISTAKES],
        more=len(mistakes) - MOST_MISTAKES,
        same=same_code(results),
        solution=solution_code(),
        passed_over=passed_over,
    )


def common_mistakes(results: list[dict]) -> list[tuple[int, str, str]]:
    """(how many students, exercise, what they were told), the commonest first.

    What teaches nothing comes last, of all exercises together: not written, no such function, fix
    another one first.
    """
    students, exercises = defaultdict(set), defaultdict(set)
    for number, result in enumerate(results):
        for v in result["verdicts"].values():
            if v["mistake"]:
                last, says = _teaches_nothing(v["mistake"]), v["diagnosis"]
                if last:
                    says = says.replace(v["exercise"], "the function")
                says = says if says.startswith(v["exercise"]) else says[:1].upper() + says[1:]
                key = last, "" if last else v["exercise"], says
                students[key].add(number)
                exercises[key].add(v["exercise"])
    ordered = sorted(students, key=lambda key: (key[0], -len(students[key])))
    names = {key: [e for e in checkpoints.EXERCISES if e in exercises[key]] for key in ordered}
    return [(len(students[key]), ", ".join(names[key]), key[2]) for key in ordered]


def _teaches_nothing(mistake: str) -> bool:
    return mistake.endswith(TEACH_NOTHING) or "-fix-" in mistake


def shares_of_points(graded: list[dict]) -> dict[str, tuple[int, int, int]]:
    """exercise -> how many students got all points, some, none."""
    shares = {}
    for name, possible in checkpoints.EXERCISES.items():
        points = [r["points"][name] for r in graded]
        every, none = sum(p == possible for p in points), sum(p == 0 for p in points)
        shares[name] = (every, len(points) - every - none, none)
    return shares


def same_code(results: list[dict]) -> list[list[dict]]:
    """Groups of students who wrote the same code in all exercises, comments and layout aside.

    For the teacher's eyes only, and no proof: the functions are short. The solution makes a group
    with one student, too.
    """
    groups = defaultdict(list)
    for r in results:
        if r["code"]:
            groups[r["code"]].append(r)
    solution = groups.get(solution_code(), [])
    return [group for group in groups.values() if len(group) > 1 or group is solution]


def _told_of_same_code(results: list[dict]) -> dict[str, str]:
    """page -> a line on who else wrote the same code."""
    lines = {}
    for group in same_code(results):
        for r in group:
            others = [f"{o['student']} ({o['file']})" for o in group if o is not r]
            others += ["the solution"] if r["code"] == solution_code() else []
            lines[r["page"]] = f"the same code as {', '.join(others)}"
    return lines
