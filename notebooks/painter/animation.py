"""Animation: the making of a painting as a moving picture."""

from __future__ import annotations

import numbers
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from nst_utils import ImageError, check_output, to_pixels, write_picture

ANIMATED = (".gif", ".png", ".webp")


def check_animation(path: str | os.PathLike) -> Path:
    """Raise ImageError now, not after an hour's work, if no animation can be written to `path`."""
    path = check_output(path)
    if path.suffix.lower() not in ANIMATED:
        raise ImageError(f"{str(path)!r}: an animation is {' or '.join(ANIMATED)}.")
    return path


def save_animation(
    pictures: Sequence[np.ndarray], path: str | os.PathLike, seconds: float = 6
) -> Path:
    """Write pictures, as `to_pixels` takes them, as an animated .gif, .png or .webp.

    At most 60 of them, evenly chosen, enlarged to the size of the last, which stays longest.
    Raises ImageError.
    """
    path = check_animation(path)
    if not len(pictures):
        raise ImageError(f"{str(path)!r}: an animation has pictures; there is none.")
    if not (isinstance(seconds, numbers.Real) and 0 < seconds < 1e6):
        raise ImageError(f"An animation lasts some seconds, more than 0, not {seconds!r}.")
    pictures = [to_pixels(picture) for picture in pictures]
    chosen = np.unique(np.linspace(0, len(pictures) - 1, 60).round().astype(int))
    first, *rest = (
        Image.fromarray(pictures[k]).resize(pictures[-1].shape[1::-1], Image.Resampling.BICUBIC)
        for k in chosen
    )
    pause = [int(1000 * seconds / len(chosen))] * len(rest) + [2000]
    return write_picture(first, path, save_all=True, append_images=rest, duration=pause, loop=0)
