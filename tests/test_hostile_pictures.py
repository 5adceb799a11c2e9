"""Odd and hostile pictures: each is read right, or is refused in one line.

The pictures are written here, the oracles are NumPy formulas or TensorFlow's own decoders. A
warning is an error. NST_FUZZ_SECONDS sets how long the slow fuzz lasts.
"""

import colorsys
import io
import os
import struct
import tempfile
import time
import warnings
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, TiffImagePlugin, features

import nst_utils
import painter
from nst_utils import ImageError, load_image, match_shape, save_image, to_pixels

pytestmark = pytest.mark.filterwarnings("error")
RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (24, 40, 3), dtype=np.uint8)
GREY, ALPHA = NOISE[..., 0], NOISE[::-1, ..., 1]
y, x = np.mgrid[:48, :64]
SMOOTH = np.stack([4 * x, 5 * y, 255 - 2 * x - 2 * y], -1).clip(0, 255).astype(np.uint8)
CODECS = features.get_supported()
AVIF = pytest.mark.skipif("avif" not in CODECS, reason="this Pillow has no AVIF")


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


# --- Every mode of Pillow ------------------------------------------------------------------------


def lab_to_srgb(L: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """CIE 1976 with white D50."""
    f = np.stack([(L + 16) / 116 + a / 500, (L + 16) / 116, (L + 16) / 116 - b / 200], -1)
    XYZ = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * [0.9642, 1, 0.8249]
    return encode_srgb(XYZ @ np.linalg.inv(SRGB_D50))


SRGB_D50 = np.array(  # rows: XYZ of red, green, blue, adapted to D50
    [[0.43607, 0.22249, 0.01392], [0.38515, 0.71687, 0.09708], [0.14307, 0.06061, 0.71410]]
)


def encode_srgb(linear: np.ndarray) -> np.ndarray:
    linear = linear.clip(0, 1)
    return 255 * np.where(linear < 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def ycc(pixels: np.ndarray) -> np.ndarray:
    """JFIF: YCbCr to RGB."""
    Y, Cb, Cr = np.moveaxis(pixels.astype(float), -1, 0) - [[[0]], [[128]], [[128]]]
    rgb = [Y + 1.402 * Cr, Y - 0.344136 * Cb - 0.714136 * Cr, Y + 1.772 * Cb]
    return np.stack(rgb, -1).clip(0, 255)


def raw(mode: str, pixels: np.ndarray) -> Image.Image:
    return Image.frombytes(mode, pixels.shape[1::-1], np.ascontiguousarray(pixels).tobytes())


CMYK = np.dstack([NOISE, ALPHA])
LAB = np.stack([100 + x, x // 2, 256 - y // 2], -1).astype(np.uint8)  # a and b: signed bytes
WIDE = (GREY.astype(np.uint16) << 8) + ALPHA
PALETTE = RNG.integers(0, 256, (256, 3), dtype=np.uint8)
PALETTED = raw("P", GREY)
PALETTED.putpalette(PALETTE.tobytes())
PA = PALETTED.convert("PA")
PA.putalpha(raw("L", ALPHA))
BITS = (GREY > 99).astype(np.uint8) * 255
PREMULTIPLIED = np.rint(NOISE * (ALPHA / 255.0)[..., None]).astype(np.uint8)
MODES = {  # mode: picture, where it can be written, oracle, within
    "1": (raw("L", BITS).convert("1", dither=0), "PNG TIFF BMP PPM ICO", BITS, 0.51),
    "L": (raw("L", GREY), "PNG TIFF BMP PPM TGA PCX SGI IM", GREY, 0.51),
    "LA": (raw("LA", np.dstack([GREY, ALPHA])), "PNG TIFF TGA", on_white(GREY, ALPHA), 1),
    "La": (
        raw("La", np.dstack([PREMULTIPLIED[..., 0], ALPHA])),
        "",
        PREMULTIPLIED[..., 0] + (255.0 - ALPHA),
        3,
    ),
    "P": (PALETTED, "PNG GIF TIFF BMP TGA IM", PALETTE[GREY], 0.51),
    "PA": (PA, "TIFF IM", on_white(PALETTE[GREY], ALPHA), 1),
    "RGB": (raw("RGB", NOISE), "PNG TIFF BMP PPM TGA PCX SGI IM QOI JPEG2000", NOISE, 0.51),
    "RGBA": (raw("RGBA", CMYK), "PNG TIFF TGA SGI IM QOI JPEG2000", on_white(NOISE, ALPHA), 1),
    "RGBa": (
        raw("RGBa", np.dstack([PREMULTIPLIED, ALPHA])),
        "",
        PREMULTIPLIED + (255.0 - ALPHA[..., None]),
        3,
    ),
    "RGBX": (raw("RGBX", CMYK), "TIFF IM", NOISE, 0.51),
    "CMYK": (
        raw("CMYK", CMYK),
        "TIFF IM",
        (255.0 - NOISE) * (255.0 - ALPHA[..., None]) / 255,
        1.5,
    ),
    "YCbCr": (raw("YCbCr", NOISE), "IM", ycc(NOISE), 1.5),
    "HSV": (
        raw("HSV", NOISE),
        "",
        255 * np.array([[colorsys.hsv_to_rgb(*p) for p in row] for row in NOISE / 255.0]),
        3,
    ),
    "LAB": (raw("LAB", LAB), "TIFF", lab_to_srgb((100 + x) / 2.55, x // 2, -(y // 2)), 4),
    "I": (raw("I", WIDE.astype(np.int32)), "TIFF IM PPM", WIDE / 257, 0.51),
    "I;16": (raw("I;16", WIDE), "PNG TIFF IM", WIDE / 257, 0.51),
    "I;16L": (raw("I;16L", WIDE), "TIFF IM", WIDE / 257, 0.51),
    "I;16B": (raw("I;16B", WIDE.astype(">u2")), "PNG TIFF IM", WIDE / 257, 0.51),
    "I;16N": (raw("I;16N", WIDE.astype("=u2")), "", WIDE / 257, 0.51),
    "F": (raw("F", (WIDE / 65535).astype(np.float32)), "TIFF IM", WIDE / 257, 0.51),
}
CASES = [(mode, kind) for mode, case in MODES.items() for kind in ("", *case[1].split())]


@pytest.mark.parametrize(("mode", "kind"), CASES, ids=str)
def test_mode(mode, kind):
    """As it is in memory, and through each format that keeps it without loss."""
    picture, _, expected, within = MODES[mode]
    assert picture.mode == mode and set(Image.MODES) <= {*MODES}
    if not kind:
        assert same(np.asarray(nst_utils._rgb(picture), float), expected, within)
    elif kind not in Image.SAVE or (kind == "JPEG2000" and "jpg_2000" not in CODECS):
        pytest.skip(f"this Pillow writes no {kind}")
    elif kind == "TIFF" and mode not in TiffImagePlugin.SAVE_INFO:
        pytest.skip("this Pillow writes no such TIFF")
    else:
        options = {"sizes": [picture.size]} if kind == "ICO" else {}
        assert same(read(encoded(picture, kind, **options)), expected, within)


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [("i4", 0, 200), ("i4", -5, 60000), ("i4", 0, 2**31 - 1), ("f4", 0, 0.5), ("f4", 0, 255),
     ("f4", 0, 6e4), ("f4", -1, 1), ("f4", 0, 1e30)],
)  # fmt: skip
def test_tiff_of_32_bits(dtype, low, high):
    """The range is that of the next usual format: 1 (float only), 255, 65535, else the peak."""
    values = np.linspace(low, high, 960).reshape(24, 40).astype(dtype)
    top = next((t for t in (1, 255, 65535) if high <= t and (t > 1 or dtype == "f4")), high)
    file = encoded(Image.fromarray(values), "TIFF")
    assert same(read(file), 255 * (values.astype(float) / top).clip(0, 1), 0.51)


def test_what_is_no_number_is_a_colour_too():
    values = np.array([[np.nan, np.inf, -np.inf, 0.5]], np.float32)
    assert same(read(encoded(Image.fromarray(values), "TIFF")), np.array([[0, 255, 0, 127.5]]))


# --- PNG, bit by bit -----------------------------------------------------------------------------

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


KINDS = [(d, 0, 1) for d in (1, 2, 4, 8, 16)] + [(d, 3, 1) for d in (1, 2, 4, 8)]
KINDS += [(d, c, n) for d in (8, 16) for c, n in ((2, 3), (4, 2), (6, 4))]


@pytest.mark.parametrize("clear", [False, True], ids=["", "tRNS"])
@pytest.mark.parametrize("interlace", [0, 1], ids=["", "interlaced"])
@pytest.mark.parametrize(("depth", "colour", "channels"), KINDS)
def test_png(depth, colour, channels, interlace, clear):
    """Every bit depth, colour type, interlacing and transparent colour that PNG has."""
    rng = np.random.default_rng(depth)
    top = 2**depth - 1
    values = rng.integers(0, top + 1, (21, 13, channels))
    extra, expected = b"", 255 * values[..., : channels - (colour in (4, 6))] / top
    if colour == 3:
        extra = chunk(b"PLTE", PALETTE[: top + 1].tobytes())
        expected = PALETTE[values[..., 0]].astype(float)
    if colour in (4, 6):
        expected = on_white(expected, 255 * values[..., -1] / top)
    elif clear and colour == 3:
        alphas = rng.integers(0, 256, top + 1, dtype=np.uint8)
        extra += chunk(b"tRNS", alphas.tobytes())
        expected = on_white(expected, alphas[values[..., 0]])
    elif clear:
        chosen = values[5, 5]
        extra += chunk(b"tRNS", struct.pack(f">{channels}H", *chosen))
        expected[(values == chosen).all(-1)] = 255
    expected = expected[..., 0] if expected.shape[-1] == 1 else expected
    assert same(
        read(png(values, depth, colour, interlace, extra)), expected, 2 if depth == 16 else 1.01
    )


# --- JPEG, EXIF, animations, TIFF, ICC -----------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [{}, {"progressive": True}, {"subsampling": 0}, {"subsampling": 2}, {"quality": 5},
     {"optimize": True}, {"restart_marker_rows": 1}, {"keep_rgb": True}, {"mode": "L"}],
    ids=str,
)  # fmt: skip
def test_jpeg_as_tensorflow_reads_it(options):
    options = dict(options)
    mode = options.pop("mode", "RGB")
    file = encoded(Image.fromarray(SMOOTH).convert(mode), "JPEG", **options)
    if "keep_rgb" in options:  # TensorFlow takes RGB in JPEG for YCbCr
        assert same(read(file), SMOOTH, 24)
    else:
        decoded = tf.io.decode_jpeg(file, 3, dct_method="INTEGER_ACCURATE").numpy()
        assert same(read(file), decoded, 2)


def test_jpeg_of_inks():
    inks = np.dstack([SMOOTH, 60 + x.astype(np.uint8)])
    expected = (255.0 - SMOOTH) * (195.0 - x[..., None]) / 255
    assert same(read(encoded(raw("CMYK", inks), "JPEG", quality=100)), expected, 8)


CORNERS = np.zeros((32, 48, 3), np.uint8)
CORNERS[:16, :32], CORNERS[:16, 32:] = (250, 20, 20), (20, 250, 20)
CORNERS[16:, :32], CORNERS[16:, 32:] = (20, 20, 250), (240, 240, 20)
TURNED = {  # where the camera says that the top left of the scene is
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: a[::-1].transpose(1, 0, 2),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: a[:, ::-1].transpose(1, 0, 2),
}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", pytest.param("AVIF", marks=AVIF)])
@pytest.mark.parametrize("orientation", [*TURNED, 0, 9, 65535])
def test_all_orientations(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"subsampling": "4:4:4"} if kind in ("JPEG", "AVIF") else {}
    if kind in ("WEBP",):
        options = {"lossless": True}
    upright = TURNED.get(orientation, TURNED[1])(CORNERS)
    assert same(read(encoded(CORNERS, kind, exif=exif, **options)), upright, 40)


@pytest.mark.parametrize("exif", [b"", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"\xff" * 99])
def test_a_broken_exif_block_is_ignored(exif):
    assert same(read(encoded(NOISE, "PNG", exif=exif)), NOISE)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", pytest.param("AVIF", marks=AVIF)])
def test_of_an_animation_the_first_frame(kind):
    frames = [np.full((20, 30, 3), shade, np.uint8) for shade in (200, 20, 90)]
    rest = [Image.fromarray(frame) for frame in frames[1:]]
    file = encoded(frames[0], kind, save_all=True, append_images=rest)
    with Image.open(io.BytesIO(file)) as opened:
        assert opened.n_frames == 3
    assert same(read(file), frames[0], 3)


def test_transparent_gif_as_tensorflow_reads_it():
    file = encoded(PALETTED, "GIF", transparency=7)
    decoded = tf.io.decode_gif(encoded(PALETTED, "GIF"))[0].numpy()
    expected = np.where((GREY == 7)[..., None], 255, decoded)
    assert (GREY == 7).any() and same(read(file), expected)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_tiff_of_16_bits(order, channels):
    """Written by hand: Pillow writes no 16-bit colour."""
    values = np.random.default_rng(1).integers(0, 65536, (9, 11, channels))
    data = values.astype(order + "u2").tobytes()
    bits = 16 if channels == 1 else 8 + len(data)  # the value, or where the values are
    kind = 1 if channels == 1 else 2
    tags = {256: 11, 257: 9, 258: bits, 259: 1, 262: kind, 273: 8, 277: channels, 278: 9}
    tags |= {279: len(data)} | ({338: 2} if channels == 4 else {})
    rows = b"".join(
        struct.pack(order + "HHI", tag, 3, channels) + struct.pack(order + "I", value)
        if tag == 258 and channels > 1
        else struct.pack(order + "HHIHH", tag, 3, 1, value, 0)
        for tag, value in tags.items()
    )
    start = 8 + len(data) + 2 * channels
    head = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "I", start)
    file = head + data + struct.pack(f"{order}{channels}H", *[16] * channels)
    file += struct.pack(order + "H", len(tags)) + rows + b"\0" * 4
    expected = values[..., :3] / 257
    if channels == 4:
        expected = on_white(expected, values[..., 3] / 257)
    assert same(read(file), expected[..., 0] if channels == 1 else expected, 2)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_compressed_tiff(compression):
    assert same(read(encoded(NOISE, "TIFF", compression=compression)), NOISE)


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
IN_SRGB = encode_srgb((NOISE / 255.0) ** 2.2 @ WIDER @ np.linalg.inv(SRGB_D50))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_icc_profile_is_converted(kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    file = encoded(NOISE, kind, icc_profile=icc(WIDER, 2.2), **options)
    assert np.abs(IN_SRGB - NOISE).max() > 40  # without the profile the colours would be wrong
    assert same(read(file), IN_SRGB, 3)


def test_icc_profile_of_a_jpeg():
    file = encoded(SMOOTH, "JPEG", icc_profile=icc(WIDER, 2.2))
    plain = tf.io.decode_jpeg(file, 3, dct_method="INTEGER_ACCURATE").numpy()  # without profile
    expected = encode_srgb((plain / 255.0) ** 2.2 @ WIDER @ np.linalg.inv(SRGB_D50))
    assert np.abs(expected - plain).max() > 40 and same(read(file), expected, 8)


def lab_of_inks(inks: np.ndarray) -> np.ndarray:
    """The colours of made-up inks, 0 to 1, as an 8-bit profile stores them; black is L = 0."""
    c, m, yellow, k = np.moveaxis(inks, -1, 0)
    L = 255 * (1 - inks.mean(-1))
    return np.stack([L, 128 + 20 * (m - c), 128 + 20 * (yellow - k)], -1)


def icc_of_inks() -> bytes:
    """An ICC profile, version 2, for CMYK: a table from its 16 corners to Lab."""
    corners = np.stack(np.meshgrid(*[[0, 1]] * 4, indexing="ij"), -1).reshape(-1, 4)
    ramp = bytes(range(256))
    table = b"mft1\0\0\0\0" + struct.pack(
        ">4B9i", 4, 3, 2, 0, *(65536 * np.eye(3, dtype=int).ravel())
    )
    table += 4 * ramp + np.rint(lab_of_inks(corners)).astype(np.uint8).tobytes() + 3 * ramp
    head = struct.pack(
        ">I4sI4s4s4s", 144 + len(table), b"\0" * 4, 0x02100000, b"scnr", b"CMYK", b"Lab "
    )
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + b"\0" * 28
    head += struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">I4sII", 1, b"A2B0", 144, len(table)) + table


@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
def test_icc_profile_of_inks(kind):
    inks = np.dstack([SMOOTH // 2, x.astype(np.uint8)])
    file = encoded(raw("CMYK", inks), kind, icc_profile=icc_of_inks(), quality=100)
    L, a, b = np.moveaxis(lab_of_inks(inks / 255.0), -1, 0)
    expected = lab_to_srgb(L / 2.55, a - 128, b - 128)
    assert np.abs(expected - read(encoded(raw("CMYK", inks), "TIFF"))).max() > 40
    assert same(read(file), expected, 3 if kind == "TIFF" else 8)


def test_icc_profile_of_swapped_colours_with_alpha_palette_and_grey():
    swap = icc(SRGB_D50[::-1], 2.2)
    plain = icc(SRGB_D50, 2.2)
    for picture in (raw("RGBA", CMYK), PALETTED):
        expected = read(encoded(picture, "PNG", icc_profile=plain))[..., ::-1]
        assert same(read(encoded(picture, "PNG", icc_profile=swap)), expected, 2)
    grey = encoded(raw("L", GREY), "PNG", icc_profile=icc(WIDER, 1.8, b"GRAY"))
    assert same(read(grey), encode_srgb((GREY / 255.0) ** 1.8), 3)


@pytest.mark.parametrize(
    "profile",
    [b"", b"\0", b"garbage" * 40, icc(WIDER, 2.2)[:200], icc(WIDER, 2.2, b"CMYK"),
     icc(WIDER, 2.2, b"GRAY")],
)  # fmt: skip
def test_a_profile_that_does_not_work_is_ignored(profile):
    assert same(read(encoded(NOISE, "PNG", icc_profile=profile)), NOISE)


# --- Sizes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (3, 2)])
def test_sizes(kind, size):
    flat = np.full((*size[::-1], 3), 90, np.uint8)
    assert same(read(encoded(flat, kind)), flat, 2)
    small = read(encoded(flat, kind), max_side=7)
    assert max(small.shape[:2]) == min(7, max(size))
    assert min(small.shape) >= 1 and np.abs(small - 90).max() <= 2


@pytest.mark.slow
def test_20_000_pixels_wide():
    wide = np.tile(SMOOTH, (2, 313, 1))[:, :20_000]
    assert same(read(encoded(wide, "PNG")), wide)
    assert read(encoded(wide, "JPEG"), max_side=500).shape == (2, 500, 3)


@pytest.mark.parametrize("side", [1, 7, np.int64(40), 10**30])
def test_max_side_may_be_any_whole_number_from_1_on(side):
    assert max(read(encoded(NOISE, "PNG"), max_side=side).shape[:2]) <= min(side, 40)


@pytest.mark.parametrize(
    "side", [0, -1, 0.5, 40.0, float("nan"), float("inf"), "400", [400], b"4", 1j]
)
def test_other_max_sides_are_refused(side):
    assert "max_side" in refused(encoded(NOISE, "PNG"), max_side=side)


# --- Damaged files -------------------------------------------------------------------------------

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


@pytest.mark.parametrize("kind", WHOLE)
def test_cut_short(kind):
    """Cut at 30 places: refused, or (when only the end marks are lost) the whole picture."""
    whole = WHOLE[kind]
    expected = read(whole)
    for at in np.linspace(1, len(whole) - 1, 30).astype(int):
        try:
            got = read(whole[:at])
        except ImageError as error:
            assert len(str(error).splitlines()) == 1
        else:
            assert at > 0.5 * len(whole) and same(got, expected, 0), f"{at} of {len(whole)}"


@pytest.mark.parametrize("size", [(2**31 - 1, 2**31 - 1), (60_000, 60_000), (0, 0), (1, 0)])
def test_bombs_and_nothings(size):
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0))
    text = refused(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 999)))
    assert "too many pixels" in text or 0 in size


