"""The table and the figures of what was found; a figure for each way to look at it."""

from __future__ import annotations

import csv

from matplotlib.axes import Axes
from matplotlib.figure import Figure

import nst_utils
from benchmark.runs import SHARES
from benchmark.tracks import OURS, Bench


def write(bench: Bench) -> None:
    """Write the table and the figure, whole or not at all."""
    names = list(dict.fromkeys(key for row in bench.rows for key in row))
    with (
        nst_utils.whole_file(bench.out / "benchmark.csv") as path,
        path.open("w", newline="") as file,
    ):
        table = csv.DictWriter(file, names)
        table.writeheader()
        for row in bench.rows:
            table.writerow({k: f"{v:.4g}" if isinstance(v, float) else v for k, v in row.items()})
    with nst_utils.whole_file(bench.out / "benchmark.png") as path:
        draw(bench.rows).savefig(path, dpi=110)
    if moments := [row for row in bench.rows if row["track"] == "B"]:
        with nst_utils.whole_file(bench.out / "race.png") as path:
            draw_race(moments, bench.size).savefig(path, dpi=110)


def draw(rows: list[dict]) -> Figure:
    """Scores by baseline, Tracks 0 and A; and distances after some seconds, Track B."""
    figure = Figure(figsize=(11, 12), layout="constrained")
    published, same, seconds = figure.subplots(3)
    _draw_scores(published, rows, "0", "Track 0: the recipes as published")
    _draw_scores(same, rows, "A", "Track A: same costs")
    _draw_moments(seconds, [row for row in rows if row["track"] == "B"])
    return figure


LOOKS = (("#c0392b", "*-"), ("#34495e", "o--"), ("#2980b9", "s-."), ("#16a085", "D:"))
LOOKS += (("#8e44ad", "^--"), ("#d68910", "v-."))  # a colour, a marker and a line for each recipe


def draw_race(rows: list[dict], size: int) -> Figure:
    """Distance to the painting, and to the photo, against seconds: Track B, a line a recipe."""
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    panels = figure.subplots(1, 2)
    names = list(dict.fromkeys(row["against"] for row in rows))
    for axes, key, what in zip(panels, ("style", "content"), ("painting", "photo"), strict=True):
        for name, (colour, look) in zip(names, LOOKS, strict=False):
            mine = [row for row in rows if row["against"] == name]
            seconds, distance = [row["seconds"] for row in mine], [row[key] for row in mine]
            thick = 2.5 if name == OURS else 1.5
            axes.plot(seconds, distance, look, color=colour, linewidth=thick, label=name)
        labels = {"xlabel": "seconds of optimisation", "ylabel": f"distance to the {what}"}
        axes.set(xscale="log", yscale="log", title=f"How near to the {what}?", **labels)
        axes.set_xticks([row["seconds"] for row in rows if row["against"] == OURS])
        axes.get_xaxis().set_major_formatter("{x:g}")
        axes.minorticks_off()
        axes.grid(alpha=0.3)
    figure.suptitle(f"The race on {rows[0]['pair']}, {size} px: lower is nearer")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _draw_scores(axes: Axes, rows: list[dict], track: str, title: str) -> None:
    scored = [row for row in rows if row["track"] == track and row.get("score")]
    names = list(dict.fromkeys(row["against"] for row in scored))
    look = {"alpha": 0.7, "markersize": 9}
    for share, marker in zip(SHARES, "osD*", strict=True):
        some = [row for row in scored if row["at"] == f"{share:.0%}"]
        scores, places = [row["score"] for row in some], [names.index(r["against"]) for r in some]
        axes.plot(scores, places, marker, label=f"at {share:.0%}", **look)
    axes.set_yticks(range(len(names)), names)
    axes.axvline(1, color="black")
    axes.set(xscale="log", xlabel="times sooner (right is better; the line: equally soon)")
    axes.set_title(title)
    axes.legend()
    axes.grid(alpha=0.3)


def _draw_moments(axes: Axes, rows: list[dict]) -> None:
    pair = rows[0]["pair"] if rows else ""
    for name, marker in zip(dict.fromkeys(row["against"] for row in rows), "*osD^v", strict=False):
        mine = [row for row in rows if row["against"] == name and row["pair"] == pair]
        content, style = ([row[key] for row in mine] for key in ("content", "style"))
        axes.plot(content, style, f"{marker}-", label=name)
        for row in mine:
            axes.annotate(row["at"], (row["content"], row["style"]), fontsize=8)
    labels = {"xlabel": "distance to the content", "ylabel": "distance to the style"}
    axes.set(xscale="log", yscale="log", **labels)
    axes.set_title(f"Track B, {pair}: held-out layers; left and down is better")
    if rows:
        axes.legend()
    axes.grid(alpha=0.3)
