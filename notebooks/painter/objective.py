"""The objective of one scale: J, its two parts, and its gradient for the pixels of G."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from nst_utils import VGG19_LAYERS
from painter.masks import layer_masks
from painter.network import Network
from painter.recipe import PaintError, Recipe
from painter.windows import cells, cut, inner, lay_windows, reach, stride_of


class Objective:
    """J, J_content, J_style and the gradient of J for a picture G; the targets are computed once.

    A picture of up to TILE pixels takes one traced function: one forward and one backward pass. A
    larger one is cut into overlapping windows of one size. A first pass adds up Gram matrices and
    content differences; now J is known as a function of these sums, and a second pass takes its
    gradient window by window. The margins are as wide as a layer can see, so the numbers are the
    same, in the memory of one window.
    """

    def __init__(
        self, net: Network, C: tf.Tensor, styles: Sequence[tf.Tensor], recipe: Recipe
    ) -> None:
        names, self.net, self.recipe = recipe.layers(), net, recipe
        self.unit = max(recipe.alpha / 10, recipe.beta / 40)  # of J: 1 with the default weights
        if list(net.names) != names:
            raise PaintError(f"The network gives {net.names}, and the recipe needs {names}.")
        self.weights = [weight for _, weight in recipe.style_layers if weight and recipe.beta]
        self.strides = [stride_of(name) for name in names]
        self.reach = reach(names)
        self.windows = lay_windows(C.shape, self.reach)
        self.gram_S = [tf.concat(grams, 0) for grams in zip(*map(self._target, styles))]  # noqa: B905
        self.areas, self.shares, guides, self.used = self._regions(C, len(styles))
        self.size_C = self.areas[-1] * VGG19_LAYERS[recipe.content_layer][1]
        self.pieces = []  # a window, where its inside is, its masks, its content
        for window, inside in self.windows:
            masks = [cut(T, window, k) for T, k in zip(guides, self.strides, strict=False)]
            a_C = self.net(cut(C, window))[0][-1] if recipe.alpha else None
            self.pieces.append((window, (inside, masks, a_C)))
        if recipe.alpha and recipe.content_layer in names[:-1]:
            self._calibrate()
        self.whole, self.measure, self.pull = (
            tf.function(f, autograph=False)  # which costs half a second, and converts nothing here
            for f in (self._whole, self._measured, self._pulled)
        )

    def _calibrate(self) -> None:
        """Let a content layer that is a style layer, too, weigh as any other.

        Others have a mean square of 1 on the photo; this one's is set by its Gram matrix.
        """
        squares = [
            tf.reduce_sum(inner(a_C, inside, self.strides[-1]) ** 2)
            for _, (inside, _, a_C) in self.pieces
        ]
        self.size_C = max(float(tf.add_n(squares)), 1e-12)

    def _regions(self, C: tf.Tensor, styles: int) -> tuple:
        """Give what the masks say.

        How many positions of each layer count, each style's share of the cost, the masks of the
        layers, and where any style is used, (1, n_H, n_W, 1), or None for everywhere.
        """
        areas = [float(np.prod(cells(C.shape, stride))) for stride in self.strides]
        weights, guides, used = self.recipe.style_weights or [1.0] * styles, [], None
        shares = tf.constant(weights, tf.float32)
        if self.recipe.masks is not None:
            strides = self.strides[: len(self.weights)]
            full, *guides = layer_masks(self.recipe.masks, C, [1, *strides])
            areas[: len(guides)] = [tf.reduce_sum(T**2, (1, 2)) for T in guides]  # (styles,)
            # A pixel is pulled alike in small and in large regions.
            shares *= tf.reduce_sum(full**2, (1, 2))
            used = tf.reduce_max(full, 0)[None, ..., None]
        return areas, tf.math.divide_no_nan(shares, tf.reduce_sum(shares)), guides, used

    def __call__(self, G: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        """Give J, J_content, J_style, and the gradient of J."""
        # A plain call of `whole` would warn of retracing after some short paintings.
        whole = len(self.windows) == 1
        evaluate = self.whole.get_concrete_function(G) if whole else self._by_windows
        J, J_content, J_style, gradient = evaluate(G)
        tv = self.recipe.tv * self.recipe.beta / 40  # the ripple that it smooths is the style's
        if tv:
            rough, slope = roughness(G, self.used)
            J, gradient = J + tv * rough, gradient + tv * slope
        if self.recipe.colour == "luminance":  # a grey picture stays grey
            gradient = tf.reduce_mean(gradient, -1, keepdims=True) + tf.zeros_like(G)
        return J, J_content, J_style, gradient

    def _whole(self, G: tf.Tensor) -> tuple[tf.Tensor, ...]:
        activations, back = self.net(G)
        with tf.GradientTape() as tape:
            tape.watch(activations)
            costs = self._costs(self._sums(activations, *self.pieces[0][1]))
        return *costs, back(tape.gradient(costs[0], activations))

    def _by_windows(self, G: tf.Tensor) -> tuple[tf.Tensor, ...]:
        parts = [self.measure(cut(G, window), *piece) for window, piece in self.pieces]
        sums = [tf.add_n(part) for part in zip(*parts)]  # noqa: B905
        with tf.GradientTape() as tape:
            tape.watch(sums)
            costs = self._costs(sums)
        upstream, gradient = tape.gradient(costs[0], sums), np.zeros(G.shape, np.float32)
        for window, piece in self.pieces:
            cut(gradient, window)[...] += self.pull(upstream, cut(G, window), *piece).numpy()
        return *costs, tf.constant(gradient)

    def _measured(self, image: tf.Tensor, *piece: object) -> list[tf.Tensor]:
        return self._sums(self.net(image)[0], *piece)

    def _pulled(self, upstream: list[tf.Tensor], image: tf.Tensor, *piece: object) -> tf.Tensor:
        activations, back = self.net(image)
        with tf.GradientTape() as tape:
            tape.watch(activations)
            sums = self._sums(activations, *piece)
        return back(tape.gradient(sums, activations, upstream))

    def _costs(self, sums: Sequence[tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """J, J_content and J_style from sums over all positions: the notebook's formulas."""
        J_content = J_style = tf.constant(0.0)
        for weight, gram, area, gram_S in zip(self.weights, sums, self.areas, self.gram_S):  # noqa: B905
            area = tf.reshape(area, (-1, 1, 1))
            gram = tf.math.divide_no_nan(gram, area)  # pooling may leave nothing of a mask
            distance = tf.reduce_mean((gram - gram_S) ** 2, (1, 2)) / 4  # (styles,)
            J_style += weight * tf.reduce_sum(self.shares * distance)
        if self.recipe.alpha:
            J_content = sums[-1] / (4 * self.size_C)
        return self.recipe.alpha * J_content + self.recipe.beta * J_style, J_content, J_style

    def _sums(self, activations: list, inside, guides=(), a_C=None) -> list[tf.Tensor]:
        """Gram matrices, (1 or styles, n_C, n_C) a layer, then the content's squared difference."""
        sums = []
        for k, a in enumerate(activations[: len(self.weights)]):
            a = inner(a * guides[k][..., None] if guides else a, inside, self.strides[k])
            a = tf.reshape(a, (tf.shape(a)[0], -1, a.shape[-1]))  # (1 or styles, n_H*n_W, n_C)
            sums.append(gram(a))
        if a_C is not None:
            difference = inner(activations[-1] - a_C, inside, self.strides[-1])
            sums.append(tf.reduce_sum(difference**2))
        return sums

    def _target(self, S: tf.Tensor) -> list[tf.Tensor]:
        """Gram matrices / (n_H n_W) of a style picture: pictures of any size can be compared."""
        parts = [
            self._measured(cut(S, window), inside)
            for window, inside in lay_windows(S.shape, self.reach)
        ]
        return [
            tf.add_n(grams) / float(np.prod(cells(S.shape, stride)))
            for grams, stride in zip(zip(*parts), self.strides)  # noqa: B905
        ]


