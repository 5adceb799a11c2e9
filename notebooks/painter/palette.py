"""The palette: a painting in black and white, or in one ink, is not painted in other colours.

Gram matrices do not keep a picture grey: they hold products of activations, and a green blotch
beside a purple one has those of grey. So where the colours of a style picture lie on a line or a
plane of the RGB cube, the picture that is painted is confined to it: J is a function of the picture
projected there. Where they vary in all three directions nothing is confined, and nothing changes.
Neither Gatys' nor the notebook's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from painter.masks import mask_of_size
from painter.sizes import shrink

FLAT = 0.01  # of 0 to 1, standard deviation: colours that vary less do not vary
SIDE = 64  # pixels, to which a picture is shrunk first: the noise of a scan is no colour
SOME = 0.05  # a mask below that counts as 0 here

Moments = tuple[np.ndarray, np.ndarray]  # of the colours of one picture: mean (3,), squares (3, 3)
Plane = tuple[tf.Tensor, tf.Tensor, tf.Tensor]  # where, (1, n_H, n_W, 1); A (3, 3) and b (3,)


def moments(image: tf.Tensor) -> Moments:
    """Give the mean of a picture's colours, and that of their products."""
    image = shrink(image, min(1, SIDE / max(image.shape)))
    x = np.asarray(image, np.float64).reshape(-1, 3)
    return x.mean(0), x.T @ x / len(x)


def varies(colours: Sequence[Moments]) -> bool:
    """Whether the colours of these pictures together vary in all three directions."""
    return len(_axes(colours)[1]) == 3


def planes(colours: Sequence[Moments], masks: Sequence | None, size: Sequence[int]) -> list[Plane]:
    """Give the projections x -> A x + b for a picture of this size, and where each of them holds.

    `colours` are those of each style that is used. Where several masks overlap, the picture may
    have what lies between their styles; where none is, any colour.
    """
    if not colours:
        return []
    if not masks:
        return _projected(colours, tf.constant(True))
    used = np.stack([mask_of_size(mask, size)[..., 0].numpy() > SOME for mask in masks])
    found = []
    codes = np.tensordot(2 ** np.arange(len(masks)), used, 1)[..., None]  # which of them, in bits
    for code in np.unique(codes[codes > 0]):
        some = [c for k, c in enumerate(colours) if code >> k & 1]
        found += _projected(some, tf.constant(codes == code))
    return found


def _projected(colours: Sequence[Moments], where: tf.Tensor) -> list[Plane]:
    mean, axes = _axes(colours)
    if len(axes) == 3:
        return []
    A = axes.T @ axes  # a symmetric projection
    b = mean - A @ mean
    return [(where, tf.constant(A, tf.float32), tf.constant(b, tf.float32))]


def _axes(colours: Sequence[Moments]) -> tuple[np.ndarray, np.ndarray]:
    """The mean of the pictures' colours, and the directions, (n, 3), in which they vary.

    Lightness is always one of them, or the photo could not be seen: where the style has one
    lightness only, it is that of its colour from black on.
    """
    mean, squares = (np.mean(parts, axis=0) for parts in zip(*colours, strict=True))
    variances, axes = np.linalg.eigh(squares - np.outer(mean, mean))  # axes in columns
    deviations = np.sqrt(np.maximum(variances, 0))
    axes = (axes * deviations).T[deviations > FLAT]
    if np.linalg.norm(axes.sum(1)) / 3**0.5 < FLAT:  # along (1, 1, 1)
        axes = np.vstack([axes, mean + 1e-6])
    return mean, np.linalg.qr(axes.T)[0].T


def confined(image: tf.Tensor, planes: Sequence[Plane]) -> tf.Tensor:
    """Project the colours of (1, n_H, n_W, 3)."""
    for where, A, b in planes:
        image = tf.where(where, tf.tensordot(image, A, 1) + b, image)
    return tf.clip_by_value(image, 0, 1) if planes else image


def slope(gradient: tf.Tensor, planes: Sequence[Plane]) -> tf.Tensor:
    """Lead the gradient for the projected picture back to the picture."""
    for where, A, _ in planes:
        gradient = tf.where(where, tf.tensordot(gradient, A, 1), gradient)
    return gradient
