"""The published recipes: their costs, their optimisers, their steps."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

import nst_utils
from benchmark.cases import Case, Cost, grams
from nst_utils import STYLE_LAYERS


def course_cost(case: Case, preprocess: bool) -> Cost:
    """DeepLearning.AI's course: block5_conv4, alpha 10, beta 40, the formulas of our notebook.

    It feeds RGB in [0, 1] to VGG-19 as it is; `preprocess` does what VGG-19 was trained on.
    """
    model = case.net([name for name, _ in STYLE_LAYERS] + ["block5_conv4"], raw=True)
    mean = tf.constant(nst_utils.RGB_MEAN[::-1])

    def net(x: tf.Tensor) -> list[tf.Tensor]:  # what undoes the preprocessing inside our model
        return model(x if preprocess else ((x + mean) / 255.0)[..., ::-1])

    a_C, gram_S = net(case.C)[-1], grams(net(case.S)[:-1])

    def cost(G: tf.Tensor) -> tf.Tensor:
        *a_G, content = net(G)
        pairs = zip(grams(a_G), gram_S, strict=True)
        J_style = tf.add_n([0.2 * tf.reduce_mean((a - b) ** 2) / 4 for a, b in pairs])
        return 10 * tf.reduce_mean((content - a_C) ** 2) / 4 + 40 * J_style

    return cost


def tensorflow_cost(case: Case) -> Cost:
    """TensorFlow's tutorial "Neural style transfer"."""
    net = case.net([name for name, _ in STYLE_LAYERS] + ["block5_conv2"], raw=True)
    a_C, gram_S = net(case.C)[-1], grams(net(case.S)[:-1])

    def cost(G: tf.Tensor) -> tf.Tensor:
        *a_G, content = net(G)
        style = [tf.reduce_mean((a - b) ** 2) for a, b in zip(grams(a_G), gram_S, strict=True)]
        variation = tf.reduce_sum(tf.image.total_variation(G))
        return (
            1e-2 / 5 * tf.add_n(style) + 1e4 * tf.reduce_mean((content - a_C) ** 2) + 30 * variation
        )

    return cost


def keras_cost(case: Case) -> Cost:
    """The Keras example "Neural style transfer"; divides by 3 channels and the picture's size."""
    net = case.net([name for name, _ in STYLE_LAYERS] + ["block5_conv2"], raw=True)
    a_C, S = net(case.C)[-1], net(case.S)[:-1]
    size = float(case.C.shape[1] * case.C.shape[2])
    # Its style picture has the photo's shape, and sums over positions can then be compared.
    gram_S = [g * (size / 4**k) for k, g in enumerate(grams(S))]

    def cost(G: tf.Tensor) -> tf.Tensor:
        *a_G, content = net(G)
        gram_G = [g * (size / 4**k) for k, g in enumerate(grams(a_G))]
        pairs = zip(gram_G, gram_S, strict=True)
        style = [tf.reduce_sum((a - b) ** 2) / (4 * 3**2 * size**2) for a, b in pairs]
        x = 255 * G
        down = (x[:, :-1, :-1] - x[:, 1:, :-1]) ** 2
        across = (x[:, :-1, :-1] - x[:, :-1, 1:]) ** 2
        variation = tf.reduce_sum((down + across) ** 1.25)
        return (
            1e-6 / 5 * tf.add_n(style)
            + 2.5e-8 * tf.reduce_sum((content - a_C) ** 2)
            + 1e-6 * variation
        )

    return cost


def pytorch_cost(case: Case) -> Cost:
    """PyTorch's tutorial "Neural Transfer Using PyTorch": five shallow layers, weight 1e6."""
    names = [f"block{b}_conv{j}" for b, j in ((1, 1), (1, 2), (2, 1), (2, 2), (3, 1))]
    model = case.net(names, raw=True)

    def net(x: tf.Tensor) -> list[tf.Tensor]:  # its network sees pictures of standard deviation 1
        return [a / 58.0 for a in model(x)]

    a_C, gram_S = net(case.C)[3], grams(net(case.S))

    def cost(G: tf.Tensor) -> tf.Tensor:
        a_G = net(G)
        pairs = zip(grams(a_G), gram_S, a_G, strict=True)
        style = [tf.reduce_mean(((a - b) / a_l.shape[-1]) ** 2) for a, b, a_l in pairs]
        return 1e6 * tf.add_n(style) + tf.reduce_mean((a_G[3] - a_C) ** 2)

    return cost