def gram(a: tf.Tensor) -> tf.Tensor:
    """A^T A of (1 or styles, n_H*n_W, n_C).

    The gradient of J for a Gram matrix is symmetric, so the two products that lead back to A are
    one product, twice.
    """
    gram = tf.matmul(a, tf.stop_gradient(a), transpose_a=True)
    return 2 * gram - tf.stop_gradient(gram)


@tf.function(reduce_retracing=True)
def roughness(G: tf.Tensor, used: tf.Tensor | None = None) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean absolute difference of neighbours, rounded at 0, and its gradient.

    `used`, (1, n_H, n_W, 1) from 0 to 1, says how much a pixel counts; a pair counts as the less.
    """
    with tf.GradientTape() as tape:
        tape.watch(G)
        pairs = [(G[:, 1:], G[:, :-1]), (G[:, :, 1:], G[:, :, :-1])]
        steps = [tf.sqrt((one - other) ** 2 + 1e-4) for one, other in pairs]
        if used is not None:
            down = tf.minimum(used[:, 1:], used[:, :-1])
            across = tf.minimum(used[:, :, 1:], used[:, :, :-1])
            steps = [down * steps[0], across * steps[1]]
        rough = sum(tf.reduce_mean(step) for step in steps)
    return rough, tape.gradient(rough, G)
