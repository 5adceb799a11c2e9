"""The descent at one scale: Adam or L-BFGS, and when it ends."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace

import keras
import numpy as np
import scipy.optimize
import tensorflow as tf

from painter.masks import mask_of_size
from painter.network import Network
from painter.objective import Objective
from painter.recipe import Recipe
from painter.sizes import mirrored


def descend_on_canvas(
    net: Network,
    C: tf.Tensor,
    styles: Sequence[tf.Tensor],
    G: tf.Tensor,
    recipe: Recipe,
    progress: Callable[[int], float],
) -> Iterator[tuple[tuple[float, ...], tf.Tensor, str]]:
    """Minimise with mirrored borders around all pictures; yield as `_descend`, without them."""
    border, size = recipe.border(), C.shape[1:3]
    masks = [mirrored(mask_of_size(mask, size), border) for mask in recipe.masks or ()]
    objective = Objective(net, mirrored(C, border), styles, replace(recipe, masks=masks or None))
    for costs, canvas, note in _descend(objective, mirrored(G, border), recipe, progress):
        yield costs, canvas[:, border : border + size[0], border : border + size[1]], note


def _descend(
    objective: Objective, G: tf.Tensor, recipe: Recipe, progress: Callable[[int], float]
) -> Iterator[tuple[tuple[float, ...], tf.Tensor, str]]:
    """Minimise at one scale; yield ((J, J_content, J_style), picture, note) before every step."""
    best, lowest = ((float("nan"),) * 3, G), []
    with closing({"adam": _adam, "lbfgs": _lbfgs}[recipe.optimizer](G)) as optimizer:
        image = next(optimizer)
        while True:
            *values, gradient = objective(image)
            costs = tuple(float(value) for value in values)
            if not (np.isfinite(costs).all() and tf.reduce_all(tf.math.is_finite(gradient))):
                yield *best, f"J or its gradient is not finite after {len(lowest)} steps: stopped"
                return
            if not lowest or costs[0] <= lowest[-1]:
                best = costs, image
            lowest.append(best[0][0])
            yield costs, image, ""
            done = progress(len(lowest) - 1)
            gained = lowest[-11] - lowest[-1] if len(lowest) > 10 else float("inf")
            if done >= 1 or gained < recipe.tolerance * lowest[-1]:
                return
            try:
                image = optimizer.send((costs[0], gradient, done))
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


def _lbfgs(G: tf.Tensor) -> Generator[tf.Tensor, tuple[float, tf.Tensor, float], None]:
    """The same with SciPy's L-BFGS-B between the bounds 0 and 1; Gatys 2015 used L-BFGS, too.

    SciPy calls a function instead of yielding, so it runs in a thread that asks and waits.
    """
    search, picture = _Search(np.asarray(G, np.float64)), G
    thread = threading.Thread(target=search.run, daemon=True)
    thread.start()
    try:
        while picture is not None:
            J, gradient, _ = yield tf.identity(picture)
            search.answers.put((J, gradient))
            picture = search.asked.get()
            if isinstance(picture, BaseException):
                raise picture
    finally:
        search.answers.put(None)
        thread.join()


class _Search:
    """SciPy's side: pictures are `asked` for, and their (J, gradient) come from `answers`.

    SciPy looks at the bounds of one pixel after the other first, for 1 s at 400 pixels; meanwhile
    its first question, which is the start, is already answered. J is given to it in units in which
    its first step moves pixels by some 0.05: with J as it is, the first ten evaluations are lost in
    finding out how far to go.
    """

    def __init__(self, start: np.ndarray) -> None:
        self.start, self.unit = start, None
        self.asked, self.answers = queue.Queue(), queue.Queue()

    def run(self) -> None:
        """Search, and end with an error or, when it has converged, None in `asked`."""
        x = self.start.ravel()
        bounds = scipy.optimize.Bounds(np.zeros_like(x), np.ones_like(x))
        options = {"maxiter": 10**6, "maxfun": 10**6, "ftol": 0, "gtol": 0}
        settings = {"jac": True, "method": "L-BFGS-B", "bounds": bounds, "options": options}
        try:
            scipy.optimize.minimize(self._evaluate, x, **settings)
        except BaseException as error:  # for the thread that waits, MemoryError above all
            self.asked.put(error)
        else:
            self.asked.put(None)

    def _evaluate(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        if self.unit is not None:
            self.asked.put(x.reshape(self.start.shape).astype(np.float32))
        answer = self.answers.get()
        if answer is None:  # the generator is closed
            raise GeneratorExit
        J, gradient = answer
        gradient = np.asarray(gradient, np.float64).ravel()
        self.unit = self.unit or 0.05 / (np.sqrt(np.mean(gradient**2)) + 1e-30)
        return J * self.unit, gradient * self.unit
