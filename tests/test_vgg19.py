"""VGG-19: its structure, every source of weights, the k-means filters and the calibration."""

import http.server
import threading
import time

import h5py
import keras
import numpy as np
import pytest
import scipy.io
import tensorflow as tf
from conftest import save_npz

import nst_utils
from nst_utils import VGG19_LAYERS, WeightsError, build_vgg19, fit_kmeans_vgg19, load_vgg19

NAMES = [name for name, _ in nst_utils.STYLE_LAYERS] + ["block4_conv2"]
RNG = np.random.default_rng(0)
IMAGES = [
    tf.constant(RNG.random((1, 48, 64, 3)), tf.float32),
    tf.constant(RNG.random((1, 64, 48, 3)), tf.float32),
]


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


# Reading files


def test_npz(tmp_path, weights):
    assert same(nst_utils.read_weights(save_npz(tmp_path / "w.npz", weights)), weights)


def test_h5_of_keras_3(tmp_path, reference, weights):
    reference.save_weights(tmp_path / "own.weights.h5")
    read = nst_utils.read_weights(tmp_path / "own.weights.h5")
    assert same(read, weights)


@pytest.mark.parametrize("top", [False, True])
def test_h5_as_released(tmp_path, weights, top):
    """The released files name a group for each layer, and may hold the dense layers, too."""
    with h5py.File(tmp_path / "w.h5", "w") as file:
        for name, (kernel, bias) in weights.items():
            file[f"{name}/{name}_W_1:0"], file[f"{name}/{name}_b_1:0"] = kernel, bias
        if top:
            file["fc1/fc1_W_1:0"], file["fc1/fc1_b_1:0"] = np.ones((4, 5)), np.ones(5)
    assert same(nst_utils.read_weights(tmp_path / "w.h5"), weights)


def test_mat_gives_the_same_network(tmp_path, weights):
    """MatConvNet's file is in RGB order and has a mean of its own."""
    mean = np.array([123.0, 117.0, 104.0])
    layers = np.empty(len(weights) + 1, object)
    for i, (name, (kernel, bias)) in enumerate(weights.items()):
        if name == "block1_conv1":
            kernel = kernel[:, :, ::-1]
        both = np.empty(2, object)
        both[0], both[1] = kernel, bias[:, None]
        layers[i] = {"type": "conv", "name": f"conv{name[5]}_{name[-1]}", "weights": both}
    layers[-1] = {"type": "softmax", "name": "prob"}
    meta = {"normalization": {"averageImage": mean.reshape(1, 1, 3)}}
    scipy.io.savemat(tmp_path / "w.mat", {"layers": layers, "meta": meta})
    read = nst_utils.read_weights(tmp_path / "w.mat")
    image = np.array(IMAGES[0]) * 255
    expected = tf.nn.conv2d(
        (image - mean)[..., ::-1].astype("f4"), weights["block1_conv1"][0], 1, "VALID"
    )
    ours = tf.nn.conv2d(
        image[..., ::-1] - np.float32(nst_utils.RGB_MEAN[::-1]), read["block1_conv1"][0], 1, "VALID"
    )
    np.testing.assert_allclose(
        ours + read["block1_conv1"][1], expected + weights["block1_conv1"][1], rtol=1e-3, atol=1e-2
    )
    assert np.array_equal(read["block5_conv4"][0], weights["block5_conv4"][0])


