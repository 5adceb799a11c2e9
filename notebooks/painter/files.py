"""From files to files: what the command line does once it is understood."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import tensorflow as tf
from tqdm import tqdm

from nst_utils import ImageError, WeightsError, check_output, load_image, save_image, to_pixels
from painter.animation import ANIMATED, save_animation
from painter.painting import Frame, stylize
from painter.recipe import STARTS, PaintError, Recipe
from painter.sizes import scale_sides, shrink


def paint_files(options: dict) -> int:
    """Paint one picture; `options` are the command line's by name. Give the exit code."""
    settings = {name: value for name, value in options.items() if value is not None}
    output, animation = Path(options.pop("output")), options.pop("animation")
    names = [options["content"], *options["style"], *(options["masks"] or ()), options["init"]]
    try:
        C = load_image(options.pop("content"), options.pop("max_side"))
        styles = [load_image(path, 4096) for path in options.pop("style")]  # `paint` shrinks them
        options = _with_pictures(options)
        recipe, pictures = Recipe(**options), []
        settings["content_layer"] = recipe.content_layer
        taken = list(names)
        for path in filter(None, (output, animation)):
            if any(_same_file(check_output(path), name) for name in taken):
                raise ImageError(f"{str(path)!r} is used already: choose another name to write to.")
            taken.append(path)
        if animation and Path(animation).suffix.lower() not in ANIMATED:
            raise ImageError(f"{animation!r}: an animation is {' or '.join(ANIMATED)}.")
        scales = len(scale_sides(C.shape, recipe.scales))
        total = None if recipe.seconds is not None else scales * (recipe.limit() + 1)
        with tqdm(total=total, desc="painting", unit="step") as bar:

            def show(frame: Frame) -> None:
                bar.update()
                bar.set_postfix_str(f"{frame.side} px, J={frame.J:.3g}")
                if animation:
                    pictures.append(to_pixels(shrink(frame.image, min(1, 480 / frame.side))))

            painting = stylize(C, styles, show, **options)
        if not painting.lowered and painting.stopped != "finished":
            print(f"Nothing was painted, nothing is written: {painting.stopped}", file=sys.stderr)
            return 130 if "interrupted" in painting.stopped else 1
        settings |= {"network": painting.network, "stopped": painting.stopped}
        how = "painter " + json.dumps(settings)
        print(_save_somewhere(painting.image, output, how), painting.stopped)
        if animation:
            print(save_animation(pictures, animation))
    except (ImageError, WeightsError, PaintError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)  # while it reads the pictures, or while it saves
        return 130
    return 130 if "interrupted" in painting.stopped else 0


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


def _same_file(one: Path, other: str | Path) -> bool:
    """Whether two names mean one file: links, and on some disks capital letters, do not count."""
    if one.exists() and Path(other).exists():
        return one.samefile(other)
    return os.path.realpath(one) == os.path.realpath(other)
