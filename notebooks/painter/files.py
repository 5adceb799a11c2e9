"""From files to files: what the command line does once it is understood."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from nst_utils import ImageError, WeightsError, check_output, save_image, to_pixels
from painter.animation import check_animation, save_animation
from painter.painting import Frame, Painting, stylize
from painter.reading import Pictures, check_transparency, read_pictures
from painter.recipe import PaintError, Recipe
from painter.sizes import scale_sides, shrink
from painter.terminal import INTERRUPTED, held_back


def paint_files(options: dict) -> int:
    """Paint one picture; `options` are the command line's by name. Give the exit code."""
    try:
        return _paint_files(options)
    except (ImageError, WeightsError, PaintError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)  # while it reads the pictures, or while it saves
        return INTERRUPTED


def _paint_files(options: dict) -> int:
    settings = {name: value for name, value in options.items() if value is not None}
    output, animation = Path(options.pop("output")), options.pop("animation")
    pictures, names = read_pictures(options), _names(options)
    for name in ("content", "style", "max_side"):
        options.pop(name)
    if options.pop("transparency"):
        check_transparency(output)
    options |= {"masks": pictures.masks, "init": pictures.init}
    recipe = Recipe(**options)
    _check_places(filter(None, (output, animation)), names)
    if animation:
        check_animation(animation)
    painting, making = _painted(pictures, recipe, options, making=bool(animation))
    with held_back():  # a picture that is painted is not lost by a second Ctrl-C
        interrupted = "interrupted" in painting.stopped
        if not painting.lowered and painting.stopped != "finished":
            why = painting.stopped + _remedy(painting.stopped)
            print(f"Nothing was painted, nothing is written: {why}", file=sys.stderr)
            return INTERRUPTED if interrupted else 1
        settings |= {"network": painting.network, "stopped": painting.stopped}
        how = "painter " + json.dumps(settings)
        print(_save_somewhere(painting.image, output, how, pictures.alpha), painting.stopped)
    if animation:
        print(save_animation(making, animation))
    return INTERRUPTED if interrupted else 0


REMEDIES = {  # what a painting says why it stopped -> what to do
    "interrupted": "",
    "not finite": "give smaller weights: --alpha, --beta, --tv, --style-layers",
    "no time": "give more --seconds, or a smaller --max-side",
    "no step": "give more --steps, a larger --beta, another --init or another painting",
}


def _remedy(stopped: str) -> str:
    """What to do when nothing was painted, from why; empty if that was wanted."""
    remedy = next((REMEDIES[word] for word in REMEDIES if word in stopped), "")
    return remedy and f"; {remedy}."


def _names(options: dict) -> list[str]:
    """The files that are read."""
    return [options["content"], *options["style"], *(options["masks"] or ()), options["init"]]


def _painted(
    pictures: Pictures, recipe: Recipe, options: dict, making: bool
) -> tuple[Painting, list[np.ndarray]]:
    """Paint, show a bar, and give the small pictures of its `making`, if that is wanted."""
    small = []
    with _Bar(pictures.content.shape, recipe) as bar:

        def show(frame: Frame) -> None:
            bar.show(frame)
            if making:
                small.append(to_pixels(shrink(frame.image, min(1, 480 / frame.side))))

        return stylize(pictures.content, pictures.styles, show, **options), small


class _Bar:
    """A bar that moves once a step, or with the seconds if they are given.

    It is not there before the first look at the picture: what is wrong is said without it.
    """

    def __init__(self, shape: Sequence[int], recipe: Recipe) -> None:
        self.recipe, self.bar, self.side, self.left = recipe, None, None, 0
        self.scales = len(scale_sides(shape, recipe.scales))

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def show(self, frame: Frame) -> None:
        seconds, limit = self.recipe.seconds, self.recipe.limit()
        if self.bar is None:
            # No time left: a fine scale's steps take ten times as long as those before. And tqdm
            # would wait for as many steps as were quick at a coarse scale.
            what = "{total_fmt} s" if seconds else "{total_fmt} steps, {elapsed}"
            shape = "{l_bar}{bar}| {n_fmt}/" + what + "{postfix}"
            quick = {"miniters": 1, "mininterval": 0, "total": seconds}
            self.bar = tqdm(desc="painting", bar_format=shape, **quick)
        if not seconds and limit is not None and frame.side != self.side:
            self.side, self.scales = frame.side, self.scales - 1
            self.bar.total = frame.step + limit * (self.scales + 1)  # a scale may end early
        self.bar.n = round(min(frame.seconds, seconds), 1) if seconds else frame.step
        J = f", J={frame.J:.3g}" if np.isfinite(frame.J) else ""  # unknown where time is up
        self.bar.set_postfix_str(f"{frame.side} px, step {frame.step}{J}")


def _save_somewhere(image: tf.Tensor, path: Path, settings: str, alpha: np.ndarray | None) -> Path:
    """Save a picture; if that is no longer possible at `path`, in a new temporary folder."""
    try:
        return save_image(image, path, settings, alpha)
    except ImageError as error:
        print(f"ImageError: {error}", file=sys.stderr)
        folder = tempfile.mkdtemp(prefix="painted-")
        return save_image(image, Path(folder, path.stem + ".png"), settings, alpha)


def _check_places(paths: Iterable[Path], read: Sequence[str]) -> None:
    """Raise ImageError if a file cannot be written, or would replace one that is used, too."""
    taken = list(read)
    for path in paths:
        if any(_same_file(check_output(path), name) for name in taken):
            raise ImageError(f"{str(path)!r} is used already: choose another name to write to.")
        taken.append(path)


def _same_file(one: Path, other: str | Path) -> bool:
    """Whether two names mean one file: links, and on some disks capital letters, do not count."""
    if one.exists() and Path(other).exists():
        return one.samefile(other)
    return os.path.realpath(one) == os.path.realpath(other)
