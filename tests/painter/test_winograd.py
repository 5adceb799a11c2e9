"""Winograd's layer is Keras' own convolution, forward and back, and stands in its place."""

import os

import keras
import numpy as np
import pytest
import tensorflow as tf
from little_pictures import C

import nst_utils
from painter import Winograd, winograd
from painter.recipe import Recipe


@pytest.fixture(scope="module")
def sooner(vgg):
    """The same network with Winograd's layers."""
    given = {layer.name: layer.get_weights() for layer in vgg.layers if layer.weights}
    return nst_utils.build_vgg19(given, Recipe().layers(), convolution=Winograd)


def seen(network, pictures):
    """Activations, and the gradient of a sum of them to the pictures."""
    pictures = tf.convert_to_tensor(pictures)
    with tf.GradientTape() as tape:
        tape.watch(pictures)
        activations = network(pictures)
        J = tf.add_n([tf.reduce_sum(a * tf.cos(tf.range(a.shape[-1], dtype=a.dtype)))
                      for a in activations])  # fmt: skip
    return [*activations, tape.gradient(J, pictures)]


@pytest.mark.parametrize(("size", "wrap"), [((16, 16), tf.function), ((33, 50), lambda f: f)])
def test_the_layers_give_the_same_numbers_and_gradients(vgg, sooner, size, wrap, monkeypatch):
    """In a graph, and directly; the second size is no multiple of the 4 x 4 tiles."""
    tiles, counted = winograd.by_tiles, []
    monkeypatch.setattr(winograd, "by_tiles", lambda *a, **k: counted.append(a) or tiles(*a, **k))
    G = tf.image.resize(C, size)
    for got, want in zip(wrap(lambda G: seen(sooner, G))(G), seen(vgg, G), strict=True):
        np.testing.assert_allclose(got, want, atol=1e-3 * np.abs(want).max())
    convolutions = [name for name in nst_utils.layers_up_to(Recipe().layers()) if name[5] != "1"]
    assert len(counted) == 2 * len(convolutions)  # forward and back


def test_the_model_is_a_keras_model_with_the_names_and_parameters_that_it_had(vgg, sooner):
    assert isinstance(sooner, keras.Model) and sooner.count_params() == vgg.count_params()
    assert [layer.name for layer in sooner.layers] == [layer.name for layer in vgg.layers]
    assert not sooner.trainable_weights
    assert isinstance(sooner.get_layer("block2_conv1"), keras.layers.Conv2D)


@pytest.mark.parametrize("case", ["two pictures", "no size", "a GPU", "trained", "strides"])
def test_what_it_is_not_made_for_is_left_to_keras(case, monkeypatch):
    monkeypatch.setattr(winograd, "by_tiles", None)  # would raise
    strides = 2 if case == "strides" else 1
    layer = Winograd(128, 3, strides, "same", activation="relu")
    layer.trainable = case == "trained"
    if case == "a GPU":
        monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: ["a GPU"])
    x = tf.random.stateless_normal((2 if case == "two pictures" else 1, 9, 8, 4), seed=(0, 1))
    call = layer
    if case == "no size":
        call = tf.function(layer, input_signature=[tf.TensorSpec((1, None, None, 4))])
    got = call(x)
    want = tf.nn.relu(tf.nn.conv2d(x, layer.kernel, strides, "SAME") + layer.bias)
    np.testing.assert_allclose(got, want, atol=1e-4)


OTHERS = {
    "dilated": {"dilation_rate": 2},
    "in groups": {"groups": 2},
    "float64": {"dtype": "float64"},
    "float16": {"dtype": "float16"},
    "mixed": {"dtype": "mixed_float16"},
    "bfloat16": {"dtype": "bfloat16"},
    "of 5 x 5": {"kernel_size": 5},
    "without edges": {"padding": "valid"},
    "without a bias": {"use_bias": False},
    "a pixel": {},
}


@pytest.mark.parametrize("kind", OTHERS)
def test_convolutions_of_every_other_kind_give_the_same_as_keras(kind):
    options = {"kernel_size": 3, "padding": "same", "bias_initializer": "ones"} | OTHERS[kind]
    layers = [kind_of(128, **options) for kind_of in (keras.layers.Conv2D, Winograd)]
    x = tf.random.stateless_normal((1, 1, 1, 8) if kind == "a pixel" else (1, 8, 8, 8), seed=(0, 1))
    for layer in layers:
        layer.build(x.shape)
        layer.trainable = False
    layers[1].set_weights(layers[0].get_weights())
    want, got = (np.asarray(layer(x), np.float64) for layer in layers)
    np.testing.assert_allclose(got, want, atol=1e-12 if kind == "float64" else 1e-5)


def test_channels_that_come_first_are_left_to_keras():
    """Which not every version of TensorFlow has on a CPU, so there is nothing to compare with."""
    layer = Winograd(128, 3, padding="same", data_format="channels_first")
    assert not winograd.is_quicker(layer)
    assert winograd.is_quicker(Winograd(128, 3, padding="same", data_format="channels_last"))


def test_a_model_with_it_is_saved_and_loaded(tmp_path):
    layer = Winograd(128, 3, padding="same", activation="relu")
    model = keras.Sequential([keras.Input((None, None, 4)), layer])
    model.trainable = False
    model.save(tmp_path / "model.keras")
    loaded, x = keras.models.load_model(tmp_path / "model.keras"), tf.ones((1, 6, 7, 4))
    assert type(loaded.layers[-1]) is Winograd
    np.testing.assert_array_equal(loaded(x), model(x))


def test_the_products_are_those_of_onednn_whatever_the_processor():
    """TensorFlow alone takes it where there is AVX-512 of a certain kind; nst_utils asks for it."""
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == "1"
