"""Files from outside: limited, checked, and never more than a message."""

import struct
import zlib

import numpy as np
import pytest
from picture_makers import CMYK, GREY, NOISE, PALETTED, SMOOTH, WHOLE, chunk, encoded, raw
from PIL import Image

from atelier import pictures
from nst_utils import ImageError

LARGE = np.tile(NOISE, (4, 3, 1))  # 96 x 120
EMPTY_HEAD = b"\x89PNG\r\n\x1a\n"


def bomb(width, height):
    """A PNG of some kilobytes that says it has so many pixels, and has the white for them."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1 + 3 * width) * min(height, 200), 1)
    return EMPTY_HEAD + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def enlarge(picture):
    picture = Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture
    return picture.resize((120, 96))


HOSTILE = {
    "empty.png": b"",
    "text.png": b"hello, I am a picture",
    "page.jpg": b"<html><script>alert(1)</script>",
    "vector.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='http://a/b'/></svg>",
    "cut.jpg": encoded(LARGE, "JPEG")[:900],
    "cut.png": encoded(LARGE, "PNG")[:-40],
    "bomb.png": bomb(60_000, 60_000),
    "wide.png": bomb(60_000_000, 1),
    "huge.png": bomb(9_000, 7_000),
    "nothing.png": EMPTY_HEAD,
    "zeros.png": bytes(5000),
    "tiny.png": encoded(SMOOTH[:1, :1], "PNG"),
    "line.png": encoded(np.tile(LARGE, (1, 10, 1))[:64], "PNG"),
    "post.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n(a) run\n",
    "archive.png": b"PK\x03\x04" + bytes(500),
    "large.png": bytes(pictures.LARGEST_FILE + 1),
    "../../etc/passwd": b"root:x:0:0",
    "<img src=x onerror=alert(1)>.png": b"GIF89a",
    "new\nline.png": b"\xff\xd8\xff",
    "x" * 5000 + ".png": b"\x00",
}


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name[:20]))
def test_what_is_no_picture_is_refused_in_one_line(name):
    with pytest.raises(ImageError) as caught:
        pictures.read_upload(name, HOSTILE[name])
    text = str(caught.value)
    assert text.isprintable() and len(text) < 900
    assert name[:20].split("\n")[0] in text


FINE = {
    "gif": encoded(enlarge(PALETTED), "GIF", save_all=True, append_images=[enlarge(GREY)]),
    "cmyk": encoded(enlarge(raw("CMYK", CMYK)), "JPEG"),
    "grey": encoded(enlarge(GREY), "PNG"),
    "webp": encoded(LARGE, "WEBP"),
    "bmp": encoded(LARGE, "BMP"),
}


@pytest.mark.parametrize("name", FINE)
def test_unusual_pictures_are_read(name):
    image = pictures.read_upload(name, FINE[name])
    assert image.shape == (1, 96, 120, 3) and 0 <= image.numpy().min() <= image.numpy().max() <= 1


def test_the_limit_of_pixels_holds_for_uploads_only():
    before = Image.MAX_IMAGE_PIXELS
    with pytest.raises(ImageError, match="pixels"):
        pictures.read_upload("huge.png", HOSTILE["huge.png"])
    assert before == Image.MAX_IMAGE_PIXELS > pictures.MOST_PIXELS


def test_a_large_photo_is_made_smaller():
    photo = encoded(Image.new("RGB", (2600, 1300)), "JPEG")
    assert pictures.read_upload("a.jpg", photo).shape[1:3] == (640, 1280)


def test_bundled_pictures_have_thumbnails():
    for kind in ("photo", "painting"):
        paths = pictures.bundled(kind)
        assert len(paths) >= 6 and all(name.isalnum() for name in paths)
        address = pictures.thumbnail(next(iter(paths.values())))
        assert address.startswith("data:image/jpeg;base64,") and len(address) < 30_000
    assert pictures.thumbnail(pictures.read_upload("a", FINE["bmp"])).startswith("data:image/jpeg")


def test_every_whole_file_of_the_makers_is_small_and_said_to_be():
    for name, data in WHOLE.items():
        with pytest.raises(ImageError, match="too small"):
            pictures.read_upload(name, data)
