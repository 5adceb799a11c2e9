"""The table and the figures of what was found; a figure for each way to look at it."""

from __future__ import annotations

import csv
from itertools import cycle
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

import nst_utils
from benchmark.peers import Peers
from benchmark.runs import SHARES
from benchmark.tracks import OURS, Bench
from benchmark.where import Painted, in_parts, parts_of_fit, typical, write_runs


def write(bench: Bench) -> None:
    """Write the table and the figure, whole or not at all."""
    write_rows(bench.rows, bench.out / "benchmark.csv")
    with nst_utils.whole_file(bench.out / "benchmark.png") as path:
        draw(bench.rows).savefig(path, dpi=110)
    if moments := [row for row in bench.rows if row["track"] == "B"]:
        with nst_utils.whole_file(bench.out / "race.png") as path:
            draw_race(moments, bench.size).savefig(path, dpi=110)


def write_rows(rows: list[dict], path: Path) -> None:
    """Write rows as a table, whole or not at all; a row may lack columns."""
    names = list(dict.fromkeys(key for row in rows for key in row))
    with nst_utils.whole_file(path) as temporary, temporary.open("w", newline="") as file:
        table = csv.DictWriter(file, names)
        table.writeheader()
        for row in rows:
            table.writerow({k: f"{v:.4g}" if isinstance(v, float) else v for k, v in row.items()})


def draw(rows: list[dict]) -> Figure:
    """Scores by baseline, Tracks 0 and A; and distances after some seconds, Track B."""
    figure = Figure(figsize=(11, 12), layout="constrained")
    published, same, seconds = figure.subplots(3)
    _draw_scores(published, rows, "0", "Track 0: the recipes as published")
    _draw_scores(same, rows, "A", "Track A: same costs")
    _draw_moments(seconds, [row for row in rows if row["track"] == "B"])
    return figure


LOOKS = (("#c0392b", "*-"), ("#34495e", "o--"), ("#2980b9", "s-."), ("#16a085", "D:"))
LOOKS += (
    ("#8e44ad", "^--"),
    ("#d68910", "v-."),
    ("#7f8c8d", "P:"),
)  # a colour, a marker and a line for each recipe


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


def write_where(runs: list[Painted], size: int, out: Path) -> None:
    """Write all runs as a table, and the typical ones of the first pair as a figure."""
    write_runs(runs, out / "where.csv")
    names = dict.fromkeys(run.checkout for run in runs)
    with nst_utils.whole_file(out / "where.png") as path:
        draw_where([typical(runs, name) for name in names], size).savefig(path, dpi=110)


def draw_where(runs: list[Painted], size: int) -> Figure:
    """Where the seconds go: a bar for each run, in numbered parts; below, the fit by layer."""
    figure = Figure(figsize=(12, 6.5 + 0.9 * len(runs)), layout="constrained")
    whole, fit = figure.subplots(2, gridspec_kw={"height_ratios": [1 + len(runs), 4]})
    names = list(dict.fromkeys(part for run in runs for part in in_parts(run.seconds)))
    looks = dict(zip(names, cycle(_parts_looks()), strict=False))
    for place, run in enumerate(runs):
        left, parts = 0.0, in_parts(run.seconds)
        for number, name in enumerate(names, 1):
            seconds = parts.get(name, 0.0)
            whole.barh(place, seconds, 0.6, left, **looks[name])
            if seconds > run.wall / 60:
                box = {"color": "white", "alpha": 0.85, "pad": 1}
                middle = {"ha": "center", "va": "center", "fontsize": 9, "bbox": box}
                whole.text(left + seconds / 2, place, number, **middle)
            left += seconds
        whole.text(left, place, f" {run.wall:.1f} s", va="center", fontsize=11)
    whole.set_yticks(range(len(runs)), [run.checkout for run in runs])
    whole.set(xlim=(0, 1.08 * max(run.wall for run in runs)), xlabel="seconds since the command")
    whole.set_title(f"From the command to the saved file: {runs[0].pair}, {size} px")
    whole.invert_yaxis()
    _legend_of_parts(figure, runs, names, looks)
    _draw_fits(fit, runs)
    return figure


def _parts_looks() -> list[dict]:
    """A colour and a hatch for each part; neighbours differ in both."""
    colours = "#f2b134", "#4f9bd9", "#e4e4e4", "#16a085", "#c39bd3", "#e59866", "#7f8c8d"
    hatches = "", "//", "..", "xx", "--"
    return [
        {"facecolor": colours[k % 7], "hatch": hatches[k % 5], "edgecolor": "black"}
        for k in range(35)
    ]


