"""Arrays that are pictures or not, and pictures written, cut and resized."""

import io
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from little_weights import full_disk
from picture_makers import NOISE, SMOOTH, read, refused
from PIL import Image

import nst_utils
import painter
from nst_utils import ImageError, load_image, match_shape, save_image, to_pixels

pytestmark = pytest.mark.filterwarnings("error")

PIXELS = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("size", "shape"), [((60, 40), (20, 30)), ((40, 60), (30, 20)), ((5000, 1), (1, 30))]
)
def test_max_side(tmp_path, size, shape):
    Image.new("RGB", size, "red").save(tmp_path / "a.png")
    assert load_image(tmp_path / "a.png", max_side=30).shape[1:3] == shape
    assert load_image(tmp_path / "a.png", max_side=9999).shape[1:3] == size[::-1]  # never enlarged


def test_save_clips_and_rounds(tmp_path):
    image = np.array([[[-0.2, 0.5, 1.3], [254.9 / 255, 0.001, 0.999]]])
    path = save_image(image, tmp_path / "new" / "a.png")
    assert np.asarray(Image.open(path)).tolist() == [[[0, 128, 255], [255, 0, 255]]]


def test_save_refuses_what_is_no_picture(tmp_path):
    for image in (np.zeros((4, 4)), np.full((4, 4, 3), np.nan), np.zeros((2, 4, 4, 3))):
        with pytest.raises(ImageError):
            save_image(image, tmp_path / "a.png")
    with pytest.raises(ImageError, match="unknown format"):
        save_image(np.zeros((4, 4, 3)), tmp_path / "a.xyz")
    assert not list(tmp_path.iterdir())


def test_save_to_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ImageError, match="choose another folder"):
        save_image(np.zeros((4, 4, 3)), tmp_path / "file" / "a.png")