def damaged(folder, weights):
    whole = save_npz(folder / "whole.npz", weights).read_bytes()
    (folder / "cut.npz").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.h5").touch()
    (folder / "page.h5").write_text("<html>404</html>")
    (folder / "page.mat").write_text("<html>404</html>")
    vgg16 = {n: w for n, w in weights.items() if n[5:] not in ("3_conv4", "4_conv4", "5_conv4")}
    with h5py.File(folder / "vgg16.h5", "w") as file:
        for name, (kernel, bias) in vgg16.items():
            file[f"{name}/W"], file[f"{name}/b"] = kernel, bias
    kernel, bias = weights["block2_conv1"]
    save_npz(folder / "nan.npz", weights | {"block2_conv1": (kernel * np.nan, bias)})
    save_npz(folder / "zero.npz", weights | {"block2_conv1": (kernel * 0, bias)})
    save_npz(folder / "shape.npz", weights | {"block2_conv1": (kernel[:2], bias)})
    (folder / "w.txt").touch()
    (folder / "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5").write_bytes(b"x" * 100)
    return {
        "cut.npz": "zip",
        "empty.h5": "no VGG-19",
        "page.h5": "signature",
        "page.mat": "no VGG-19",
        "vgg16.h5": "VGG-16",
        "nan.npz": "NaN",
        "zero.npz": "empty filter",
        "shape.npz": "shapes",
        "w.txt": "suffix",
        "missing.h5": "no weights file",
        "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5": "MD5",
    }


def test_damaged_files_are_named_in_one_line(tmp_path, weights):
    for name, words in damaged(tmp_path, weights).items():
        with pytest.raises(WeightsError, match=words) as caught:
            load_vgg19(NAMES, tmp_path / name, IMAGES)
        assert name in str(caught.value) and "\n" not in str(caught.value)


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
    assert float(tf.reduce_mean(outputs[0][-1] ** 2)) == pytest.approx(1, rel=1e-3)


# k-means filters


@pytest.fixture(scope="module")
def fitted():
    return fit_kmeans_vgg19(IMAGES)


def test_same_seed_same_filters(fitted):
    again, other = fit_kmeans_vgg19(IMAGES), fit_kmeans_vgg19(IMAGES, seed=1)
    assert same(again, fitted)
    assert not np.array_equal(other["block1_conv1"][0], fitted["block1_conv1"][0])


def test_filters_have_the_structure_of_vgg19(fitted):
    nst_utils._check_structure(fitted, whole=True)
    for kernel, _ in fitted.values():
        filters = kernel.reshape(-1, kernel.shape[-1])
        filters = filters / np.linalg.norm(filters, axis=0)
        assert (
            np.median(np.abs(filters.T @ filters - np.eye(filters.shape[1]))) < 0.5
        )  # not one filter


def test_filters_follow_the_pictures(fitted):
    """On the pictures they were fitted to, filters are active on about the share intended."""
    activations = build_vgg19(fitted, ["block1_conv1"], "avg")(IMAGES[0])
    activations = activations[0] if isinstance(activations, list) else activations
    share = float(tf.reduce_mean(tf.cast(activations > 0, tf.float32)))
    assert share == pytest.approx(nst_utils.ACTIVE, abs=0.1)


@pytest.mark.parametrize("kind", ["flat", "grey", "small", "one", "wide"])
def test_any_pictures_will_do(kind):
    grey = tf.repeat(IMAGES[0][..., :1], 3, -1)
    images = {
        "flat": [tf.fill((1, 64, 64, 3), 0.5)] * 2, "grey": [grey, grey],
        "small": [tf.image.resize(image, (16, 16)) for image in IMAGES],
        "one": IMAGES[:1], "wide": [tf.image.resize(IMAGES[0], (64, 400)), IMAGES[1]],
    }[kind]  # fmt: skip
    fitted = fit_kmeans_vgg19(images, until="block5_conv1")
    for a in build_vgg19(fitted, NAMES, "avg")(images[0]):
        assert np.isfinite(a).all() and (np.array(a) > 0).any()


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


def test_a_content_layer_that_is_a_style_layer_keeps_its_gram_matrix():
    names = ["block1_conv1", "block2_conv1"]
    alone = load_vgg19([*names, "block2_conv2"], "kmeans", IMAGES)(IMAGES[0])
    both = load_vgg19([*names, "block2_conv1"], "kmeans", IMAGES)(IMAGES[0])
    np.testing.assert_allclose(alone[1], both[1], rtol=1e-4)


