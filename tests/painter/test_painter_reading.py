"""The files that the command line names: masks, transparency, sizes, and errors with names."""

import numpy as np
import pytest
from little_pictures import HOUSE, KNIFE
from picture_makers import chunk, encoded, png
from PIL import Image

from nst_utils import ImageError, load_image
from painter import PaintError
from painter.reading import opacity, read_mask, read_picture, read_pictures

OPAQUE = np.zeros((20, 24), np.uint8)
OPAQUE[5:15, 6:18] = 255


def mode(kind):
    """A white mask on transparent white, as a file of this kind."""
    white = np.full_like(OPAQUE, 255)
    if kind == "RGBA":
        return encoded(np.dstack([white, white, white, OPAQUE]), "PNG")
    if kind == "LA":
        return encoded(Image.merge("LA", [Image.fromarray(c) for c in (white, OPAQUE)]), "PNG")
    if kind in ("P", "GIF"):
        paletted = Image.fromarray(OPAQUE // 255).convert("P")
        paletted.putpalette([255] * 6)
        return encoded(paletted, "GIF" if kind == "GIF" else "PNG", transparency=0)
    if kind == "WEBP":
        return encoded(np.dstack([white, white, white, OPAQUE]), "WEBP", lossless=True)
    if kind == "16 bit, alpha":
        wide = OPAQUE[..., None] * np.array([257])
        return png(np.concatenate([np.full_like(wide, 65535), wide], -1), 16, 4)
    if kind == "16 bit, colour":
        wide = np.where(OPAQUE[..., None], 65535, 0xC0C0) * np.ones(3, int)
        return png(wide, 16, 2, extra=chunk(b"tRNS", 6 * b"\xc0"))
    value = {"L": (8, 254), "16 bit": (16, 65534)}[kind]
    pixels = np.where(OPAQUE, 2 ** value[0] - 1, value[1])[..., None]
    return png(pixels, value[0], 0, extra=chunk(b"tRNS", value[1].to_bytes(2, "big")))


KINDS = ["RGBA", "LA", "P", "GIF", "WEBP", "L", "16 bit", "16 bit, alpha", "16 bit, colour"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_transparent_in_a_mask_is_0(tmp_path, kind):
    path = tmp_path / "mask"
    path.write_bytes(mode(kind))
    mask = read_mask(str(path), 4096)
    assert np.allclose(mask[0, ..., 0], OPAQUE / 255, atol=0.01)
    assert np.min(load_image(path)) == 1  # a photo is laid on white


def test_a_black_mask_is_named(tmp_path):
    path = tmp_path / "black.png"
    Image.fromarray(np.zeros_like(OPAQUE)).save(path)
    with pytest.raises(PaintError, match=r"black\.png' is black or transparent everywhere"):
        read_mask(str(path), 4096)


@pytest.mark.parametrize("upright", [False, True])
def test_a_narrow_photo_is_told_the_size_that_would_do(tmp_path, upright):
    path = tmp_path / "wide.png"
    exif = Image.Exif()
    exif[0x0112] = 6 if upright else 1
    Image.new("RGB", (3000, 100)).save(path, exif=exif)
    with pytest.raises(ImageError) as raised:
        read_picture(str(path), 400)
    text = str(raised.value)
    assert str(path) in text and ("100 x 3000" if upright else "3000 x 100") in text
    enough = int(text.split("--max-side ")[1].split()[0])
    assert min(read_picture(str(path), enough).shape[1:3]) == 16
    with pytest.raises(ImageError, match=f"--max-side {enough}"):
        read_picture(str(path), enough - 20)


def test_a_small_picture_is_named(tmp_path):
    path = tmp_path / "small.png"
    Image.new("RGB", (15, 200)).save(path)
    with pytest.raises(ImageError, match=r"small\.png' is 15 x 200 pixels; .* enlarge it"):
        read_picture(str(path), 400)


def test_a_start_that_is_no_file_may_be_a_name_mistyped():
    options = {"content": str(HOUSE), "style": [], "max_side": 32, "transparency": False}
    with pytest.raises(ImageError, match=r"'nois'.* content, patches, noise, style"):
        read_pictures(options | {"masks": None, "init": "nois"})
    with pytest.raises(ImageError) as raised:  # a file that is none of a picture is no such name
        read_pictures(options | {"masks": None, "init": __file__})
    assert "patches" not in str(raised.value)


def test_pictures_of_any_kind_may_have_too_many_pixels(tmp_path, monkeypatch):
    """Between Pillow's warning and its error, as a photo: they are read smaller."""
    mask = tmp_path / "mask.png"
    mask.write_bytes(mode("RGBA"))
    with Image.open(HOUSE) as house, Image.open(KNIFE) as knife:
        most = max(np.prod(picture.size) for picture in (house, knife))
    Image.new("L", (200, int(most / 150)), 255).save(mask)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", int(most * 0.7))
    options = {"content": str(HOUSE), "style": [str(KNIFE)], "max_side": 32, "transparency": False}
    pictures = read_pictures(options | {"masks": [str(mask)], "init": str(KNIFE)})
    assert max(pictures.content.shape) == 32 and len(pictures.masks) == 1
    assert pictures.init.shape == pictures.styles[0].shape and pictures.alpha is None
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", int(most * 0.3))
    with pytest.raises(ImageError, match="too many pixels") as raised:
        read_picture(str(HOUSE), 400)
    assert "give max_side" not in str(raised.value)


def test_the_opacity_of_a_photo(tmp_path):
    rng, path = np.random.default_rng(0), tmp_path / "photo.png"
    pixels = rng.integers(0, 256, (20, 24, 4), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    found = opacity(str(path), load_image(path, 400), 400)
    assert np.abs(found.astype(int) - pixels[..., 3]).max() <= 1
    half = opacity(str(path), load_image(path, 12), 12)
    assert half.shape == (10, 12) and half.dtype == np.uint8
    Image.fromarray(pixels[..., :3]).save(path)
    assert opacity(str(path), load_image(path), 400) is None
