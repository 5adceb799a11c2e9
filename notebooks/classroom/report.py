"""What a teacher and the students read: grades.csv, summary.html, a page of feedback each."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path

import jinja2
import numpy as np
from matplotlib.figure import Figure

import checkpoints
from classroom import write_whole

TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).resolve().parent / "templates"),
    autoescape=jinja2.select_autoescape(["html"]),
)


def write_reports(results: list[dict], out: Path) -> None:
    """grades.csv, a page for each student, and the summary of the class."""
    _put_old_pages_away(results, out)
    page = TEMPLATES.get_template("feedback.html")
    for result in results:
        write_whole(out / result["page"], page.render(r=result))
    write_whole(out / "grades.csv", _table(results))
    graded = [r for r in results if r["status"] == "graded"]
    write_whole(out / "summary.png", draw_summary(graded))
    write_whole(out / "summary.html", _summary(results, graded))


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
    writer.writerow(["student", "id", "file", *names, "total", "status", "diagnosis", "seed"])
    for r in results:
        says = [r["reason"], *(v["diagnosis"] for v in r["verdicts"].values()), *r["tampering"]]
        row = [r["student"], r["number"], r["file"], *r["points"].values(), r["total"], r["status"]]
        row += [" | ".join(text for text in says if text), r["seed"]]
        writer.writerow(map(_plain, row))
    return "\ufeff" + text.getvalue()  # the mark tells Excel: UTF-8


def _plain(item: object) -> object:
    """Text that a spreadsheet does not take for a formula."""
    return "'" + item if isinstance(item, str) and item[:1] in ("=", "+", "-", "@", "\t") else item


def _summary(results: list[dict], graded: list[dict]) -> str:
    """The text of summary.html."""
    return TEMPLATES.get_template("summary.html").render(
        results=results,
        graded=graded,
        rest=[r for r in results if r["status"] != "graded"],
        names=list(checkpoints.EXERCISES),
        mean=float(np.mean([r["total"] for r in graded])) if graded else 0.0,
        mistakes=common_mistakes(graded),
    )


def common_mistakes(results: list[dict]) -> list[tuple[int, str, str]]:
    """(how many students, exercise, a sentence), the commonest first."""
    wrong = [v for r in results for v in r["verdicts"].values() if v["mistake"]]
    counts = Counter((v["exercise"], v["mistake"]) for v in wrong)
    says = {(v["exercise"], v["mistake"]): v["diagnosis"] for v in wrong}
    return [(n, key[0], says[key]) for key, n in counts.most_common(12)]


def draw_summary(graded: list[dict]) -> bytes:
    """A PNG. Points per exercise: how many students got nothing, a part, all."""
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    axes, left = figure.subplots(), np.zeros(len(checkpoints.EXERCISES))
    shares = np.array(
        [[r["points"][n] / p for r in graded] for n, p in checkpoints.EXERCISES.items()]
    ).reshape(len(left), -1)
    groups = {
        "all points": (shares == 1, "#2a7f62"),
        "some": ((shares > 0) & (shares < 1), "#e9b44c"),
        "none": (shares == 0, "#b2432f"),
    }
    for label, (which, colour) in groups.items():
        count = which.sum(axis=1)
        bars = axes.barh(list(checkpoints.EXERCISES), count, left=left, label=label, color=colour)
        axes.bar_label(bars, [str(n) if n else "" for n in count], label_type="center")
        left = left + count
    axes.invert_yaxis()
    axes.set_xlabel("students")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper right", ncols=3, frameon=False)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=110)
    return drawn.getvalue()