def test_the_fit_is_cached_whole_and_checked(no_cache, monkeypatch):
    first = load_vgg19(NAMES, "kmeans", IMAGES).get_weights()
    (cache,) = no_cache.glob("kmeans-*.npz")
    monkeypatch.setattr(nst_utils, "fit_kmeans_vgg19", None)  # a second fit would fail
    second = load_vgg19(NAMES, "kmeans", IMAGES).get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert cache.stat().st_size < 27e6
    monkeypatch.undo()
    monkeypatch.setattr(nst_utils, "PRETRAINED", no_cache)
    cache.write_bytes(cache.read_bytes()[:1000])  # a damaged cache is fitted anew
    third = load_vgg19(NAMES, "kmeans", IMAGES).get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(first, third, strict=True))


# Finding and downloading


class Server(http.server.BaseHTTPRequestHandler):
    """Serves PAYLOAD as its path says; listens on the loopback address only."""

    def do_GET(self):
        kind = self.path.split("/")[1]
        body = {"html": b"<html>no</html>", "wrong": PAYLOAD[::-1]}.get(kind, PAYLOAD)
        self.send_response(404 if kind == "gone" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if kind in ("cut", "stall") else body)
        if kind == "stall":
            self.wfile.flush()
            time.sleep(4)

    def log_message(self, *_):
        pass


PAYLOAD = RNG.bytes(200_000)


@pytest.fixture
def server(no_cache, monkeypatch):
    import hashlib

    name = next(iter(nst_utils.KNOWN_FILES))
    monkeypatch.setitem(nst_utils.KNOWN_FILES, name, (hashlib.md5(PAYLOAD).hexdigest(),))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}/"
        running.shutdown()


def test_download_whole(server, no_cache, capsys):
    path = nst_utils.download_weights(server + "whole/", no_cache)
    assert path.read_bytes() == PAYLOAD and [p.name for p in no_cache.iterdir()] == [path.name]


@pytest.mark.parametrize("kind", ["cut", "stall", "wrong", "gone", "html"])
def test_bad_downloads_leave_nothing(server, no_cache, kind):
    start = time.monotonic()
    with pytest.raises(WeightsError, match="by hand") as caught:
        nst_utils.download_weights(f"{server}{kind}/", no_cache, timeout=1)
    assert time.monotonic() - start < 4 and "\n" not in str(caught.value)
    assert not [path for path in no_cache.iterdir() if path.is_file()]


def test_auto_falls_back_to_kmeans_and_says_why(no_cache, monkeypatch, capsys):
    monkeypatch.setenv("NST_WEIGHTS", "")
    monkeypatch.setattr(nst_utils, "KERAS_URL", "http://127.0.0.1:9/")
    monkeypatch.setattr(
        nst_utils.download_weights, "__defaults__", ("http://127.0.0.1:9/", no_cache, 1)
    )
    name = next(iter(nst_utils.KNOWN_FILES))
    (no_cache / name).write_bytes(b"damaged")
    model = load_vgg19(["block1_conv1"], images=IMAGES)
    assert "k-means" in model.weights_source and "damaged" in model.weights_source
    assert "No download" in capsys.readouterr().out
    with pytest.raises(WeightsError, match="damaged"):
        load_vgg19(["block1_conv1"], "imagenet", IMAGES)
    monkeypatch.setenv("NST_WEIGHTS", str(no_cache / "nowhere.h5"))
    with pytest.raises(
        WeightsError, match="nowhere"
    ):  # what was asked for is never replaced silently
        load_vgg19(["block1_conv1"], images=IMAGES)


def test_a_verified_file_is_found(no_cache, monkeypatch, weights):
    monkeypatch.setenv("NST_WEIGHTS", "")
    name = next(iter(nst_utils.KNOWN_FILES))
    path = no_cache / "keras" / "models" / name
    path.parent.mkdir(parents=True)
    with h5py.File(path, "w") as file:
        for layer, (kernel, bias) in weights.items():
            file[f"{layer}/W"], file[f"{layer}/b"] = kernel, bias
    monkeypatch.setitem(nst_utils.KNOWN_FILES, name, (nst_utils._md5(path),))
    model = load_vgg19(["block1_conv1"])
    assert "ImageNet" in model.weights_source
    assert np.array_equal(model.get_weights()[0], weights["block1_conv1"][0])
