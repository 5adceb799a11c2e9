"""What can be wrong with a file of weights: it is named, and never makes a wrong network.

Most tests use a VGG-19 with a 32nd of the filters: the same 16 names, files of 80 kB.
"""

import hashlib
import sys

import h5py
import numpy as np
import pytest
import requests  # noqa: F401  before a test becomes `nobody`
import scipy.io
import tensorflow as tf
from little_weights import (
    EMPTY,
    IMAGES,
    KINDS,
    LAYERS,
    NAME,
    OTHERS,
    RNG,
    SMALL,
    WEIGHTS,
    changed,
    each,
    nobody,
    put,
    refused,
    same,
    write,
)

import nst_utils
from nst_utils import WeightsError

pytest.importorskip("resource", reason="POSIX has limits on file sizes")
pytestmark = pytest.mark.usefixtures("small")


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_cut_anywhere_is_refused(tmp_path, kind):
    path = write(kind, tmp_path / f"w{KINDS[kind]}")
    whole = path.read_bytes()
    offsets = [0, 1, 7, 128, 511, 4096, len(whole) - 1, *RNG.integers(len(whole), size=13)]
    for offset in offsets:
        path.write_bytes(whole[:offset])
        refused(path)
    path.write_bytes(whole)
    assert len(nst_utils.read_weights(path)) == 16


