"""Every mode, bit depth and profile that a picture may have is read right.

The oracles are NumPy formulas or TensorFlow's own decoders. A warning is an error.
"""

import colorsys
import io
import struct

import numpy as np
import pytest
import tensorflow as tf
from picture_makers import (
    ALPHA,
    CMYK,
    CODECS,
    GREY,
    NOISE,
    PALETTE,
    PALETTED,
    SMOOTH,
    SRGB_D50,
    WIDE,
    WIDER,
    chunk,
    encode_srgb,
    encoded,
    icc,
    on_white,
    png,
    raw,
    read,
    same,
    x,
    y,
)
from PIL import Image, TiffImagePlugin

import nst_utils

pytestmark = pytest.mark.filterwarnings("error")

AVIF = pytest.mark.skipif("avif" not in CODECS, reason="this Pillow has no AVIF")


def lab_to_srgb(L: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """CIE 1976 with white D50."""
    f = np.stack([(L + 16) / 116 + a / 500, (L + 16) / 116, (L + 16) / 116 - b / 200], -1)
    XYZ = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * [0.9642, 1, 0.8249]
    return encode_srgb(XYZ @ np.linalg.inv(SRGB_D50))


def ycc(pixels: np.ndarray) -> np.ndarray:
    """JFIF: YCbCr to RGB."""
    Y, Cb, Cr = np.moveaxis(pixels.astype(float), -1, 0) - [[[0]], [[128]], [[128]]]
    rgb = [Y + 1.402 * Cr, Y - 0.344136 * Cb - 0.714136 * Cr, Y + 1.772 * Cb]
    return np.stack(rgb, -1).clip(0, 255)


LAB = np.stack([100 + x, x // 2, 256 - y // 2], -1).astype(np.uint8)  # a and b: signed bytes
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
