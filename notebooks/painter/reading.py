"""The pictures that the command line names, read so that each error names its file."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from PIL import Image

from nst_utils import ImageError, load_image
from painter.masks import as_mask
from painter.recipe import STARTS, PaintError

SMALLEST = 16  # pixels, down and across, that VGG-19 needs
ENOUGH = 4096  # pixels; `paint` shrinks styles, masks and starts to the photo's size anyway


class Pictures(NamedTuple):
    """What was read."""

    content: tf.Tensor  # (1, n_H, n_W, 3), as all of these
    styles: list[tf.Tensor]
    masks: list[tf.Tensor] | None
    init: str | tf.Tensor
    alpha: np.ndarray | None  # (n_H, n_W), uint8: how opaque the photo is; None if it is wholly so


def read_pictures(options: dict) -> Pictures:
    """Read the files that options name. Raises ImageError, PaintError."""
    largest = options["max_side"]
    masks, init = options["masks"], options["init"]
    content = read_picture(options["content"], largest)
    alpha = opacity(options["content"], content, largest) if options["transparency"] else None
    enough = max(ENOUGH, largest)
    return Pictures(
        content,
        [read_picture(path, enough) for path in options["style"]],
        [read_mask(path, enough) for path in masks] if masks else None,
        init if init in STARTS else _read_start(init, enough),
        alpha,
    )


def read_picture(path: str, max_side: int) -> tf.Tensor:
    """Read a picture that is large enough for VGG-19, or say which size it must be read at."""
    image = load_image(path, max_side)
    n_H, n_W = image.shape[1:3]
    if min(n_H, n_W) >= SMALLEST:
        return image
    short, long = _sides(path)
    size = f"{long} x {short}" if n_W >= n_H else f"{short} x {long}"  # upright, as it was read
    found = f"{path!r} is {size} pixels"
    if short < SMALLEST:
        raise ImageError(f"{found}; VGG-19 needs {SMALLEST} at least, so enlarge it or cut it out.")
    enough = -(-SMALLEST * long // short)
    raise ImageError(
        f"{found}, and {n_W} x {n_H} with a longer side of {max_side}; VGG-19 needs {SMALLEST} at "
        f"least: give --max-side {enough} or more, or cut out a part that is not so narrow."
    )


def _read_start(path: str, max_side: int) -> tf.Tensor:
    """Read the picture to start from; what is no file may be a name that was mistyped."""
    try:
        return read_picture(path, max_side)
    except ImageError as error:
        if Path(path).exists():
            raise
        raise ImageError(f"{error} Or give --init one of {', '.join(STARTS)}.") from None


def _sides(path: str) -> list[int]:
    """The shorter and the longer side of a file's picture, in pixels."""
    with Image.open(path) as picture:
        return sorted(picture.size)


def read_mask(path: str, max_side: int) -> tf.Tensor:
    """Read a mask; what is transparent in it is 0, whatever its colour."""
    mask = load_image(path, max_side, background="black")
    try:
        return as_mask(mask)
    except PaintError:
        raise PaintError(
            f"The mask {path!r} is black or transparent everywhere; it is white where its style "
            "is used."
        ) from None


def opacity(path: str, image: tf.Tensor, max_side: int) -> np.ndarray | None:
    """How opaque a picture is, (n_H, n_W), uint8; None if there is no transparency in it.

    Laid on white it is a c + 1 - a, laid on black a c: a is 1 less their difference.
    """
    on_black = load_image(path, max_side, background="black")
    a = 1 - np.mean(image - on_black, -1)[0]
    return np.rint(255 * np.clip(a, 0, 1)).astype(np.uint8) if a.min() < 1 else None


def check_transparency(path: Path) -> None:
    """Raise ImageError now, not after an hour's work, if the file cannot hold transparency."""
    if path.suffix.lower() != ".png":
        raise ImageError(f"{str(path)!r}: transparency is kept in a .png; choose such a name.")
