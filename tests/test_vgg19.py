"""VGG-19: its structure, the calibration, the k-means filters."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import save_npz
from little_pictures import C

import nst_utils
from nst_utils import VGG19_LAYERS, WeightsError, build_vgg19, fit_kmeans_vgg19, load_vgg19

NAMES = [name for name, _ in nst_utils.STYLE_LAYERS] + ["block4_conv2"]
RNG = np.random.default_rng(0)
IMAGES = [
    tf.constant(RNG.random((1, 48, 64, 3)), tf.float32),
    tf.constant(RNG.random((1, 64, 48, 3)), tf.float32),
]
EIGHTH = {n: (i if i == 3 else i // 8, o // 8) for n, (i, o) in VGG19_LAYERS.items()}


@pytest.fixture(scope="module")
def reference():
    """Keras' own VGG-19, with random weights and biases."""
    keras.utils.set_random_seed(0)  # chance must not decide whether CI is green
    model = keras.applications.VGG19(weights=None, include_top=False)
    for layer in model.layers:
        if layer.weights:
            kernel, bias = layer.get_weights()
            layer.set_weights([kernel, RNG.normal(0, 0.1, bias.shape)])
    return model


@pytest.fixture(scope="module")
def weights(reference):
    return {name: tuple(reference.get_layer(name).get_weights()) for name in VGG19_LAYERS}


def same(one, two):
    return all(np.array_equal(one[n][i], two[n][i]) for n in VGG19_LAYERS for i in (0, 1))


# The structure
def test_layers_are_those_of_keras(reference, weights):
    model = build_vgg19(weights, ["block5_conv4"])
    ours = [layer for layer in model.layers if layer.name.startswith("block")]
    theirs = [layer for layer in reference.layers if layer.name.startswith("block")][
        :-1
    ]  # last pool
    assert [layer.name for layer in ours] == [layer.name for layer in theirs]
    assert [[w.shape for w in a.weights] for a in ours] == [
        [w.shape for w in b.weights] for b in theirs
    ]
    assert model.count_params() == reference.count_params() == 20_024_384
    assert not model.trainable_weights


def test_activations_are_those_of_keras(reference, weights):
    pixels = np.array(IMAGES[0]) * 255
    theirs = keras.Model(reference.input, [reference.get_layer(n).output for n in NAMES])
    expected = theirs(keras.applications.vgg19.preprocess_input(pixels.copy()))
    for ours, want in zip(build_vgg19(weights, NAMES)(IMAGES[0]), expected, strict=True):
        assert ours.shape == want.shape
        np.testing.assert_allclose(ours, want, rtol=1e-3, atol=1e-3 * float(tf.reduce_max(want)))


def test_nothing_above_the_deepest_layer_is_built(weights):
    assert [x.name for x in build_vgg19(weights, ["block2_conv1"]).layers][-1] == "block2_conv1"


def test_h5_of_keras_3(tmp_path, reference, weights):
    reference.save_weights(tmp_path / "own.weights.h5")
    read = nst_utils.read_weights(tmp_path / "own.weights.h5")
    assert same(read, weights)


def test_unknown_layer():
    with pytest.raises(WeightsError, match="block9_conv1"):
        load_vgg19(["block9_conv1"], "kmeans", IMAGES)


def test_pictures_of_the_wrong_shape():
    with pytest.raises(WeightsError, match="sides of 16"):
        load_vgg19(NAMES, "kmeans", [tf.zeros((1, 8, 8, 3))])
    with pytest.raises(WeightsError, match="images="):
        load_vgg19(NAMES, "kmeans")


# Calibration
def test_calibration_only_changes_units(tmp_path, weights):
    """Each activation is the original one times one factor a layer."""
    path = save_npz(tmp_path / "w.npz", weights)
    plain, scaled = load_vgg19(NAMES, path), load_vgg19(NAMES, path, IMAGES)
    for a, b in zip(plain(IMAGES[0]), scaled(IMAGES[0]), strict=True):
        factor = float(tf.reduce_sum(a * b) / tf.reduce_sum(a * a))
        np.testing.assert_allclose(b, factor * a, rtol=1e-3, atol=1e-3 * float(tf.reduce_max(b)))
        assert not np.isclose(factor, 1, rtol=1e-2)


@pytest.mark.parametrize("source", ["kmeans", "file"])
def test_calibrated_sizes(tmp_path, weights, source, no_cache):
    asked = "kmeans" if source == "kmeans" else save_npz(tmp_path / "w.npz", weights)
    vgg = load_vgg19(NAMES, asked, IMAGES)
    outputs = [vgg(image) for image in IMAGES]
    for layer in range(5):
        rms = []
        for activations in outputs:
            a = tf.reshape(activations[layer], (-1, activations[layer].shape[-1]))
            rms.append(np.sqrt(np.mean((tf.transpose(a) @ a / len(a)).numpy() ** 2)))
        assert np.mean(rms) == pytest.approx(1, rel=0.05)  # the fit saw dithered pictures
    assert float(tf.reduce_mean(outputs[0][-1] ** 2)) == pytest.approx(1, rel=0.05)


def test_same_seed_same_filters(monkeypatch):
    monkeypatch.setattr(nst_utils, "VGG19_LAYERS", EIGHTH)
    first, again, other = (fit_kmeans_vgg19(IMAGES, seed=seed) for seed in (0, 0, 1))
    assert same(again, first)
    assert not np.array_equal(other["block1_conv1"][0], first["block1_conv1"][0])


