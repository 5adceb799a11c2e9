"""What a teacher and the students read: grades.csv, summary.html, a page of feedback each."""

from __future__ import annotations

import csv
import io
import statistics
from collections import Counter, defaultdict
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
    """grades.csv, a page for each student, and the summary of the class."""
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
    same = same_code(results)
    for r in results:
        says = [r["reason"], *(v["diagnosis"] for v in r["verdicts"].values()), *r["tampering"]]
        row = [r["student"], r["number"], r["file"], *r["points"].values(), r["total"], r["status"]]
        row += [" | ".join(text for text in says if text), r["seed"]]
        notes = [*r["notes"], *(f"the same code as {who}" for who in same.get(r["page"], ()))]
        writer.writerow(map(_plain, [*row, " | ".join(notes)]))
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
        same=[r | {"same": same} for r in results if (same := same_code(results).get(r["page"]))],
        passed_over=passed_over,
    )


def common_mistakes(results: list[dict]) -> list[tuple[int, str, str]]:
    """(how many students, exercise, what they were told), the commonest first.

    What teaches nothing comes last: not written, no such function, fix another exercise first.
    """
    wrong = [v for r in results for v in r["verdicts"].values() if v["mistake"]]
    counts = Counter((v["exercise"], v["diagnosis"]) for v in wrong)
    last = {(v["exercise"], v["diagnosis"]) for v in wrong if _teaches_nothing(v["mistake"])}
    ordered = sorted(counts.items(), key=lambda item: (item[0] in last, -item[1]))
    return [(count, *key) for key, count in ordered]


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


def same_code(results: list[dict]) -> dict[str, list[str]]:
    """page -> who else wrote the same code in all exercises, comments and layout aside.

    For the teacher's eyes only, and no proof: the functions are short.
    """
    groups, solution = defaultdict(list), solution_code()
    for r in results:
        if r["code"]:
            groups[r["code"]].append(r)
    same = {}
    for code, group in groups.items():
        for r in group:
            others = [f"{o['student']} ({o['file']})" for o in group if o is not r]
            same[r["page"]] = others + (["the solution"] if code == solution else [])
    return {page: others for page, others in same.items() if others}
