"""How time and memory grow with the picture, and whether the painter says so beforehand."""

from __future__ import annotations

import argparse
import re
import shlex
import tempfile
from dataclasses import asdict, dataclass
from math import log
from pathlib import Path

from PIL import Image

import nst_utils
from benchmark import spans, where
from benchmark.cases import PAIRS, find

SIDES = 256, 400, 768, 1536, 3072
# What `paint` does not count: it comes before, or after, or only the first time.
UNCOUNTED = "starting", "importing", "reading", "weights", "building", "keeping", spans.FIT
UNCOUNTED += "estimate", "saving", spans.END
SAID = re.compile(r"Painting \d+ x \d+ pixels: about (\d+) s and ([\d.]+) GB")


@dataclass(frozen=True)
class Size:
    """One size: what the painter said, what it took, and how that grew from the last size."""

    side: int
    pixels: int
    seconds: float  # of what it counts
    said_seconds: float
    peak_GB: float
    said_GB: float
    seconds_exponent: float | None = None  # seconds grow as pixels to this power
    memory_exponent: float | None = None


def track_growth(options: argparse.Namespace, sides: tuple[int, ...] = SIDES) -> list[Size]:
    """Paint the first pair at every size; each in its own process, nothing cached."""
    found, extra = [], shlex.split(options.painter_options)
    with tempfile.TemporaryDirectory(prefix="growth-") as folder:
        photo, painting = (find(f, n) for f, n in zip(("content", "styles"), PAIRS[0], strict=True))
        for side in sides:
            large = enlarged(photo, side, Path(folder, f"{side}.png"))
            run = where.painted(
                nst_utils.ROOT, [large, painting], ["--max-side", str(side), *extra]
            )
            with Image.open(large) as picture:
                found.append(size_of(run, side, picture.width * picture.height, found))
            print(in_words(found[-1]), flush=True)
    return found


def enlarged(path: Path, side: int, to: Path) -> Path:
    """Write a photo of just this size: the painter makes none larger."""
    with Image.open(path) as picture:
        ratio = side / max(picture.size)
        picture.resize([round(n * ratio) for n in picture.size]).save(to)
    return to


def size_of(run: where.Painted, side: int, pixels: int, before: list[Size]) -> Size:
    """What a run took, beside what it said; and how that grew."""
    said = SAID.search(run.said)
    if not said:
        raise RuntimeError(f"The painter did not say what {side} pixels take: {run.said[:300]}")
    counted = {k: s for k, s in run.seconds.items() if not k.startswith(UNCOUNTED)}
    size = Size(side, pixels, sum(counted.values()), float(said[1]), run.memory, float(said[2]))
    if not before:
        return size
    last, grown = before[-1], log(pixels / before[-1].pixels)
    powers = log(size.seconds / last.seconds) / grown, log(size.peak_GB / last.peak_GB) / grown
    return Size(**asdict(size) | dict(zip(("seconds_exponent", "memory_exponent"), powers)))  # noqa: B905


def in_words(size: Size) -> str:
    """One line for a size."""
    line = (
        f"{size.side} px: {size.seconds:.1f} s, said {size.said_seconds:.0f} s "
        f"({size.said_seconds / size.seconds - 1:+.0%}); {size.peak_GB:.2f} GB, said "
        f"{size.said_GB:.1f} GB ({size.said_GB / size.peak_GB - 1:+.0%})"
    )
    if size.seconds_exponent is None:
        return line
    return f"{line}; as pixels^{size.seconds_exponent:.2f} and pixels^{size.memory_exponent:.2f}"