@pytest.mark.parametrize("kind", ["flat", "grey", "small", "one", "wide"])
def test_any_pictures_will_do(monkeypatch, kind):
    monkeypatch.setattr(nst_utils, "VGG19_LAYERS", EIGHTH)
    grey = tf.repeat(IMAGES[0][..., :1], 3, -1)
    images = {
        "flat": [tf.fill((1, 64, 64, 3), 0.5)] * 2, "grey": [grey, grey],
        "small": [tf.image.resize(image, (16, 16)) for image in IMAGES],
        "one": IMAGES[:1], "wide": [tf.image.resize(IMAGES[0], (64, 400)), IMAGES[1]],
    }[kind]  # fmt: skip
    fitted = fit_kmeans_vgg19(images, until="block5_conv1")
    for a in build_vgg19(fitted, NAMES, "avg")(images[0]):
        assert np.isfinite(a).all() and (np.array(a) > 0).any()


def test_the_fit_is_kept_in_half_precision_and_taken_again(no_cache, monkeypatch):
    monkeypatch.setattr(nst_utils, "VGG19_LAYERS", EIGHTH)
    first = load_vgg19(NAMES, "kmeans", IMAGES).get_weights()
    (cache,) = no_cache.glob("kmeans-*.npz")
    with np.load(cache) as file:
        assert {file[name].dtype for name in file if name != "check"} == {np.dtype("f2")}
    monkeypatch.setattr(nst_utils, "fit_kmeans_vgg19", None)  # a second fit would fail
    second = load_vgg19(NAMES, "kmeans", IMAGES).get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_filters_have_the_structure_of_vgg19(fitted):
    nst_utils._check_structure(fitted, whole=True)
    for kernel, _ in list(fitted.values())[::3]:
        filters = kernel.reshape(-1, kernel.shape[-1])
        filters = filters / np.linalg.norm(filters, axis=0)
        assert (
            np.median(np.abs(filters.T @ filters - np.eye(filters.shape[1]))) < 0.5
        )  # not one filter


def test_filters_follow_the_pictures(fitted):
    """On the pictures they were fitted to, filters are active on about the share intended."""
    (activations,) = tf.nest.flatten(build_vgg19(fitted, ["block1_conv1"], "avg")(C))
    share = float(tf.reduce_mean(tf.cast(activations > 0, tf.float32)))
    assert share == pytest.approx(nst_utils.ACTIVE, abs=0.1)


def test_keep_leaves_given_filters_as_they_are(weights):
    keep = {name: weights[name] for name in list(VGG19_LAYERS)[:4]}
    mixed = fit_kmeans_vgg19(IMAGES, keep=keep, until="block3_conv1")
    for name in keep:
        ratio = mixed[name][0] / keep[name][0]
        np.testing.assert_allclose(ratio, ratio.flat[0], rtol=1e-4)


@pytest.mark.parametrize("kept", [1, 2, 4])
def test_filters_above_kept_ones_fire_as_often_as_any(weights, kept):
    """Fitted to activations in other units, their biases would be out of scale."""
    names, names_kept = list(VGG19_LAYERS)[: kept + 1], list(VGG19_LAYERS)[:kept]
    keep = {name: (weights[name][0] * 50, weights[name][1] * 50) for name in names_kept}
    mixed = fit_kmeans_vgg19(IMAGES, keep=keep, until=names[-1], pooling="max")
    active = [build_vgg19(mixed, names[-1:], "max")(image) > 0 for image in IMAGES]
    shares = np.mean([tf.reduce_mean(tf.cast(a, tf.float32), (0, 1, 2)) for a in active], 0)
    assert abs(shares.mean() - nst_utils.ACTIVE) < 0.05 and shares.max() < 0.8


def test_weights_can_be_given_and_completed(fitted):
    some = {name: fitted[name] for name in fitted if name.startswith("block1")}
    names = ["block1_conv1", "block2_conv1"]
    whole, partly = (load_vgg19(names, w, IMAGES) for w in (fitted, some))
    kernels = [net.get_layer("block1_conv2").get_weights()[0] for net in (whole, partly)]
    assert np.allclose(*kernels) and "block2_conv1 and above by k-means" in partly.weights_source
    some["block1_conv1"] = (np.zeros((3, 3, 3, 64)), np.zeros(64))
    with pytest.raises(WeightsError, match="block1_conv1 holds"):
        load_vgg19(names, some, IMAGES)


def test_a_content_layer_that_is_a_style_layer_keeps_its_gram_matrix():
    names = ["block1_conv1", "block2_conv1"]
    alone = load_vgg19([*names, "block2_conv2"], "kmeans", IMAGES)(IMAGES[0])
    both = load_vgg19([*names, "block2_conv1"], "kmeans", IMAGES)(IMAGES[0])
    np.testing.assert_allclose(alone[1], both[1], rtol=1e-4)


def test_auto_falls_back_to_embedded_filters_and_says_why(no_cache, monkeypatch, capsys):
    monkeypatch.setenv("NST_WEIGHTS", "")
    monkeypatch.setattr(nst_utils, "KERAS_URL", "http://127.0.0.1:9/")
    monkeypatch.setattr(
        nst_utils.download_weights, "__defaults__", ("http://127.0.0.1:9/", no_cache, 1)
    )
    name = next(iter(nst_utils.KNOWN_FILES.values()))
    (no_cache / name).write_bytes(b"damaged")
    model = load_vgg19(["block1_conv1"], images=IMAGES)
    assert "embedded" in model.weights_source and "damaged" in model.weights_source
    assert "No download" in capsys.readouterr().out
    with pytest.raises(WeightsError, match="damaged"):
        load_vgg19(["block1_conv1"], "imagenet", IMAGES)
    monkeypatch.setenv("NST_WEIGHTS", str(no_cache / "nowhere.h5"))
    with pytest.raises(
        WeightsError, match="nowhere"
    ):  # what was asked for is never replaced silently
        load_vgg19(["block1_conv1"], images=IMAGES)
