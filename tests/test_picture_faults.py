"""Odd and hostile files: each is read right, or is refused in one line.

A warning is an error. NST_FUZZ_SECONDS sets how long the slow fuzz lasts.
"""

import io
import os
import struct
import tempfile
import time
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from picture_makers import NOISE, SMOOTH, WHOLE, chunk, encoded, read, refused, same
from PIL import Image

from nst_utils import ImageError, save_image

pytestmark = pytest.mark.filterwarnings("error")


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
        "text file": (io.StringIO("abc"), "open as binary"),
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