def _legend_of_parts(figure: Figure, runs: list[Painted], names: list[str], looks: dict) -> None:
    """Say which number is which part, and how long each run took for it."""
    handles, labels = [], []
    for number, name in enumerate(names, 1):
        seconds = (f"{in_parts(run.seconds).get(name, 0.0):.1f}" for run in runs)
        handles.append(Patch(**looks[name]))
        labels.append(f"{number}  {name}: {', '.join(seconds)} s")
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=9)


def _draw_fits(axes: Axes, runs: list[Painted]) -> None:
    """Seconds of the fit, a group of bars for each layer."""
    layers = list(dict.fromkeys(name for run in runs for name in parts_of_fit(run.seconds)))
    width = 0.8 / len(runs)
    for k, (run, look) in enumerate(zip(runs, cycle(_parts_looks()), strict=False)):
        found = parts_of_fit(run.seconds)
        heights = [found.get(layer, 0.0) for layer in layers]
        places = [place + k * width for place in range(len(layers))]
        bars = axes.bar(places, heights, width, label=run.checkout, **look)
        axes.bar_label(bars, [f"{height:.1f}" for height in heights], fontsize=8)
    middles = [place + (len(runs) - 1) * width / 2 for place in range(len(layers))]
    axes.set_xticks(middles, [layer.replace("_", "\n") for layer in layers], fontsize=8)
    axes.set(ylabel="seconds", title="The fit, by layer")
    axes.legend()
    axes.grid(axis="y", alpha=0.3)


def write_peers(peers: Peers, size: int, out: Path) -> None:
    """Write what the peers did: the rows, where each stood second by second, and the figure."""
    write_rows(peers.rows, out / "peers.csv")
    write_rows(peers.shots, out / "peers_on_the_way.csv")
    if not peers.shots:  # not yet
        return
    with nst_utils.whole_file(out / "peers.png") as path:
        draw_peers(peers.rows, peers.shots, size).savefig(path, dpi=110)


def draw_peers(rows: list[dict], shots: list[dict], size: int) -> Figure:
    """How near each peer was, second by second, on the first pair; and the seconds of its steps."""
    figure = Figure(figsize=(11, 9.5), layout="constrained")
    places = figure.subplot_mosaic([["style", "content"], ["steps", "plain"]])
    shots = [shot for shot in shots if shot["pair"] == shots[0]["pair"]]
    names = list(dict.fromkeys(shot["against"] for shot in shots))
    for key, what in (("style", "painting"), ("content", "photo")):
        axes = places[key]
        for name, (colour, look) in zip(names, cycle(LOOKS), strict=False):
            mine = [shot for shot in shots if shot["against"] == name]
            seconds = [shot["seconds"] for shot in mine]
            distances = [shot[key] or float("nan") for shot in mine]  # 0: still the photo itself
            line = {"linewidth": 2.5 if name == OURS else 1.5, "label": name}
            line["markevery"] = -(-len(mine) // 10)  # a share would fail where nothing is drawn
            axes.plot(seconds, distances, look, color=colour, **line)
        last = next(shot[key] for shot in reversed(shots) if shot["against"] == OURS)
        axes.axhline(last, color=LOOKS[names.index(OURS)][0], linewidth=0.8)
        labels = {"xlabel": "seconds of optimisation", "ylabel": f"distance to the {what}"}
        labels["ylim"] = last / 20, 20 * last  # first steps go astray, and some begin at the photo
        axes.set(xscale="log", yscale="log", title=f"How near to the {what}?", **labels)
        axes.grid(alpha=0.3)
    pair = shots[0]["pair"]
    _draw_steps(places["steps"], [row for row in rows if row.get("pair") == pair], "Its own step")
    plain = [row for row in rows if str(row.get("at", "")).startswith("plain")]
    _draw_steps(places["plain"], plain, "Forward to conv5_1, and back, alone")
    figure.suptitle(
        f"Ours and its peers on {pair}, {size} px: lower is nearer; the thin line is ours"
    )
    figure.legend(*places["style"].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def _draw_steps(axes: Axes, rows: list[dict], title: str) -> None:
    """Seconds of a step, a bar for each method."""
    rows = [row for row in rows if "seconds a step" in row]
    seconds, names = [row["seconds a step"] for row in rows], [row["against"] for row in rows]
    ours = [{True: "//", False: ""}[name == OURS] for name in names]
    bars = axes.barh(range(len(rows)), seconds, color="#bcd9ee", edgecolor="black", hatch=ours)
    axes.bar_label(bars, [f"{value:.3g} s" for value in seconds], padding=3)
    axes.set_yticks(range(len(rows)), [name.replace(", ", ",\n") for name in names])
    axes.set(xlim=(0, 1.2 * max(seconds, default=1)), xlabel="seconds a step", title=title)
    axes.invert_yaxis()
