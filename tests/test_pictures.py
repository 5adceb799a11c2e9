"""Reading, writing and drawing pictures."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import nst_utils
from nst_utils import ImageError, load_image, match_shape, save_image

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (40, 60, 3), dtype=np.uint8)


def written(path: Path, mode: str, **options: object) -> np.ndarray:
    """Write PIXELS in `mode`, read them with `load_image`: (n_H, n_W, 3) in 0..255."""
    Image.fromarray(PIXELS).convert(mode).save(path, **options)
    return load_image(path).numpy()[0] * 255


def test_rgb_is_exact_and_in_range(tmp_path):
    assert np.array_equal(np.rint(written(tmp_path / "a.png", "RGB")), PIXELS)
    image = load_image(tmp_path / "a.png")
    assert image.shape == (1, 40, 60, 3) and image.dtype == "float32"
    assert image.numpy().min() >= 0 and image.numpy().max() <= 1


@pytest.mark.parametrize(
    ("mode", "name"), [("L", "g.png"), ("1", "b.png"), ("P", "p.png"), ("CMYK", "c.jpg")]
)
def test_other_modes_become_rgb(tmp_path, mode, name):
    path = tmp_path / name
    read = written(path, mode)
    assert np.abs(read - np.asarray(Image.open(path).convert("RGB"), float)).max() < 1


def test_sixteen_bit_grey_keeps_its_shades(tmp_path):
    grey = np.linspace(0, 65535, 2400).astype(np.uint16).reshape(40, 60)
    Image.fromarray(grey).save(tmp_path / "g.png")
    assert np.abs(load_image(tmp_path / "g.png").numpy()[0, ..., 0] - grey / 65535).max() < 1 / 255


def test_transparency_is_laid_on_white(tmp_path):
    alpha = np.dstack([PIXELS, np.zeros((40, 60), np.uint8)])
    alpha[:, 30:, 3] = 255
    Image.fromarray(alpha).save(tmp_path / "a.png")
    image = load_image(tmp_path / "a.png").numpy()[0] * 255
    assert (image[:, :30] == 255).all() and np.array_equal(np.rint(image[:, 30:]), PIXELS[:, 30:])


def test_exif_turns_the_photo_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held turned by 90 degrees
    Image.fromarray(PIXELS).save(tmp_path / "a.png", exif=exif)
    upright = np.rot90(PIXELS, -1)
    assert np.array_equal(np.rint(load_image(tmp_path / "a.png").numpy()[0] * 255), upright)


@pytest.mark.parametrize(
    ("size", "shape"), [((60, 40), (20, 30)), ((40, 60), (30, 20)), ((5000, 1), (1, 30))]
)
def test_max_side(tmp_path, size, shape):
    Image.new("RGB", size, "red").save(tmp_path / "a.png")
    assert load_image(tmp_path / "a.png", max_side=30).shape[1:3] == shape
    assert load_image(tmp_path / "a.png", max_side=9999).shape[1:3] == size[::-1]  # never enlarged


def bad_pictures(folder: Path) -> dict[str, Path | str]:
    whole = folder / "whole.jpg"
    Image.fromarray(PIXELS).resize((600, 400)).save(whole)
    (folder / "empty.png").touch()
    (folder / "cut.jpg").write_bytes(whole.read_bytes()[:3000])
    (folder / "text.jpg").write_text("not a picture")
    return {
        "There is no file": folder / "missing.jpg",
        "the file is empty": folder / "empty.png",
        "cut short": folder / "cut.jpg",
        "no picture that Pillow knows": folder / "text.jpg",
        "is a folder": folder,
        "web address": "https://example.org/a.jpg",
    }


def test_bad_pictures_are_named_in_one_line(tmp_path):
    for words, path in bad_pictures(tmp_path).items():
        with pytest.raises(ImageError, match=words) as caught:
            load_image(path)
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)
        assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_save_clips_and_rounds(tmp_path):
    image = np.array([[[-0.2, 0.5, 1.3], [254.9 / 255, 0.001, 0.999]]])
    path = save_image(image, tmp_path / "new" / "a.png")
    assert np.asarray(Image.open(path)).tolist() == [[[0, 128, 255], [255, 0, 255]]]


def test_save_refuses_what_is_no_picture(tmp_path):
    for image in (np.zeros((4, 4)), np.full((4, 4, 3), np.nan), np.zeros((2, 4, 4, 3))):
        with pytest.raises(ImageError):
            save_image(image, tmp_path / "a.png")
    with pytest.raises(ImageError, match="unknown picture format"):
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


def test_figures_draw_what_they_are_given():
    image = PIXELS[None] / 255
    figure = nst_utils.show_images({"one": image, "two": image, "three": image, "four": image})
    assert [axes.get_title() for axes in figure.axes[:4]] == ["one", "two", "three", "four"]
    maps = nst_utils.show_maps({"a": np.eye(3), "b": 2 * np.eye(3)}, label="unit")
    assert {axes.images[0].get_clim() for axes in maps.axes[:2]} == {(0, 2)}  # one scale for all
    curves = nst_utils.plot_costs([(0, 5.0, 0.0, 0.1), (5, 3.0, 0.1, 0.05)]).axes[0]
    assert [line.get_label() for line in curves.lines] == ["J", "J_content", "J_style"]
    assert "J = 2.5" in nst_utils.show_progress(image, 7, 2.5).axes[0].get_title()
    drawn = nst_utils.draw_vgg19(["block1_conv1"], "block4_conv2").axes[0]
    assert len(drawn.patches) == 16
