"""Colour: the style's, or the photo's own (Gatys 2016)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy
import tensorflow as tf

from painter.sizes import shrink


def grey(image: tf.Tensor) -> tf.Tensor:
    return tf.image.grayscale_to_rgb(tf.image.rgb_to_grayscale(image))


def with_colours_of(photo: tf.Tensor, image: tf.Tensor) -> tf.Tensor:
    """Keep the luminance of `image`, take the chroma of `photo` (Gatys 2016, section 3.1)."""
    photo = shrink(photo, max(image.shape) / max(photo.shape))
    return tf.clip_by_value(grey(image) + photo - grey(photo), 0, 1)


def coloured(
    C: tf.Tensor, styles: Sequence[tf.Tensor], colour: str
) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Prepare photo and style pictures for "style", "matched" or "luminance"."""
    if colour == "matched":
        return C, [match_colours(S, C) for S in styles]
    if colour == "luminance":
        C = grey(C)
        return C, [match_colours(grey(S), C) for S in styles]
    return C, list(styles)


def match_colours(S: tf.Tensor, C: tf.Tensor) -> tf.Tensor:
    """Move the colours of S, linearly, to the mean and covariance of those of C.

    With the symmetric square roots of the covariances (Gatys 2016, section 3.2, "Image Analogies").
    """
    x, y = (np.asarray(image, np.float64).reshape(-1, 3) for image in (S, C))
    roots = [scipy.linalg.sqrtm(np.cov(pixels.T) + 1e-6 * np.eye(3)).real for pixels in (x, y)]
    moved = (x - x.mean(0)) @ np.linalg.solve(roots[0], roots[1]) + y.mean(0)
    return tf.constant(np.clip(moved, 0, 1).reshape(S.shape), tf.float32)
