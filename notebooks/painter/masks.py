"""Masks: where each of several styles is used (Gatys 2017, section 3)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from painter.recipe import PaintError
from painter.sizes import resize


def layer_masks(masks: Sequence, C: tf.Tensor, strides: Sequence[int]) -> list[tf.Tensor]:
    """Masks at the sizes of the layers, (styles, n_H, n_W) each (Gatys 2017, section 3)."""
    full = tf.concat([mask_of_size(mask, C.shape[1:3]) for mask in masks], 0)
    return [tf.nn.avg_pool2d(full, stride, stride, "VALID")[..., 0] for stride in strides]


def as_mask(mask: np.ndarray | tf.Tensor) -> tf.Tensor:
    """Turn (n_H, n_W) or a picture into (1, n_H, n_W, 1)."""
    try:
        mask = tf.cast(tf.convert_to_tensor(mask), tf.float32)
    except (TypeError, ValueError, tf.errors.OpError):
        raise PaintError(f"A mask is an array of numbers, not {type(mask).__name__}.") from None
    mask = mask[None, ..., None] if mask.ndim == 2 else mask
    low, high = (float(r(mask)) if 0 not in mask.shape else 0 for r in (np.min, np.max))
    if mask.ndim != 4 or mask.shape[0] != 1 or not (low >= 0 and 0 < high <= 1):
        raise PaintError(
            "A mask has the shape (n_H, n_W), or that of a picture, with values from 0 to 1, "
            f"not all 0; this one has the shape {tuple(mask.shape)}, from {low:.3g} to {high:.3g}."
        )
    return tf.reduce_mean(mask, -1, keepdims=True)


def mask_of_size(mask: np.ndarray | tf.Tensor, size: Sequence[int]) -> tf.Tensor:
    return tf.clip_by_value(resize(as_mask(mask), size), 0, 1)