def test_a_failed_write_leaves_the_old_picture(tmp_path, monkeypatch):
    path = save_image(PIXELS / 255, tmp_path / "a.png")
    before = path.read_bytes()

    def full(self, data):
        with self.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ImageError, match="No space left"):
        save_image(np.zeros((4, 4, 3)), path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_match_shape_cuts_the_centre_without_distortion():
    wide = np.zeros((1, 40, 120, 3), np.float32)
    wide[:, :, 40:80] = 1  # a white square in the middle
    like = np.zeros((1, 20, 20, 3), np.float32)
    assert match_shape(wide, like).shape == like.shape
    assert match_shape(wide, like).numpy().min() > 0.99


DTYPES = ["bool", "f2", "f4", "f8", "g", "u1"]
NO_PICTURE = ["i1", "i2", "i4", "i8", "u2", "u4", "u8", "c8", "c16", "O", "U3", "S3", "M8[s]"]
NO_PICTURE += ["m8[s]", "V8", [("r", "f4")]]
SHAPES = [(), (0,), (3,), (4, 5), (4, 5, 1), (4, 5, 2), (4, 5, 4), (0, 5, 3), (4, 0, 3)]
SHAPES += [(1, 4, 5, 1), (2, 4, 5, 3), (0, 4, 5, 3), (1, 1, 4, 5, 3)]


@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_that_are_pictures(dtype):
    values = np.linspace(0, 1, 60).reshape(4, 5, 3)
    values = (
        values * 255 if dtype == "u1" else values > 0.5 if dtype == "bool" else values
    ).astype(dtype)
    expected = values if dtype == "u1" else np.rint(values.astype(float) * 255)
    for given in (
        values,
        values[None],
        np.asfortranarray(values),
        tf.constant(values.astype("f4" if dtype == "g" else dtype)),
    ):
        assert np.array_equal(to_pixels(given), expected) and to_pixels(given).dtype == np.uint8
    assert "array" in refused(values)
    if dtype in ("f2", "f4", "f8"):
        ready = values[None].repeat(5, 1).repeat(4, 2)  # VGG-19 needs 16 pixels
        assert np.allclose(nst_utils.check_picture(ready), ready)
        assert match_shape(values[None], ready).shape == ready.shape


def test_bfloat16_is_a_picture():
    half = tf.fill((1, 2, 2, 3), tf.constant(0.5, tf.bfloat16))
    assert (to_pixels(half) == 128).all()


def not_for_the_network(image, word="A picture for VGG-19"):
    """The network and the painter refuse it, in one line."""
    fine = np.full((1, 20, 20, 3), 0.5, "f4")
    for use in (
        lambda: nst_utils.load_vgg19(["block1_conv1"], "kmeans", [fine, image]),
        lambda: painter.stylize(image, fine, weights="kmeans"),
        lambda: painter.stylize(fine, [fine, image], weights="kmeans"),
        lambda: painter.stylize(fine, fine, init=image, weights="kmeans"),
    ):
        with pytest.raises((nst_utils.WeightsError, painter.PaintError), match=word) as caught:
            use()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", NO_PICTURE, ids=str)
def test_dtypes_that_are_no_pictures(dtype):
    with pytest.raises(ImageError, match=r"float in \[0, 1\]") as caught:
        to_pixels(np.zeros((4, 5, 3), dtype))
    assert "\n" not in str(caught.value)
    assert "float" in refused(np.zeros((4, 5, 3), dtype))
    not_for_the_network(np.zeros((1, 20, 20, 3), dtype))


@pytest.mark.parametrize("given", [None, "a", [[1.0], [1.0, 2.0]], {}, object(), tf.constant("a")])
def test_no_array_at_all(given, tmp_path):
    with pytest.raises(ImageError) as caught:
        save_image(given, tmp_path / "a.png")
    assert "\n" not in str(caught.value) and not list(tmp_path.iterdir())


@pytest.mark.parametrize("dtype", ["f4", "u1", "bool"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_shapes(shape, dtype):
    with pytest.raises(ImageError, match=r"\(1, n_H, n_W, 3\)"):
        to_pixels(np.zeros(shape, dtype))
    fine, wrong = np.zeros((1, 2, 2, 3), "f4"), np.zeros(shape, "f4")
    for pair in ((wrong, fine), (fine, wrong)):
        with pytest.raises(ImageError, match="use load_image"):
            match_shape(*pair)
    not_for_the_network(wrong)


def test_ranges():
    for value, words in ((np.nan, "NaN"), (np.inf, "NaN"), (200.0, "divide by 255")):
        with pytest.raises(ImageError, match=words):
            to_pixels(np.full((2, 2, 3), value))
        not_for_the_network(np.full((1, 20, 20, 3), value), words)
    not_for_the_network(tf.fill((1, 20, 20, 3), -0.5), "-0.5 to -0.5")
    not_for_the_network(np.full((1, 20, 20, 3), 200, np.uint8), "uint8")
    with pytest.raises(ImageError, match="image must be float"):
        match_shape(NOISE[None], NOISE[None] / 255.0)
    with pytest.raises(ImageError, match="like must be float"):
        match_shape(NOISE[None] / 255.0, None)


@pytest.mark.parametrize(
    "name",
    ["a.psd", "a.eps", "a.pdf", "a.xbm", "a.ico", "a.h5", "a", "a.", ".png", "x" * 300 + ".png",
     "nul\0.png", "\ud800.png", "folder.png", "folder.png/", None, b"a.xyz", io.BytesIO(), 3],
)  # fmt: skip
def test_nothing_is_written_where_no_picture_can_be(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("folder.png").mkdir()
    with pytest.raises(ImageError) as caught:
        save_image(NOISE / 255.0, name)
    assert str(caught.value).isprintable()
    assert [p.name for p in tmp_path.iterdir()] == ["folder.png"]


@pytest.mark.parametrize("kind", ["jpg", "webp"])
def test_too_wide_for_its_format(kind, tmp_path):
    with pytest.raises(ImageError, match=r"format such as \.png"):
        save_image(np.zeros((1, 70_000, 3)), tmp_path / f"a.{kind}")
    assert not list(tmp_path.iterdir())
    assert read(save_image(np.zeros((1, 70_000, 3)), tmp_path / "a.png")).shape == (1, 70_000, 3)


@pytest.mark.parametrize(
    "suffix", ["png", "bmp", "tif", "tiff", "ppm", "tga", "gif", "jpg", "webp"]
)
def test_written_pictures_can_be_read(suffix, tmp_path):
    path = save_image(SMOOTH / 255.0, tmp_path / f"a.{suffix}", settings="é\n")
    assert np.abs(read(path) - SMOOTH).mean() < (12 if suffix == "gif" else 3)


@pytest.mark.parametrize("suffix", [".png", ".gif", ".jpg", ".bmp"])
def test_a_disk_that_fills_while_saving_keeps_the_old_picture(tmp_path, suffix):
    pytest.importorskip("resource", reason="POSIX has limits on file sizes")
    noise = np.random.default_rng(0).random((128, 128, 3))
    path = save_image(np.zeros((8, 8, 3)), tmp_path / f"a{suffix}")
    old = path.read_bytes()
    for size in (0, 100, 4096, 8192):
        with pytest.raises(ImageError, match="Cannot write") as caught, full_disk(size):
            if suffix == ".gif":
                painter.save_animation([noise, 1 - noise], path)
            else:
                save_image(noise, path)
        assert path.name in str(caught.value) and "\n" not in str(caught.value)
        assert path.read_bytes() == old and list(tmp_path.iterdir()) == [path]
