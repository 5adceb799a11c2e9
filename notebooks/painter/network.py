"""The network, forward and back, without a tape over all of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from nst_utils import layers_up_to
from painter.winograd import by_tiles, is_quicker, transformed


class Network:
    """VGG-19 as a function from a picture, (1, n_H, n_W, 3), to the activations of `names`.

    It also gives a function that leads the gradient for these activations back to the picture. From
    block2 on a convolution is Winograd's, where that is quicker.
    """

    def __init__(self, vgg: keras.Model, names: Sequence[str]) -> None:
        places = [layer.name for layer in vgg.layers]
        first, last = (places.index(name) for name in ("block1_conv1", layers_up_to(names)[-1]))
        preprocessed = keras.Model(vgg.input, vgg.layers[first].output)
        self.names, self.layers = names, [("block1_conv1", _plain(preprocessed))]
        for layer in vgg.layers[first + 1 : last + 1]:
            way = _winograd if is_quicker(layer) else _plain
            self.layers.append((layer.name, way(layer)))

    def __call__(self, image: tf.Tensor) -> tuple[list[tf.Tensor], Callable]:
        found, pulls, a = {}, [], image
        for name, layer in self.layers:
            a, pull = layer(a)
            found[name] = a
            pulls.append((name, pull))

        def back(upstream: Sequence[tf.Tensor]) -> tf.Tensor:
            gradient = tf.zeros_like(a)
            for name, pull in reversed(pulls):
                here = [up for n, up in zip(self.names, upstream, strict=True) if n == name]
                gradient = pull(tf.add_n([gradient, *here]))
            return gradient

        return [found[name] for name in self.names], back


def _plain(layer: keras.Layer | keras.Model) -> Callable:
    """Give a layer as a function: x -> what it makes of x, and how a gradient is led back."""

    def run(x: tf.Tensor) -> tuple[tf.Tensor, Callable]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
        return y, lambda upstream: tape.gradient(y, x, upstream)

    return run


def _winograd(layer: keras.layers.Conv2D) -> Callable:
    """Give the same for a 3 x 3 convolution; back, it is that of the filters turned around.

    tf.custom_gradient would do for this, but what it traced is never freed.
    """
    filters = transformed(layer.kernel)

    def run(x: tf.Tensor) -> tuple[tf.Tensor, Callable]:
        y = tf.nn.relu(by_tiles(x, filters) + layer.bias)

        def pull(upstream: tf.Tensor) -> tf.Tensor:
            upstream = tf.raw_ops.ReluGrad(gradients=upstream, features=y)
            return by_tiles(upstream, filters, back=True)

        return y, pull

    return run
