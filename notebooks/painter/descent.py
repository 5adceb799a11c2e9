"""The descent at one scale: Adam or L-BFGS, and when it ends."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace

import keras
import numpy as np
import tensorflow as tf

from painter.budget import Clock
from painter.lbfgs import lbfgs
from painter.masks import mask_of_size
from painter.network import Network
from painter.objective import Objective
from painter.palette import Moments, Plane, confined, planes, slope
from painter.recipe import Recipe
from painter.sizes import mirrored


def descend_on_canvas(
    net: Network,
    C: tf.Tensor,
    styles: Sequence[tf.Tensor],
    G: tf.Tensor,
    recipe: Recipe,
    clock: Clock,
    colours: Sequence[Moments] = (),
) -> Iterator[tuple[tuple[float, ...], tf.Tensor, str]]:
    """Minimise with mirrored borders around all pictures; yield as `_descend`, without them.

    `colours` are those of the styles, if the picture may have no others.
    """
    border, size = recipe.border(), C.shape[1:3]
    masks = [mirrored(mask_of_size(mask, size), border) for mask in recipe.masks or ()]
    objective = Objective(net, mirrored(C, border), styles, replace(recipe, masks=masks or None))
    start = mirrored(G, border)
    kept = planes(colours, masks, start.shape[1:3])
    for costs, canvas, note in _descend(objective, start, recipe, clock, kept):
        yield costs, canvas[:, border : border + size[0], border : border + size[1]], note


def _descend(
    objective: Objective, G: tf.Tensor, recipe: Recipe, clock: Clock, kept: Sequence[Plane]
) -> Iterator[tuple[tuple[float, ...], tf.Tensor, str]]:
    """Minimise at one scale; yield ((J, J_content, J_style), picture, note) before every step."""
    best, lowest = ((float("nan"),) * 3, G), []
    with closing({"adam": _adam, "lbfgs": lbfgs}[recipe.optimizer](G)) as optimizer:
        image = next(optimizer)
        while True:
            image = confined(image, kept)
            *values, gradient = objective(image)
            costs = tuple(float(value) for value in values)
            if not (np.isfinite(costs).all() and tf.reduce_all(tf.math.is_finite(gradient))):
                yield *best, f"J or its gradient is not finite after {len(lowest)} steps: stopped"
                return
            if not lowest or costs[0] <= lowest[-1]:
                best = costs, image
            lowest.append(best[0][0])
            yield costs, image, ""
            done = clock(len(lowest) - 1)
            gained = lowest[-11] - lowest[-1] if len(lowest) > 10 else float("inf")
            pays = gained >= recipe.tolerance * lowest[-1] or clock.is_stuck()
            if done >= 1 or not pays:
                return
            try:
                unit = objective.unit  # only the ratio of alpha and beta matters
                image = optimizer.send((costs[0] / unit, slope(gradient, kept) / unit, done))
            except StopIteration:  # L-BFGS has converged
                return


def _adam(G: tf.Tensor) -> Generator[tf.Tensor, tuple[float, tf.Tensor, float], None]:
    """Yield a picture, be sent its (J, gradient, progress from 0 to 1), move, and so on.

    The rate falls along a cosine, and beta_1 = 0.7 forgets old gradients sooner than Adam's 0.9.
    """
    picture = tf.Variable(G)
    adam = keras.optimizers.Adam(beta_1=0.7, beta_2=0.99)
    adam.build([picture])
    rate = keras.optimizers.schedules.CosineDecay(0.05, 1, alpha=0.06)
    while True:
        _, gradient, progress = yield tf.identity(picture)
        adam.learning_rate = rate(progress)
        adam.apply_gradients([(gradient, picture)])
        picture.assign(tf.clip_by_value(picture, 0, 1))
