"""Where the seconds go: the painter's command line from the shell to the saved file, in parts.

Each run has a copy of its checkout to itself: nothing is cached, and nothing is left behind.
Checkouts are run in turn, so that a machine that becomes slower is so for all of them.
"""

from __future__ import annotations

import argparse
import compileall
import csv
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import nst_utils
from benchmark import spans
from benchmark.cases import PAIRS, find

NOT_COPIED = "kmeans-*", "*.h5", "*.mat", "__pycache__"  # fits that are kept; other weights
PHASES = (spans.PYTHON, "importing", "reading", "weights", "building", "keeping", spans.FIT)
PHASES += (spans.CALIBRATION, "preparation", "estimate", "targets", spans.START, "trace", "steps")
PHASES += ("saving", spans.WAITING, spans.REST, spans.END)  # in the order of the table


@dataclass
class Painted:
    """One run: seconds by what they went to, and what else was noted."""

    checkout: str
    pair: str
    wall: float
    seconds: dict[str, float]  # their sum is `wall`
    beside: dict[str, float]  # those of other threads, not in the sum
    frames: list[tuple[float, int, int]]  # (seconds since the start, side, step)
    memory: float  # peak GB
    said: str = ""  # what it printed

    def looks(self) -> dict[str, float]:
        """When there was something to see: the start, the first step, the first scale's result."""
        found = {"first look (the start)": self.frames[0][0]} if self.frames else {}
        first = next((s for s, _, step in self.frames if step > 0), None)
        coarse = [s for s, side, _ in self.frames if side == self.frames[0][1]]
        found |= {"after the first step": first} if first else {}
        return found | ({"first scale painted": coarse[-1]} if coarse else {})


def track_where(options: argparse.Namespace) -> list[Painted]:
    """Run every checkout on every pair, `times` in turn, and print what was found."""
    checkouts = named([path.resolve() for path in options.of or [nst_utils.ROOT]])
    runs, extra = [], shlex.split(options.painter_options)
    for _, number, (name, checkout) in product(
        range(options.times), options.pairs, checkouts.items()
    ):
        pair = [find(f, n) for f, n in zip(("content", "styles"), PAIRS[number], strict=True)]
        runs.append(painted(checkout, pair, ["--max-side", str(options.size), *extra], name))
        print(f"{runs[-1].pair}, {name}: {runs[-1].wall:.1f} s", flush=True)
    print("\n".join(["", *table(runs), "", *ratios(runs, list(checkouts))]), flush=True)
    return runs


def named(paths: list[Path]) -> dict[str, Path]:
    """Short names for checkouts: that of the folder, with a number where two have the same."""
    found = {}
    for path in paths:
        if not (path / "notebooks" / "painter" / "__main__.py").is_file():
            sys.exit(f"--of {path}: there is no notebooks/painter in it; name a checkout's folder.")
        same = sum(other.name == path.name for other in found.values())
        found[path.name + (f" ({same + 1})" if same else "")] = path
    return found


def painted(checkout: Path, pair: list[Path], arguments: list[str], name: str = "") -> Painted:
    """Run a copy of a checkout's painter once, in its own process. Raises RuntimeError."""
    with tempfile.TemporaryDirectory(prefix="where-") as folder:
        copy, result = copied(checkout, Path(folder, "course")), Path(folder, "spans.json")
        output = Path(folder, "painted.png")
        places = {"KERAS_HOME": "keras", "XDG_CACHE_HOME": "cache"}
        environment = os.environ | {key: str(Path(folder, to)) for key, to in places.items()}
        environment["NST_WEIGHTS"] = "embedded"  # those that every checkout has, with no network
        begun = time.monotonic()
        command = [sys.executable, spans.__file__, result, repr(begun), copy]
        command += [*pair, "-o", output, *arguments]
        done = subprocess.run(
            list(map(str, command)), env=environment, capture_output=True, text=True
        )
        ended = time.monotonic()
        if done.returncode or not output.is_file():
            end = done.stderr.strip()[-2000:]
            raise RuntimeError(f"The painter of {checkout} ended with {done.returncode}: {end}")
        found = json.loads(result.read_text())
    seconds, wall = found["spans"], ended - begun
    seconds[spans.END] = ended - found["ended"]
    if abs(sum(seconds.values()) - wall) > 0.02 * wall:
        raise RuntimeError(f"The parts add up to {sum(seconds.values()):.2f} s, not {wall:.2f}.")
    pictures = " + ".join(path.stem for path in pair)
    rest = found["beside"], found["frames"], found["peak GB"]
    return Painted(name or checkout.name, pictures, wall, seconds, *rest, done.stdout)


