"""The network, forward and back, with a quarter of the multiplications.

Winograd's convolution (Lavin & Gray 2016, "Fast Algorithms for Convolutional Neural Networks",
section 4.3): 4 x 4 outputs of a channel take 36 products, where 3 x 3 for each are 144. A row of
pixels and a row of a filter are polynomials, and the product of two polynomials is known from its
values at six points. In float32 the activations move by some 1e-5 of the largest.

Differs from the paper, which has -2 for 1/2: 1/p is one of the points for each p here, and a
filter turned around has the value p^2 f(1/p) at p. So the way back takes the same filters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from nst_utils import layers_up_to

_POINTS = (0, 1, -1, 2, 1 / 2)  # and infinity
_INVERSE = [5, 1, 2, 4, 3, 0]  # where 1/p is


def _values(n: int) -> np.ndarray:
    """The matrix (6, n) from n coefficients to the values at the points."""
    finite = [[point**k for k in range(n)] for point in _POINTS]
    return np.array([*finite, [0] * (n - 1) + [1]])


_MATRICES = np.linalg.inv(_values(6)).T, _values(3), _values(4).T  # of data, filter, outputs
_SQUARES = np.array([1, *np.square(_POINTS[1:]), 1])  # p^2; 1 for 0 and infinity
_BACK = (_SQUARES[:, None] * _MATRICES[0])[_INVERSE], _MATRICES[2][:, _INVERSE]
DATA, FILTER, OUTPUT, DATA_BACK, OUTPUT_BACK = (
    np.kron(m, m).astype(np.float32)  # both axes at once: 36 x 36, 36 x 9, 16 x 36, ...
    for m in (*_MATRICES, *_BACK)
)


class Network:
    """VGG-19 as a function from a picture, (1, n_H, n_W, 3), to the activations of `names`.

    It also gives a function that leads the gradient for these activations back to the picture. From
    block2 on a convolution is Winograd's, in some half of the time of TensorFlow's own on a CPU.
    With fewer than 128 channels it would win nothing; a GPU's library has its own.
    """

    def __init__(self, vgg: keras.Model, names: Sequence[str]) -> None:
        places = [layer.name for layer in vgg.layers]
        first, last = (places.index(name) for name in ("block1_conv1", layers_up_to(names)[-1]))
        preprocessed = keras.Model(vgg.input, vgg.layers[first].output)
        self.names, self.layers = names, [("block1_conv1", _plain(preprocessed))]
        plain = ("block",) if tf.config.list_logical_devices("GPU") else ("block1", "pool")
        for layer in vgg.layers[first + 1 : last + 1]:
            way = _plain if any(part in layer.name for part in plain) else _winograd
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
    filters = FILTER @ tf.reshape(layer.kernel, (9, -1))
    filters = tf.reshape(filters, (36, *layer.kernel.shape[2:]))  # (36, n_in, n_out)

    def run(x: tf.Tensor) -> tuple[tf.Tensor, Callable]:
        y = tf.nn.relu(_by_tiles(x, filters) + layer.bias)

        def pull(upstream: tf.Tensor) -> tf.Tensor:
            upstream = tf.raw_ops.ReluGrad(gradients=upstream, features=y)
            return _by_tiles(upstream, filters, back=True)

        return y, pull

    return run


def _by_tiles(x: tf.Tensor, filters: tf.Tensor, back: bool = False) -> tf.Tensor:
    """Convolve (1, n_H, n_W, n_in) with filters (36, n_in, n_out); the edges are zeros.

    A tile makes 4 x 4 outputs out of 6 x 6 inputs, so the inputs overlap. `back` takes the filters
    turned around, and n_in and n_out in exchanged roles, which leads a gradient back.
    """
    _, n_H, n_W, n_in = x.shape
    down, across, n_out = -(-n_H // 4), -(-n_W // 4), filters.shape[1 if back else 2]
    x = tf.pad(x, [(0, 0), (1, 4 * down + 1 - n_H), (1, 4 * across + 1 - n_W), (0, 0)])
    i, j, row, column = np.ix_(range(6), range(6), range(down), range(across))
    places = (4 * row + i) * (4 * across + 2) + 4 * column + j
    x = tf.gather(tf.reshape(x, (-1, n_in)), places.ravel())  # (36 tiles, n_in)
    x = tf.reshape((DATA_BACK if back else DATA) @ tf.reshape(x, (36, -1)), (36, -1, n_in))
    x = tf.matmul(x, filters, transpose_b=back)  # (36, tiles, n_out)
    x = (OUTPUT_BACK if back else OUTPUT) @ tf.reshape(x, (36, -1))  # (16, tiles n_out)
    x = tf.transpose(tf.reshape(x, (4, 4, down, across, n_out)), (2, 0, 3, 1, 4))
    return tf.reshape(x, (1, 4 * down, 4 * across, n_out))[:, :n_H, :n_W]
