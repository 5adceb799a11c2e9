"""Pictures: what can be chosen, and files from outside, which may be anything."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf
from PIL import Image

from nst_utils import ROOT, ImageError, load_image, to_pixels

LARGEST_FILE = 8_000_000  # bytes; the server drops a connection that sends more than 10 MiB
MOST_PIXELS = 50_000_000  # decoded, 150 MB
LARGEST_SIDE = 1280  # pixels that are kept: the page's largest size, its strokes twice as large
SMALLEST_SIDE, LONGEST = 64, 8  # pixels of the shorter side; how many times longer the other may be
THUMBNAIL = 192  # pixels: sharp on screens with two dots a pixel
FOLDERS = {"photo": "images/content", "painting": "images/styles"}


def bundled(kind: str) -> dict[str, Path]:
    """The pictures that travel with the course, by name; `kind` is "photo" or "painting"."""
    return {path.stem: path for path in sorted((ROOT / FOLDERS[kind]).glob("*.jpg"))}


def read_bundled(path: Path) -> tf.Tensor:
    return load_image(path, LARGEST_SIDE)


def read_upload(name: str, data: bytes) -> tf.Tensor:
    """Read a file that somebody sent, (1, n_H, n_W, 3) in [0, 1]. Raises ImageError.

    Its sides and its number of pixels are limited before it is decoded: a file of some kilobytes
    can hold gigabytes of white.
    """
    if len(data) > LARGEST_FILE:
        raise ImageError(
            f"{name!r} has {len(data) / 1e6:.1f} MB; the page takes {LARGEST_FILE / 1e6:.0f} MB: "
            "make it smaller first."
        )
    file = io.BytesIO(data)
    file.name = name  # for the message
    with _few_pixels():
        image = load_image(file, LARGEST_SIDE)
    n_H, n_W = image.shape[1:3]
    if min(n_H, n_W) < SMALLEST_SIDE or max(n_H, n_W) > LONGEST * min(n_H, n_W):
        raise ImageError(
            f"{name!r} is too small or too narrow to paint ({n_W} x {n_H} pixels): take one with "
            f"{SMALLEST_SIDE} pixels or more, and at most {LONGEST} times as long as wide."
        )
    return image


@contextmanager
def _few_pixels() -> Iterator[None]:
    """Let Pillow refuse pictures with more than MOST_PIXELS (it does so at twice its limit)."""
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, MOST_PIXELS // 2
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def jpeg(image: tf.Tensor, quality: int = 90) -> bytes:
    """A picture in [0, 1] as the bytes of a JPEG, for the screen."""
    return encoded(Image.fromarray(to_pixels(image)), "JPEG", quality=quality)


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    """A picture as the bytes of a file of this kind."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def thumbnail(image: tf.Tensor | Path) -> str:
    """The middle of a picture, square and small, as an address that holds the data."""
    if isinstance(image, Path):
        with Image.open(image) as opened:
            picture = opened.convert("RGB")
    else:
        picture = Image.fromarray(to_pixels(image))
    side = min(picture.size)
    left, top = ((n - side) // 2 for n in picture.size)
    square = picture.resize((THUMBNAIL,) * 2, box=(left, top, left + side, top + side))
    return data_address(encoded(square, "JPEG", quality=80), "image/jpeg")


def data_address(data: bytes, kind: str) -> str:
    """An address that holds the data itself: nothing is fetched from anywhere."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