def copied(checkout: Path, copy: Path) -> Path:
    """Copy what the painter needs, without what earlier runs kept, and compile it as usual."""
    leave = shutil.ignore_patterns(*NOT_COPIED)
    for folder in ("notebooks/painter", "pretrained-model"):
        shutil.copytree(checkout / folder, copy / folder, ignore=leave)
    for path in checkout.glob("*.py"):
        shutil.copy(path, copy)
    compileall.compile_dir(copy, quiet=2)
    return copy


def typical(runs: list[Painted], checkout: str, pair: str | None = None) -> Painted:
    """The run of a checkout whose time is the median (of the first pair): its parts add up."""
    pair = pair or runs[0].pair
    mine = [run for run in runs if (run.checkout, run.pair) == (checkout, pair)]
    return sorted(mine, key=lambda run: run.wall)[(len(mine) - 1) // 2]


def order(label: str) -> tuple:
    """Sort labels as a run goes; numbers in them as numbers."""
    place = next((k for k, phase in enumerate(PHASES) if label.startswith(phase)), len(PHASES))
    numbers = [int(part) for part in re.findall(r"\d+", label)]
    return place, numbers, label


def parts_of_fit(seconds: dict[str, float]) -> dict[str, float]:
    """Seconds of the fit, by layer."""
    mine = sorted((k for k in seconds if k.startswith(spans.FIT)), key=order)
    return {label.removeprefix(spans.FIT).strip(" ,"): seconds[label] for label in mine}


def in_parts(seconds: dict[str, float]) -> dict[str, float]:
    """The same seconds in fewer parts: one for all layers' fits, one for all imports."""
    parts: dict[str, float] = {}
    for label in sorted(seconds, key=order):
        whole = next((p for p in ("importing", spans.FIT) if label.startswith(p)), label)
        name = {"importing": "importing TensorFlow and the rest"}.get(whole, whole)
        parts[name] = parts.get(name, 0.0) + seconds[label]
    return parts


def table(runs: list[Painted]) -> list[str]:
    """Lines of a table: what the seconds of each checkout's typical run went to, by pair."""
    lines = []
    for pair in dict.fromkeys(run.pair for run in runs):
        names = list(dict.fromkeys(run.checkout for run in runs))
        some = [typical(runs, name, pair) for name in names]
        head = f"{pair + ', seconds':40}" + "".join(f"{name[:17]:>18}" for name in names)
        lines += [head, *rows([run.seconds for run in some], [run.wall for run in some])]
        lines += rows([{"total": run.wall} for run in some], None)
        beside = [{f"beside: {k}": v for k, v in run.beside.items()} for run in some]
        lines += rows(beside, None)
        lines += rows([run.looks() | {"peak GB": run.memory} for run in some], None)
    return lines


def rows(found: list[dict[str, float]], walls: list[float] | None) -> list[str]:
    """A line for each label, with a column for each dict; with `walls`, also shares of these."""
    lines = []
    labels = dict.fromkeys(label for some in found for label in some)
    for label in sorted(labels, key=order) if walls else labels:
        line = f"{label:40}"
        for k, some in enumerate(found):
            share = f"{some.get(label, 0) / walls[k]:6.1%}" if walls else 6 * " "
            line += f"{some.get(label, 0):11.2f} {share}"
        lines.append(line)
    return lines


def ratios(runs: list[Painted], names: list[str]) -> list[str]:
    """Lines: all totals of each checkout, and the first one's median divided by the others'."""
    lines = []
    for pair in dict.fromkeys(run.pair for run in runs):
        first = typical(runs, names[0], pair).wall
        for name in names:
            walls = [run.wall for run in runs if (run.checkout, run.pair) == (name, pair)]
            middle = typical(runs, name, pair).wall
            line = f"{pair}, {name}: {', '.join(f'{wall:.1f}' for wall in walls)} s"
            ratio = f"; {names[0]} / {name}: {first / middle:.2f}"
            lines.append(line + ratio * (name != names[0]))
    return lines


def write_runs(runs: list[Painted], path: Path) -> None:
    """Write all runs, a line for each label of each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with nst_utils.whole_file(path) as temporary, temporary.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["run", "checkout", "pair", "kind", "what", "value"])
        for number, run in enumerate(runs, 1):
            kinds = {"seconds": run.seconds, "beside": run.beside, "after seconds": run.looks()}
            kinds["whole"] = {"seconds": run.wall, "peak GB": run.memory}
            for kind, values in kinds.items():
                for what in sorted(values, key=order):
                    value = f"{values[what]:.3f}"
                    table.writerow([number, run.checkout, run.pair, kind, what, value])
