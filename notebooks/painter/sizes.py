"""Sizes: scales, the style's strokes, mirrored edges, and what a coarse scale hands on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf


def resize(image: tf.Tensor, size: Sequence[int]) -> tf.Tensor:
    """Scale (1, n_H, n_W, channels) to `size`, (down, across)."""
    method = "area" if image.shape[1] > size[0] else "bicubic"
    return tf.image.resize(image, size, method)


def shrink(image: tf.Tensor, ratio: float) -> tf.Tensor:
    """Scale a picture's sides by `ratio`, to 16 pixels at least, which VGG-19 needs."""
    size = [max(16, round(side * ratio)) for side in image.shape[1:3]]
    same = size == list(image.shape[1:3])
    return image if same else tf.clip_by_value(resize(image, size), 0, 1)


def same_area(S: tf.Tensor, C: tf.Tensor, scale: float) -> tf.Tensor:
    """Give the style picture as many pixels as the photo, and `scale` times the side."""
    (h, w), (n_H, n_W) = S.shape[1:3], C.shape[1:3]
    return shrink(S, scale * (n_H * n_W / (h * w)) ** 0.5)


def scale_sides(shape: Sequence[int], scales: int | None) -> list[int]:
    """The longer side at each scale, coarse first."""
    side = max(shape)
    if scales is None:
        scales = 1 + sum(side / 2**half >= 32 for half in range(1, 20))
    scales = min(scales, max(1, int(np.log2(side / 16)) + 1))  # VGG-19 needs 16 pixels
    return [round(side / 2**half) for half in reversed(range(scales))]


def carry_up(base: tf.Tensor, change: tf.Tensor) -> tf.Tensor:
    """Add what a coarser scale changed to the picture that it is counted from."""
    return tf.clip_by_value(base + resize(change, base.shape[1:3]), 0, 1)


def mirrored(image: tf.Tensor, border: int) -> tf.Tensor:
    """Let a picture go on for `border` pixels at each side as in a mirror."""
    pads = [(0, 0), (border, border), (border, border), (0, 0)]
    return tf.pad(image, pads, "SYMMETRIC") if border else image
