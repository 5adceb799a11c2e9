"""Winograd's convolution: 3 x 3, with a quarter of the multiplications.

Lavin & Gray 2016, "Fast Algorithms for Convolutional Neural Networks", section 4.3: 4 x 4 outputs
of a channel take 36 products, where 3 x 3 for each are 144. A row of pixels and a row of a filter
are polynomials, and the product of two polynomials is known from its values at six points. In
float32 the activations move by some 1e-5 of the largest.

Differs from the paper, which has -2 for 1/2: 1/p is one of the points for each p here, and a
filter turned around has the value p^2 f(1/p) at p. So the way back takes the same filters.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

FEWEST = 128  # channels that come out; with fewer it would win nothing
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


@keras.saving.register_keras_serializable("painter")
class Winograd(keras.layers.Conv2D):
    """Keras' convolution, by Winograd's way where that is quicker: the same to some 1e-5.

    For `load_vgg19(..., convolution=Winograd)`. Only a frozen layer has it: no gradient is led to
    the filters. TensorFlow's own takes what comes in more than one picture, or without a size, and
    every other kind of convolution. A model with it is loaded where `painter.Winograd` is imported.
    """

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Convolve (1, n_H, n_W, n_in); give (1, n_H, n_W, n_out)."""
        sized = inputs.shape[0] == 1 and None not in inputs.shape
        if self.trainable or not sized or not is_quicker(self):
            return super().call(inputs)
        filters = transformed(self.kernel)

        @tf.custom_gradient
        def convolve(x: tf.Tensor) -> tuple:
            return by_tiles(x, filters), lambda upstream: by_tiles(upstream, filters, back=True)

        y = convolve(inputs)
        return self.activation(y + self.bias if self.use_bias else y)


def is_quicker(layer: keras.Layer) -> bool:
    """Whether a layer gains by it: some half of the time on a CPU. A GPU's library has its own.

    Half precision would lose too much on the way, and double precision what it is there for.
    """
    return (
        isinstance(layer, keras.layers.Conv2D)
        and (layer.kernel_size, layer.strides, layer.padding) == ((3, 3), (1, 1), "same")
        and (layer.dilation_rate, layer.groups, layer.data_format) == ((1, 1), 1, "channels_last")
        and layer.compute_dtype == "float32"
        and layer.filters >= FEWEST
        and not tf.config.list_logical_devices("GPU")
    )


def transformed(kernel: tf.Tensor) -> tf.Tensor:
    """Filters, (3, 3, n_in, n_out), as their values at the points, (36, n_in, n_out)."""
    return tf.reshape(FILTER @ tf.reshape(kernel, (9, -1)), (36, *kernel.shape[2:]))


def by_tiles(x: tf.Tensor, filters: tf.Tensor, back: bool = False) -> tf.Tensor:
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
