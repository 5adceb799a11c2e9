"""Every picture is credited and fit for use; the style pictures are what their code paints."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

IMAGES = Path(__file__).resolve().parents[1] / "images"
SUFFIXES = {".jpg", ".jpeg", ".png"}
# What a student paints in class (generated/my_*.png) is not part of the course.
PICTURES = sorted(
    p for p in IMAGES.rglob("*") if p.suffix.lower() in SUFFIXES and not p.name.startswith("my_")
)

sys.path.insert(0, str(IMAGES))
import paint_styles  # noqa: E402


def name(path: Path) -> str:
    """'content/coffee.jpg'"""
    return path.relative_to(IMAGES).as_posix()


def credits() -> dict[str, list[str]]:
    """The rows of the tables in README.md: file -> the other cells."""
    rows = {}
    for line in (IMAGES / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("| `"):
            rows[cells[0].strip("`")] = cells[1:]
    return rows


@pytest.mark.parametrize("path", PICTURES, ids=name)
def test_is_credited(path):
    """Each picture has a row in README.md, with nothing left blank."""
    assert name(path) in credits()
    assert all(credits()[name(path)])


def test_nothing_is_credited_that_is_not_there():
    assert set(credits()) == {name(p) for p in PICTURES}


@pytest.mark.parametrize("path", PICTURES, ids=name)
def test_is_fit_for_use(path):
    """RGB, whole, large enough to paint, and free of the camera's data."""
    with Image.open(path) as image:
        image.load()
        assert image.mode == "RGB"
        assert max(image.size) >= 400
        assert not image.getexif()
        assert np.asarray(image).std() > 20  # no blank sheet


def test_there_is_something_to_choose_from():
    assert len(list((IMAGES / "content").iterdir())) >= 4
    assert len(list((IMAGES / "styles").iterdir())) >= 5


def test_photographs_and_styles_stay_small():
    assert sum(p.stat().st_size for p in PICTURES if "generated" not in p.parts) < 2.5e6


def test_every_style_is_painted_and_every_painting_has_its_style():
    assert {p.stem for p in (IMAGES / "styles").iterdir()} == set(paint_styles.STYLES)


@pytest.mark.parametrize("style", ["knife", "glass"])
def test_same_seed_same_pixels(style):
    """Two runs agree to the last bit; another seed paints another picture."""
    paint = paint_styles.STYLES[style]
    first = paint(160)
    assert first.shape == (120, 160, 3)
    assert first.min() >= 0
    assert first.max() <= 1
    assert np.array_equal(first, paint(160))
    assert not np.array_equal(first, paint(160, seed=99))


def test_file_is_what_the_code_paints():
    """Within what JPEG loses; painted at full size."""
    with Image.open(IMAGES / "styles" / "wave.jpg") as image:
        stored = np.asarray(image, float) / 255
    painted = paint_styles.STYLES["wave"](stored.shape[1])
    assert stored.shape == painted.shape
    assert np.abs(stored - painted).mean() < 0.03


def test_command_paints_into_a_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        "sys.argv", ["paint_styles.py", "wave", "--out", str(tmp_path), "--size", "120"]
    )
    paint_styles.main()
    assert [p.name for p in tmp_path.iterdir()] == ["wave.jpg"]  # and no temporary file is left
    assert "wave.jpg" in capsys.readouterr().out


def test_command_names_the_styles_when_one_is_unknown(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["paint_styles.py", "cubism"])
    with pytest.raises(SystemExit):
        paint_styles.main()
    assert "cubism" in capsys.readouterr().err
