"""The making of a painting as a moving picture."""

import numpy as np
import pytest
from PIL import Image

from nst_utils import ImageError
from painter import save_animation

FRAMES = [np.full((12 * k, 16 * k, 3), 0.2 * k) for k in (1, 2, 4)]  # coarse to fine


@pytest.mark.parametrize("suffix", ["gif", "png", "webp"])
def test_all_pictures_have_the_size_of_the_last(tmp_path, suffix):
    with Image.open(save_animation(FRAMES, tmp_path / f"a.{suffix}")) as picture:
        assert picture.n_frames == 3 and picture.size == (64, 48)
        for k, frame in enumerate(FRAMES):
            picture.seek(k)
            assert abs(np.asarray(picture.convert("RGB"), float) / 255 - frame[0, 0]).max() < 0.05


def test_at_most_60_of_them(tmp_path):
    many = [np.full((4, 4, 3), k, np.uint8) for k in range(200)]
    with Image.open(save_animation(many, tmp_path / "a.png", seconds=3)) as picture:
        assert picture.n_frames == 60
        assert picture.info["duration"] == 50


@pytest.mark.parametrize(
    ("pictures", "name", "seconds", "words"),
    [(FRAMES, "a.jpg", 6, "an animation is .gif"), ([], "a.gif", 6, "has pictures"),
     (FRAMES, "a.gif", 0, "lasts some seconds"), (FRAMES, "a.gif", "6", "lasts some seconds")],
)  # fmt: skip
def test_what_cannot_be_written_is_named(tmp_path, pictures, name, seconds, words):
    with pytest.raises(ImageError, match=words):
        save_animation(pictures, tmp_path / name, seconds)
    assert not list(tmp_path.iterdir())