@dataclass
class Baseline:
    """A recipe: where it starts, how it moves, for how many steps."""

    name: str
    steps: int
    optimizer: Callable[[], keras.optimizers.Optimizer] | None  # None: L-BFGS
    noise: float = 0.0  # added to the photo at the start
    bound: bool = True  # pixels are clipped to [0, 1] after each step
    cost: Callable[[Case], Cost] | None = None  # its own, on Track 0
    rates: tuple[float, ...] = ()  # SGD's are chosen for each pair, see `tuned`


def pytorch_lbfgs(G: tf.Tensor) -> Generator[tf.Tensor, tuple[float, tf.Tensor, float], None]:
    """torch.optim.LBFGS as PyTorch's tutorial uses it: rate 1, 100 pairs, no line search.

    The tutorial clips the picture to [0, 1] where it evaluates it. Yields a picture, is sent its
    (J, gradient, ...), like the painter's optimisers.
    """
    x, pairs, step, before = np.asarray(G, np.float64).ravel(), [], None, None
    while True:
        x = np.clip(x, 0, 1)
        _, gradient, _ = yield tf.constant(x.reshape(G.shape), tf.float32)
        gradient = np.asarray(gradient, np.float64).ravel()
        if step is not None and (gradient - before) @ step > 1e-10:
            pairs = [*pairs[-99:], (step, gradient - before)]
        direction, shares = -gradient, []
        for s, y in reversed(pairs):
            shares.append(s @ direction / (s @ y))
            direction = direction - shares[-1] * y
        if pairs:
            direction = direction * (pairs[-1][0] @ pairs[-1][1] / (pairs[-1][1] @ pairs[-1][1]))
        for (s, y), share in zip(pairs, reversed(shares), strict=True):
            direction = direction + s * (share - y @ direction / (s @ y))
        rate = min(1.0, 1 / np.abs(gradient).sum()) if step is None else 1.0
        step, before = rate * direction, gradient
        x = x + step


def adam(rate: float, beta_1: float = 0.9, epsilon: float = 1e-7) -> Callable:
    """Keras' Adam."""
    return lambda: keras.optimizers.Adam(rate, beta_1=beta_1, epsilon=epsilon)


def sgd(rate: float) -> Callable:
    """SGD as in the Keras example: 4 % slower every 100 steps."""
    schedule = keras.optimizers.schedules.ExponentialDecay
    return lambda: keras.optimizers.SGD(schedule(rate, decay_steps=100, decay_rate=0.96))


PUBLISHED = [
    Baseline("course, [0, 1]", 2501, adam(0.01), 0.25, cost=lambda c: course_cost(c, False)),
    Baseline("course, preprocessed", 2501, adam(0.01), 0.25, cost=lambda c: course_cost(c, True)),
    Baseline("TensorFlow tutorial", 1000, adam(0.02, 0.99, 0.1), cost=tensorflow_cost),
    # Its pixels are 0 to 255: a rate of 100 there is one of 100 / 255^2 here. At 224
    # pixels, with k-means above the trained blocks, it diverged on all pairs: so it is chosen.
    Baseline(
        "Keras example",
        4000,
        None,
        bound=False,
        cost=keras_cost,
        rates=tuple(100 / 255**2 / 3.0**k for k in range(7)),
    ),
    Baseline("PyTorch tutorial", 300, None, cost=pytorch_cost),
]
SAME_COSTS = [
    Baseline("Adam 0.01, noise", 2501, adam(0.01), 0.25),
    Baseline("Adam 0.03, noise", 2501, adam(0.03), 0.25),
    Baseline("Adam 0.02, beta_1 0.99", 1000, adam(0.02, 0.99, 0.1)),
    Baseline("SGD, decaying", 4000, None, rates=tuple(3.0**k for k in range(-1, 6))),
    Baseline("L-BFGS as in PyTorch", 300, None),
]
