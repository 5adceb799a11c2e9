"""Windows: a picture that is too large for the memory is painted in overlapping pieces.

A window has a margin as wide as the deepest layer can see, so what is computed inside it is what
the whole picture would give.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from nst_utils import is_after_pooling, layers_up_to
from painter.recipe import BORDER

TILE = 768 + 2 * BORDER  # pixels; the largest canvas, down or across, that is painted in one piece
Window = tuple[int, int, int, int]  # top, left, height, width; in pixels


def stride_of(name: str) -> int:
    """How many pixels of the picture lie between two positions of a layer."""
    return 2 ** (int(name[5]) - 1)


def cells(shape: Sequence[int], stride: int) -> tuple[int, int]:
    """How many positions, down and across, a layer of this stride has on a picture."""
    return shape[1] // stride, shape[2] // stride


def reach(names: Sequence[str]) -> int:
    """How many pixels away these layers' values can see, rounded up to a multiple of 16."""
    reach, stride = 0, 1
    for name in layers_up_to(names):
        if is_after_pooling(name):
            reach, stride = reach + stride, 2 * stride  # 2 x 2 pooling
        reach += stride  # 3 x 3 convolution
    return -(-reach // 16) * 16


def lay_windows(shape: Sequence[int], margin: int) -> list[tuple[Window, tf.Tensor | None]]:
    """Cut a picture into windows (top, left, height, width), each with the box inside that counts.

    They start at multiples of 16 pixels, as all poolings do, and have one size: one trace. The
    insides, (top, bottom, left, right) in the window, touch but do not overlap.
    """
    (height, rows), (width, columns) = (_spans(length, margin) for length in shape[1:3])
    if len(rows) == len(columns) == 1:
        return [((0, 0, height, width), None)]
    return [
        ((top, left, height, width), tf.constant([first, last, begin, end]))
        for top, first, last in rows
        for left, begin, end in columns
    ]


def _spans(length: int, margin: int) -> tuple[int, list[tuple[int, int, int]]]:
    """Cut one side of a picture: the windows' size, and (start, first, last) of each."""
    if length <= TILE:
        return length, [(0, 0, length)]
    largest = (TILE - 2 * margin - length % 16) // 16 * 16
    inner = -(-length // -(-length // largest) // 16) * 16
    size = inner + 2 * margin + length % 16
    starts = [(max(0, min(at - margin, length - size)), at) for at in range(0, length, inner)]
    return size, [(start, at - start, min(at + inner, length) - start) for start, at in starts]


def cut(image: tf.Tensor, window: Window, stride: int = 1) -> tf.Tensor:
    """Give the part of (1, n_H, n_W, ...) at `stride` that lies in the window."""
    top, left, height, width = (number // stride for number in window)
    return image[:, top : top + height, left : left + width]


def inner(a: tf.Tensor, inside: tf.Tensor | None, stride: int) -> tf.Tensor:
    """Give the part of a window's activations at `stride` that counts."""
    if inside is None:
        return a
    top, bottom, left, right = tf.unstack(inside // stride)
    return a[:, top:bottom, left:right]
