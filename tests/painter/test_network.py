"""The painter's network is VGG-19, forward and back, with other convolutions."""

import numpy as np
import pytest
import tensorflow as tf
from little_pictures import C

from painter import Network, Recipe


@pytest.mark.parametrize(
    ("size", "devices"), [((16, 16), []), ((33, 50), []), ((64, 47), []), ((33, 50), ["a GPU"])]
)
def test_the_painters_network_is_vgg19_forward_and_back(vgg, size, devices, monkeypatch):
    """Sizes that are no multiples of its 4 x 4 tiles, too."""
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: devices)
    G = tf.image.resize(C, size)
    with tf.GradientTape() as tape:
        tape.watch(G)
        want = vgg(G)
        upstream = [tf.cos(tf.range(tf.size(a), dtype=a.dtype)) for a in want]
        upstream = [tf.reshape(up, a.shape) for up, a in zip(upstream, want, strict=True)]
        J = sum(tf.reduce_sum(up * a) for up, a in zip(upstream, want, strict=True))
    got, back = Network(vgg, Recipe().layers())(G)
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4 * np.max(b))
    gradient = tape.gradient(J, G).numpy()
    np.testing.assert_allclose(back(upstream), gradient, atol=1e-3 * np.abs(gradient).max())


def test_from_block2_on_it_is_not_keras_own_convolution(vgg):
    """Else the test above would say nothing: a GPU's way is Keras' own."""
    names = {
        name: layer.__qualname__.split(".")[0]
        for name, layer in Network(vgg, ["block2_conv1"]).layers
    }
    assert names == {"block1_conv1": "_plain", "block1_conv2": "_plain", "block1_pool": "_plain",
                     "block2_conv1": "_winograd"}  # fmt: skip
