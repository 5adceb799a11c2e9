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

from nst_utils import ImageError, WeightsError, check_output, load_image, save_image, to_pixels
from painter.animation import check_animation, save_animation
from painter.painting import Frame, Painting, stylize
from painter.recipe import STARTS, PaintError, Recipe
from painter.sizes import scale_sides, shrink


def paint_files(options: dict) -> int:
    """Paint one picture; `options` are the command line's by name. Give the exit code."""
    try:
        return _paint_files(options)
    except (ImageError, WeightsError, PaintError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)  # while it reads the pictures, or while it saves
        return 130


def _paint_files(options: dict) -> int:
    settings = {name: value for name, value in options.items() if value is not None}
    output, animation = Path(options.pop("output")), options.pop("animation")
    names = [options["content"], *options["style"], *(options["masks"] or ()), options["init"]]
    C = load_image(options.pop("content"), options.pop("max_side"))
    styles = [load_image(path, 4096) for path in options.pop("style")]  # `paint` shrinks them
    options = _with_pictures(options)
    recipe = Recipe(**options)
    _check_places(filter(None, (output, animation)), names)
    if animation:
        check_animation(animation)
    painting, pictures = _painted(C, styles, recipe, options, making=bool(animation))
    interrupted = "interrupted" in painting.stopped
    if not painting.lowered and painting.stopped != "finished":
        print(f"Nothing was painted, nothing is written: {painting.stopped}", file=sys.stderr)
        return 130 if interrupted else 1
    settings |= {"content_layer": recipe.content_layer}
    settings |= {"network": painting.network, "stopped": painting.stopped}
    how = "painter " + json.dumps(settings)
    print(_save_somewhere(painting.image, output, how), painting.stopped)
    if animation:
        print(save_animation(pictures, animation))
    return 130 if interrupted else 0


def _painted(
    C: tf.Tensor, styles: list[tf.Tensor], recipe: Recipe, options: dict, making: bool
) -> tuple[Painting, list[np.ndarray]]:
    """Paint, show a bar, and give the small pictures of its `making`, if that is wanted."""
    scales, pictures = len(scale_sides(C.shape, recipe.scales)), []
    total = None if recipe.seconds is not None else scales * (recipe.limit() + 1)
    with tqdm(total=total, desc="painting", unit="step") as bar:

        def show(frame: Frame) -> None:
            bar.update()
            bar.set_postfix_str(f"{frame.side} px, J={frame.J:.3g}")
            if making:
                pictures.append(to_pixels(shrink(frame.image, min(1, 480 / frame.side))))

        return stylize(C, styles, show, **options), pictures


def _with_pictures(options: dict) -> dict:
    """Read the pictures that options name."""
    if options["masks"]:
        options["masks"] = [load_image(path) for path in options["masks"]]
    if options["init"] not in STARTS:
        options["init"] = load_image(options["init"])
    return options


def _save_somewhere(image: tf.Tensor, path: Path, settings: str) -> Path:
    """Save a picture; if that is no longer possible at `path`, in a new temporary folder."""
    try:
        return save_image(image, path, settings)
    except ImageError as error:
        print(f"ImageError: {error}", file=sys.stderr)
        folder = tempfile.mkdtemp(prefix="painted-")
        return save_image(image, Path(folder, path.stem + ".png"), settings)


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