CONTENTS = {  # what is wrong -> weights, words of the message
    "NaN in a bias": (changed("block3_conv2", 1, put(np.nan, 3)), "block3_conv2 holds NaN"),
    "infinity": (changed("block1_conv1", 0, put(np.inf, 3)), "block1_conv1 holds NaN, inf"),
    "too large": (changed("block5_conv4", 0, lambda a: a.astype(float) * 1e300), "infinity"),
    "a layer of zeros": (changed("block5_conv4", 0, put(0)), "empty filter"),
    "one filter of zeros": (changed("block5_conv1", 0, lambda a: a * (np.arange(16) > 0)), "empty"),
    "VGG-16": ({n: w for n, w in WEIGHTS.items() if n[5:] not in ("3_conv4", "4_conv4", "5_conv4")},
               "VGG-16|block3_conv4 is missing"),
    "a layer less": ({n: w for n, w in WEIGHTS.items() if n != "block2_conv1"}, "block2_conv1"),
    "Theano's order": (each(lambda a: a.T), "shapes"),
    "two layers changed places": (WEIGHTS | {"block1_conv1": WEIGHTS["block2_conv1"],
                                             "block2_conv1": WEIGHTS["block1_conv1"]}, "shapes"),
    "whole numbers": (each(lambda a: (a * 99).astype(np.int8)), "int8"),
    "complex numbers": (each(lambda a: a.astype(np.complex64)), "complex64"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", CONTENTS)
def test_wrong_content_is_refused(tmp_path, kind, fault):
    weights, word = CONTENTS[fault]
    refused(write(kind, tmp_path / f"w{KINDS[kind]}", weights), word)


@pytest.mark.parametrize("kind", ["h5", "top", "mat"])
def test_a_disk_sector_of_zeros_is_refused(tmp_path, kind):
    """512 bytes of the file itself: MATLAB keeps a kernel in another order than HDF5."""
    path = write(kind, tmp_path / f"w{KINDS[kind]}")
    kernel = WEIGHTS["block4_conv2"][0]
    whole, part = path.read_bytes(), kernel.tobytes("F" if kind == "mat" else "C")
    assert whole.count(part) == 1
    at = whole.index(part) + 2060
    path.write_bytes(whole[:at] + bytes(512) + whole[at + 512 :])
    refused(path, "block4_conv2 has 64 zeros")


@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_and_double_are_the_same_network(tmp_path, kind):
    for dtype in ("f2", "f8"):
        read = nst_utils.read_weights(
            write(kind, tmp_path / f"w{KINDS[kind]}", each(lambda a, dtype=dtype: a.astype(dtype)))
        )
        assert read["block3_conv1"][0].dtype == np.float32
        if kind == "mat":  # RGB there
            read["block1_conv1"] = read["block1_conv1"][0][:, :, ::-1], WEIGHTS["block1_conv1"][1]
        assert same(read, WEIGHTS)


FILES = {  # file -> how to make it, words of the message
    "page.h5": (lambda p: p.write_text("<!DOCTYPE html><p>Sign in"), "signature"),
    "page.mat": (lambda p: p.write_text("<!DOCTYPE html><p>Sign in" * 99), "no VGG-19"),
    "page.npz": (lambda p: p.write_text("<!DOCTYPE html><p>Sign in"), "no VGG-19"),
    "zeros.h5": (lambda p: p.write_bytes(bytes(9999)), "signature"),
    "zeros.mat": (lambda p: p.write_bytes(bytes(9999)), "no VGG-19"),
    "zeros.npz": (lambda p: p.write_bytes(bytes(9999)), "no VGG-19"),
    "empty.h5": (lambda p: p.touch(), "is empty"),
    "empty.mat": (lambda p: p.touch(), "is empty"),
    NAME: (lambda p: p.touch(), "is empty"),
    "folder.h5": (lambda p: p.mkdir(), "is a folder"),
    "missing.mat": (lambda p: None, "There is no file.*'embedded'"),
    "h5.npz": (lambda p: write("h5", p), "no VGG-19"),
    "h5.mat": (lambda p: write("h5", p), "no VGG-19"),
    "npz.h5": (lambda p: write("npz", p.with_suffix(".npz")).rename(p), "signature"),
    "weights.H5": (lambda p: write("h5", p), "suffix"),
    "weights.h5.part": (lambda p: write("h5", p), "suffix"),
    "array.npz": (lambda p: np.save(p.with_suffix(".npy"), EMPTY) or
                  p.with_suffix(".npy").rename(p), "no VGG-19"),
    "nothing.npz": (lambda p: np.savez(p), "block1_conv1 is missing"),
    "objects.npz": (lambda p: np.savez(p, **{"block1_conv1/kernel": np.array([{}], object)}),
                    "allow_pickle"),
    "no_bias.npz": (lambda p: write("npz", p, **{"block2_conv1/bias": EMPTY}), "block2_conv1/bias"),
    "no_bias.h5": (lambda p: write("h5", p, **{"block2_conv1/bias": EMPTY}),
                   "block2_conv1 has no bias"),
    "no_kernel.h5": (lambda p: write("h5", p, **{"block2_conv1/kernel": EMPTY}),
                     "block2_conv1 has no kernel"),
    "twice.h5": (lambda p: write("h5", p, **{"b/block2_conv1/kernel": WEIGHTS["block2_conv1"][0]}),
                 "block2_conv1 is in it twice"),
    "no_layers.mat": (lambda p: scipy.io.savemat(p, {"meta": 1}), "'layers' is missing"),
    "no_mean.mat": (lambda p: write("mat", p, meta={"normalization": {"keepAspect": 1}}),
                    "'averageImage' is missing"),
    "io_error.h5": (lambda p: p.symlink_to("/proc/self/mem"), "Input/output error"),
    "loop.h5": (lambda p: p.symlink_to(p), "is not readable"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_bad_files_are_named(tmp_path, name):
    make, word = FILES[name]
    if name == "io_error.h5" and not sys.platform.startswith("linux"):
        pytest.skip("the file that cannot be read is Linux'")
    make(tmp_path / name)
    refused(tmp_path / name, word)


def test_the_optimizer_s_moments_are_not_taken_for_kernels(tmp_path):
    """Keras' old whole-model files hold, after the weights, arrays of the same names and shapes."""
    moments = {
        f"optimizer_weights/Adam/{name}/{part}/m:0": OTHERS[name][k]
        for name in SMALL
        for k, part in enumerate(("kernel", "bias"))
    }
    assert same(nst_utils.read_weights(write("h5", tmp_path / "model.h5", **moments)), WEIGHTS)


def test_only_a_hash_knows_filters_that_changed_places(tmp_path, monkeypatch, capsys):
    weights = WEIGHTS | {
        "block4_conv2": WEIGHTS["block4_conv3"], "block4_conv3": WEIGHTS["block4_conv2"],
    }  # fmt: skip
    good = hashlib.md5(write("h5", tmp_path / "good.h5").read_bytes()).hexdigest()
    monkeypatch.setitem(nst_utils.KNOWN_FILES, good, NAME)
    refused(write("h5", tmp_path / NAME, weights), "MD5")
    model = nst_utils.load_vgg19(LAYERS, write("h5", tmp_path / "mine.h5", weights))
    assert model.weights_source == "mine.h5 (its hash is not known)"
    assert "not known" in capsys.readouterr().out


def test_files_that_may_not_be_read(tmp_path):
    folder = tmp_path / "closed"
    folder.mkdir()
    path = write("h5", folder / "w.h5")
    with nobody(folder, 0o000):
        refused(path, "is not readable .Permission denied")
    path.chmod(0o000)
    with nobody(folder, 0o755):
        refused(path, "is not readable .Permission denied")
    refused("~nobody-of-this-name/w.h5", "There is no file")


def test_pictures_with_nan_are_refused():
    with pytest.raises(WeightsError, match="NaN"):
        nst_utils.load_vgg19(LAYERS, "kmeans", [IMAGES[0] * np.nan, IMAGES[1]])


def test_weights_too_large_for_any_picture_are_refused(tmp_path):
    path = write("npz", tmp_path / "w.npz", each(lambda a: a * 1e20))
    with pytest.raises(WeightsError, match="block1_conv1"):
        nst_utils.load_vgg19(LAYERS, path, IMAGES)


def test_settings_of_keras_do_not_change_the_network(monkeypatch):
    import keras

    plain = nst_utils.build_vgg19(WEIGHTS, LAYERS)(IMAGES[0])
    before = keras.config.image_data_format(), keras.config.floatx(), keras.config.dtype_policy()
    try:
        keras.config.set_image_data_format("channels_first")
        keras.config.set_floatx("float16")
        keras.config.set_dtype_policy("mixed_float16")
        again = nst_utils.build_vgg19(WEIGHTS, LAYERS)(IMAGES[0])
    finally:
        keras.config.set_image_data_format(before[0])
        keras.config.set_floatx(before[1])
        keras.config.set_dtype_policy(before[2])
    for a, b in zip(plain, again, strict=True):
        assert b.dtype == "float32" and np.array_equal(a, b)


@pytest.mark.parametrize("top", [False, True])
def test_names_as_released(tmp_path, top):
    """The released files name a group for each layer, and may hold the dense layers, too."""
    with h5py.File(tmp_path / "w.h5", "w") as file:
        for name, (kernel, bias) in WEIGHTS.items():
            file[f"{name}/{name}_W_1:0"], file[f"{name}/{name}_b_1:0"] = kernel, bias
        if top:
            file["fc1/fc1_W_1:0"], file["fc1/fc1_b_1:0"] = np.ones((4, 5)), np.ones(5)
    assert same(nst_utils.read_weights(tmp_path / "w.h5"), WEIGHTS)


def test_a_mat_gives_the_same_network(tmp_path):
    """MatConvNet's file is in RGB order and has a mean of its own."""
    mean, (kernel, bias) = np.array([123.0, 117.0, 104.0]), WEIGHTS["block1_conv1"]
    turned = WEIGHTS | {"block1_conv1": (kernel[:, :, ::-1], bias)}
    meta = {"normalization": {"averageImage": mean.reshape(1, 1, 3)}}
    read = nst_utils.read_weights(write("mat", tmp_path / "w.mat", turned, meta=meta))
    image = IMAGES[0] * 255
    theirs = tf.nn.conv2d((image - mean)[..., ::-1].astype("f4"), kernel, 1, "VALID") + bias
    kernel, bias = read["block1_conv1"]
    ours = tf.nn.conv2d(image[..., ::-1] - nst_utils.BGR_MEAN, kernel, 1, "VALID") + bias
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-2)
    assert np.array_equal(read["block5_conv4"][0], WEIGHTS["block5_conv4"][0])
