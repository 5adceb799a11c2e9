"""Starts: the picture that the first step changes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy  # its parts are imported when they are used: that takes tenths of a second
import tensorflow as tf
from numpy.lib.stride_tricks import sliding_window_view

from nst_utils import WeightsError, check_picture, match_shape
from painter.colour import match_colours
from painter.masks import mask_of_size
from painter.recipe import PaintError, Recipe


def check_init(init: str | tf.Tensor) -> None:
    """Raise PaintError if `init` is a picture that cannot be started from."""
    if not isinstance(init, str):
        try:
            check_picture(init)
        except WeightsError as error:
            raise PaintError(f"init: {error}") from None


def base_picture(C: tf.Tensor, styles: Sequence[tf.Tensor], recipe: Recipe) -> tf.Tensor:
    """Give what a change is counted from; noise is not carried up."""
    if not isinstance(recipe.init, str):
        return match_shape(check_picture(recipe.init), C)
    if recipe.init == "style":
        return match_shape(styles[0], C)
    return tf.zeros_like(C) if recipe.init == "noise" else C


def first_picture(base: tf.Tensor, styles: Sequence[tf.Tensor], recipe: Recipe) -> tf.Tensor:
    """Give the picture that the coarsest scale starts from."""
    start = recipe.init if isinstance(recipe.init, str) else "a picture"
    if start == "noise":
        return tf.random.Generator.from_seed(recipe.seed).uniform(base.shape, 0.4, 0.6)
    return half_hidden(base, styles, recipe) if start == "patches" else base


def half_hidden(C: tf.Tensor, styles: Sequence[tf.Tensor], recipe: Recipe) -> tf.Tensor:
    """Give the mean of C and a patchwork of each style, weighted alike; where no mask is, C."""
    weights = recipe.style_weights or [1.0] * len(styles)
    shares = [tf.fill((1, *C.shape[1:3], 1), float(weight)) for weight in weights]
    if recipe.masks is not None:
        masks = [mask_of_size(mask, C.shape[1:3]) for mask in recipe.masks]
        shares = [share * mask for share, mask in zip(shares, masks, strict=True)]
    laid = sum(share * patchwork(C, S) for share, S in zip(shares, styles, strict=True))
    some = sum(shares) > 1e-3 * sum(weights)
    return tf.where(some, (C + tf.math.divide_no_nan(laid, sum(shares))) / 2, C)


PATCH = 8  # pixels, the side of the pieces that `patchwork` lays


def patchwork(C: tf.Tensor, S: tf.Tensor) -> tf.Tensor:
    """Lay C anew with overlapping pieces of S: alike in colour, and from about the same place.

    Its strokes are the painting's own, so the style cost is low before the first step, that of
    deep layers above all: they hold what stands where. Like the "texture transfer" of Efros and
    Freeman (2001), but a piece is chosen without a look at its neighbours. A tenth of the
    picture's side counts as much as a difference in colour of 0.1.
    """
    half, guide = PATCH // 2, match_colours(C, S)  # pieces overlap by half
    guide = tf.pad(guide, [(0, 0), (half, PATCH), (half, PATCH), (0, 0)], "SYMMETRIC")
    pieces = sliding_window_view(S.numpy()[0], (PATCH, PATCH), (0, 1))  # (rows, columns, 3, 8, 8)
    grid = pieces.shape[:2]
    some = np.unravel_index(np.linspace(0, np.prod(grid) - 1, 4000, dtype=int), grid)
    sample = pieces[some].reshape(4000, -1)
    main = np.linalg.svd(sample, full_matrices=False)[2][:24].T  # (192, 24), main directions
    kernel = main.reshape(3, PATCH, PATCH, -1).transpose(1, 2, 0, 3)

    def features(image: tf.Tensor, stride: int, margin: int, shape: Sequence[int]) -> np.ndarray:
        found = tf.nn.conv2d(image, kernel, stride, "VALID")[0].numpy()  # (rows, columns, 24)
        centres = np.stack(np.indices(found.shape[:2]), -1) * stride - margin + half
        return np.concatenate([found, centres / shape[1:3] * 3**0.5 * PATCH], -1)

    known = features(S, 1, 0, S.shape)
    tree = scipy.spatial.KDTree(known.reshape(-1, known.shape[-1]))
    nearest = tree.query(features(guide, half, half, C.shape))[1]  # (rows, columns)
    ramp = np.sin(np.pi * (np.arange(PATCH) + 0.5) / PATCH) ** 2  # two overlapping ones add up to 1
    laid = np.zeros(guide.shape[1:], np.float32)
    for (row, column), number in np.ndenumerate(nearest):
        piece = pieces[np.unravel_index(number, grid)].transpose(1, 2, 0)  # (8, 8, 3)
        y, x = row * half, column * half
        laid[y : y + PATCH, x : x + PATCH] += piece * np.outer(ramp, ramp)[..., None]
    return tf.constant(laid[None, half : half + C.shape[1], half : half + C.shape[2]])