def test_large_pictures_need_max_side(monkeypatch):
    """Between Pillow's warning and its error."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 600)
    assert "give max_side" in refused(encoded(NOISE, "PNG"))
    assert read(encoded(NOISE, "PNG"), max_side=20).shape == (12, 20, 3)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 300)
    assert "too many pixels" in refused(encoded(NOISE, "PNG"), max_side=20)


@pytest.mark.parametrize(
    ("error", "words"),
    [(MemoryError(), "too many pixels (MemoryError)"), (KeyError("a\nb"), "damaged"),
     (struct.error("x\ny"), "(x y)"), (RecursionError(), "(RecursionError)")],
)  # fmt: skip
def test_whatever_pillow_raises(monkeypatch, tmp_path, error, words):
    def fail(self):
        raise error

    (tmp_path / "a.png").write_bytes(WHOLE["PNG"])
    monkeypatch.setattr(Image.Image, "getexif", fail)  # a broken EXIF block is no reason
    assert same(read(tmp_path / "a.png"), NOISE)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", fail)
    assert words in refused(tmp_path / "a.png") and "a.png" in refused(tmp_path / "a.png")


def test_a_format_whose_files_may_be_cut_unnoticed_is_not_read():
    assert "no picture that Pillow knows" in refused(encoded(NOISE, "DDS"))


PROGRAMS = {
    "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%touch ran) (w) file\n%%EOF\n",
    "HDF5": b"\x89HDF\r\n\x1a\n" + b"\0" * 99,
    "WMF": b"\xd7\xcd\xc6\x9a\0\0" + b"\0\0\0\0\x09\0\x09\0\x60\0" + b"\0" * 40,
}


@pytest.mark.parametrize("kind", PROGRAMS)
def test_no_other_program_is_started_to_read_a_picture(kind, tmp_path, monkeypatch):
    def start(*args, **options):
        raise AssertionError(f"started {args}")

    monkeypatch.setattr("subprocess.Popen", start)
    (tmp_path / "a.jpg").write_bytes(PROGRAMS[kind])
    assert "no picture that Pillow knows" in refused(tmp_path / "a.jpg")


# --- What is no file -----------------------------------------------------------------------------


@contextmanager
def unprivileged():
    """As a user who is not root."""
    if not hasattr(os, "geteuid"):
        pytest.skip("Unix only")
    mine = os.geteuid()
    if mine == 0:
        try:
            os.seteuid(65534)
        except OSError as error:  # root of a user namespace, which has no other users
            pytest.skip(f"root cannot become another user here: {error.strerror}")
    try:
        yield
    finally:
        os.seteuid(mine)


def test_no_permission():
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "secret.png"
        path.write_bytes(WHOLE["PNG"])
        path.chmod(0)
        Path(name).chmod(0o755)
        with unprivileged():
            assert "not readable (Permission denied)" in refused(path)


def places(folder: Path) -> dict[str, tuple[object, str]]:
    """name: (what to read, words of the message)"""
    (folder / "file.png").write_bytes(WHOLE["PNG"])
    (folder / "empty.png").touch()
    (folder / "text.jpg").write_text("A text,\nof two lines.")
    (folder / "page.png").write_text("<!doctype html><title>404</title>")
    (folder / "a.png").mkdir()
    found = {
        "empty": (folder / "empty.png", "the file is empty"),
        "no bytes": (b"", "the file is empty"),
        "text": (folder / "text.jpg", "b'A text,\\n'"),
        "web page": (folder / "page.png", "save it as JPEG or PNG"),
        "folder": (folder / "a.png", "is a folder"),
        "below a file": (folder / "file.png" / "b.png", "Not a directory"),
        "NUL": ("a\0b.png", "null"),
        "half a letter": ("\ud800.png", "There is no file" if os.name == "nt" else "encode"),
        "long": ("x" * 9000, "xxx..."),
        "no name": ("", "give the path"),
        "None": (None, "NoneType"),
        "number": (0, "(int)"),
        "list": (["a.png"], "(list)"),
        "class": (Path, "(type)"),
        "text file": (io.StringIO("abc"), "open as text"),
        "picture": (Image.new("RGB", (3, 3)), "no path"),
    }
    if os.name == "posix":
        os.mkfifo(folder / "pipe.png")
        (folder / "loop.png").symlink_to(folder / "loop.png")
        (folder / "dangling.png").symlink_to(folder / "nowhere.png")
        found |= {
            "pipe": (folder / "pipe.png", "no ordinary file"),
            "device": ("/dev/zero", "no ordinary file"),
            "link loop": (folder / "loop.png", "symbolic links"),
            "dangling": (folder / "dangling.png", "There is no file"),
        }
    for address in ("https://a.org/b.png", "HTTP://a.org", "ftp://a/b", "file:///b.png"):
        found[address] = (address, "web address")
    found["data"] = ("data:image/png;base64," + "A" * 99999, "web address")
    found["address as Path"] = (Path("https://a.org/b.png"), "web address")
    return found


def test_what_is_no_file(tmp_path):
    for name, (source, words) in places(tmp_path).items():
        assert words in refused(source), name


NAMES = ["two words.png", "it's.png", "50%.png", "-o.png", "été 日本 🎨.png", "[1]*.png", ".png"]
NAMES += ["$(touch x).png", "http.png"]
if os.name == "posix":
    NAMES += [
        "two\nlines.png",
        'a "b".png',
        "tab\t.png",
        "back\\slash.png",
        "\udcff.png",
        "a:b?.png",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_names(tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(WHOLE["PNG"])
    for path in (name, tmp_path / name):
        assert same(read(path), NOISE)
    Path(name).write_bytes(WHOLE["PNG"][:99])
    assert repr(name)[1:-1] in refused(name)  # repr writes \n for a line's end
    if Path(name).suffix:
        path = save_image(NOISE / 255.0, name)
        assert same(read(path), NOISE) and list(tmp_path.iterdir()) == [tmp_path / name]


def test_every_way_to_give_a_picture(tmp_path):
    data, path = WHOLE["PNG"], tmp_path / "a.png"
    path.write_bytes(data)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(path, "a.png")
    at_end = io.BytesIO(data)
    at_end.seek(0, 2)
    reader, writer = os.pipe()  # cannot seek
    os.write(writer, data)
    os.close(writer)
    with (
        path.open("rb") as file,
        os.fdopen(reader, "rb") as pipe,
        os.scandir(tmp_path) as entries,
        zipfile.ZipFile(tmp_path / "a.zip") as archive,
        archive.open("a.png") as member,
    ):
        entry = next(entry for entry in entries if entry.name == "a.png")
        ways = [str(path), path, entry, data, bytearray(data), memoryview(data), at_end, file]
        for way in [*ways, file, pipe, member]:  # a file can be read twice
            assert same(read(way), NOISE), way
        assert not file.closed
    assert "a.png" in refused(file) and "closed" in refused(file)
    with path.open("w") as file:
        assert "open(path, 'rb')" in refused(file)


# --- Arrays --------------------------------------------------------------------------------------

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


# --- Writing -------------------------------------------------------------------------------------


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


# --- Fuzz ----------------------------------------------------------------------------------------

EXTREMES = [b"\0", b"\xff", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0"]


def mutated(data: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """One to four small damages: bytes changed, cut, doubled, borrowed from another file."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        near = rng.random() < 0.5  # heads are where the decisions are
        at = int(rng.integers(0, max(1, min(len(data), 200) if near else len(data))))
        size = int(rng.integers(1, 40))
        kind = rng.integers(0, 7)
        if kind == 0:
            data[at : at + 1] = bytes([rng.integers(0, 256)])
        elif kind == 1:
            data[at : at + 1] = bytes([data[at] ^ 1 << rng.integers(0, 8)]) if data else b"x"
        elif kind == 2:
            extreme = EXTREMES[rng.integers(0, len(EXTREMES))]
            data[at : at + len(extreme)] = extreme
        elif kind == 3:
            del data[at : at + size]
        elif kind == 4:
            data[at:at] = data[at : at + size]
        elif kind == 5:
            data[at : at + size] = other[at : at + size]
        else:
            del data[max(at, 8) :]
    return bytes(data)


