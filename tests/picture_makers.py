"""Pictures that tests write themselves, and what `load_image` should make of them."""

import io
import struct
import warnings
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, features

from nst_utils import ImageError, load_image

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (24, 40, 3), dtype=np.uint8)
GREY, ALPHA = NOISE[..., 0], NOISE[::-1, ..., 1]
y, x = np.mgrid[:48, :64]
SMOOTH = np.stack([4 * x, 5 * y, 255 - 2 * x - 2 * y], -1).clip(0, 255).astype(np.uint8)
CODECS = features.get_supported()


def encoded(picture: Image.Image | np.ndarray, kind: str, **options: object) -> bytes:
    """A picture as the bytes of a file."""
    picture = Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow will drop a format some day
        picture.save(file, kind, **options)
    return file.getvalue()


def read(source: object, **options: object) -> np.ndarray:
    """What `load_image` gives, (n_H, n_W, 3) in 0..255."""
    image = load_image(source, **options)
    assert image.dtype == tf.float32 and image.shape[0] == 1 and image.shape[-1] == 3
    assert image.numpy().min() >= 0 and image.numpy().max() <= 1
    return image.numpy()[0] * 255


def refused(source: object, **options: object) -> str:
    """The message of the ImageError: one line, no chained traceback."""
    with pytest.raises(ImageError) as caught:
        load_image(source, **options)
    text = str(caught.value)
    assert len(text.splitlines()) == 1 and text.isprintable() and len(text) < 900
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return text


def same(read: np.ndarray, expected: np.ndarray, within: float = 0.51) -> bool:
    """Equal in shape, and in values up to `within`; grey stands for three equal channels."""
    expected = np.asarray(expected, float)
    expected = np.repeat(expected[..., None], 3, -1) if expected.ndim == 2 else expected
    return read.shape == expected.shape and np.abs(read - expected).max() <= within


def on_white(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    colour, alpha = np.asarray(colour, float), alpha / 255.0
    alpha = alpha[..., None] if colour.ndim == 3 else alpha
    return colour * alpha + 255 * (1 - alpha)


SRGB_D50 = np.array(  # rows: XYZ of red, green, blue, adapted to D50
    [[0.43607, 0.22249, 0.01392], [0.38515, 0.71687, 0.09708], [0.14307, 0.06061, 0.71410]]
)


def encode_srgb(linear: np.ndarray) -> np.ndarray:
    linear = linear.clip(0, 1)
    return 255 * np.where(linear < 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def raw(mode: str, pixels: np.ndarray) -> Image.Image:
    return Image.frombytes(mode, pixels.shape[1::-1], np.ascontiguousarray(pixels).tobytes())


CMYK = np.dstack([NOISE, ALPHA])
WIDE = (GREY.astype(np.uint16) << 8) + ALPHA
PALETTE = RNG.integers(0, 256, (256, 3), dtype=np.uint8)
PALETTED = raw("P", GREY)
PALETTED.putpalette(PALETTE.tobytes())
ADAM7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2)]
ADAM7 += [(1, 0, 2, 1)]  # first row, first column, rows apart, columns apart


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(values: np.ndarray, depth: int, colour: int, interlace: int = 0, extra: bytes = b""):
    """Write a PNG as its specification says: `values` (n_H, n_W, channels) below 2**depth."""
    n_H, n_W = values.shape[:2]
    data = b""
    for top, left, down, right in ADAM7 if interlace else [(0, 0, 1, 1)]:
        for row in values[top::down, left::right]:
            bits = row.reshape(-1, 1) >> np.arange(depth)[::-1] & 1
            if bits.size:
                data += b"\0" + np.packbits(bits.astype(np.uint8)).tobytes()
    head = struct.pack(">IIBBBBB", n_W, n_H, depth, colour, 0, 0, interlace)
    body = chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + body


def icc(primaries: np.ndarray, gamma: float, space: bytes = b"RGB ") -> bytes:
    """A small ICC profile, version 2: primaries as rows of XYZ at D50, and one gamma."""
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    xyz = [
        b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(65536 * v) for v in row))
        for row in [*primaries, [0.9642, 1, 0.8249]]
    ]
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + b"\0" * 79
    names = [b"rXYZ", b"gXYZ", b"bXYZ", b"wtpt", b"rTRC", b"gTRC", b"bTRC", b"kTRC", b"desc"]
    names += [b"cprt"]
    parts = [*xyz, *[curve] * 4, text, b"text\0\0\0\0test\0\0\0\0"]
    table, body, start = b"", b"", 132 + 12 * len(parts)
    for name, part in zip(names, parts, strict=True):
        table += name + struct.pack(">II", start + len(body), len(part))
        body += part + b"\0" * (-len(part) % 4)
    size = start + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"\0" * 4, 0x02100000, b"mntr", space, b"XYZ ")
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + b"\0" * 28
    head += struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">I", len(parts)) + table + body


WIDER = np.array([[0.6097, 0.3111, 0.0195], [0.2053, 0.6257, 0.0609], [0.1492, 0.0632, 0.7446]])
Image.init()
WHOLE = {
    kind: encoded(NOISE, kind, **options)
    for kind, options in {
        "PNG": {}, "JPEG": {"quality": 90}, "GIF": {}, "WEBP": {"lossless": True}, "BMP": {},
        "TIFF": {}, "PPM": {}, "TGA": {}, "PCX": {}, "SGI": {}, "ICO": {"sizes": [(40, 24)]},
        "QOI": {}, "IM": {},
    }.items()
    if kind in Image.SAVE  # an older Pillow writes no QOI
}  # fmt: skip
WHOLE |= {
    "progressive": encoded(SMOOTH, "JPEG", progressive=True),
    "inks": encoded(raw("CMYK", CMYK), "JPEG"),
    "palette": encoded(PALETTED, "PNG", transparency=3),
    "16 bit": encoded(raw("I;16", WIDE), "PNG"),
    "interlaced": png(CMYK.astype(int), 8, 6, 1),
    "tiff lzw": encoded(NOISE, "TIFF", compression="tiff_lzw"),
    "animated": encoded(NOISE, "WEBP", save_all=True, append_images=[Image.fromarray(255 - NOISE)]),
    "gif": encoded(PALETTED, "GIF", save_all=True, append_images=[raw("L", GREY)], transparency=9),
    "icc, exif": encoded(
        NOISE, "JPEG", icc_profile=icc(WIDER, 2.2), exif=b"Exif\0\0MM\0*\0\0\0\x08"
    ),
    "float": encoded(raw("F", WIDE.astype(np.float32)), "TIFF"),
}
for name, codec in {"AVIF": "avif", "JPEG2000": "jpg_2000"}.items():
    if codec in CODECS:
        WHOLE[name] = encoded(NOISE, name)