def fuzz(seconds: float, seed: int, monkeypatch) -> int:
    """Read mutated files; how many were read, or were refused, whichever is less.

    Only pictures and ImageErrors may come.
    """
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500_000)  # else some are slow
    rng, seeds = np.random.default_rng(seed), list(WHOLE.values())
    stop, count, refusals = time.monotonic() + seconds, 0, 0
    while time.monotonic() < stop:
        one, two = rng.integers(0, len(seeds), 2)
        data = mutated(seeds[one], seeds[two], rng)
        start, count = time.monotonic(), count + 1
        try:
            read(data, max_side=None if rng.random() < 0.5 else 30)
        except ImageError as error:
            refusals += 1
            assert len(str(error).splitlines()) == 1, (data, error)
            assert not isinstance(error.__context__, AssertionError), (data, error)
        except Exception as error:
            raise AssertionError(f"seed {seed}, {list(WHOLE)[one]}: {data!r}") from error
        assert time.monotonic() - start < 10, (seed, count, data)
    print(f"{count} files, {refusals} refused, seed {seed}")
    return min(count - refusals, refusals)


def test_fuzz_in_short(monkeypatch):
    assert fuzz(2, 0, monkeypatch) > 20


@pytest.mark.slow
def test_fuzz(monkeypatch):
    assert (
        fuzz(float(os.environ.get("NST_FUZZ_SECONDS", 60)), time.time_ns() % 10**9, monkeypatch)
        > 50
    )
