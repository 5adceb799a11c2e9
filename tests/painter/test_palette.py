"""A painting of few colours is painted in these."""

import numpy as np
import pytest
import tensorflow as tf
from little_pictures import LEFT, ROOT, SHALLOW, C, S, T, steps

import nst_utils
import painter
from painter.palette import confined, moments, planes, slope, varies

pytestmark = pytest.mark.usefixtures("one_network")
COLOURFUL = nst_utils.match_shape(nst_utils.load_image(ROOT / "images/content/coffee.jpg", 64), C)
GREY = tf.image.grayscale_to_rgb(tf.image.rgb_to_grayscale(S))
SEPIA = 0.05 + GREY * [0.9, 0.75, 0.5]
BLUE = tf.ones_like(S) * [0.2, 0.35, 0.8]
TWO = tf.concat([BLUE[:, :20], tf.ones_like(S)[:, 20:]], 1)  # inks: blue on white


def off(image, style):
    """How far the colours of a picture lie from the line that those of the style lie on."""
    x, y = (np.asarray(p, np.float64).reshape(-1, 3) for p in (image, style))
    axis = np.linalg.svd(y - y.mean(0), full_matrices=False)[2][0]
    x = x - y.mean(0)
    return np.linalg.norm(x - np.outer(x @ axis, axis), axis=1)


@pytest.mark.parametrize("style", [GREY, SEPIA, TWO], ids=["grey", "sepia", "two inks"])
@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_a_line_of_colours_is_kept(style, optimizer):
    frames = list(
        painter.paint(COLOURFUL, style, steps=3, scales=2, optimizer=optimizer, **SHALLOW)
    )
    for frame in frames:
        free = np.all((frame.image > 0.002) & (frame.image < 0.998), -1)[0].ravel()
        assert off(frame.image, style)[free].max() < 0.01 and free.mean() > 0.3
    assert off(COLOURFUL, style).max() > 0.1
    assert frames[-1].J < frames[-4].J


def test_one_colour_is_kept_in_its_shades():
    image = steps(BLUE, steps=3)[-1].image.numpy().reshape(-1, 3)
    shade = image[:, 2:] / 0.8
    free = np.all((image > 0.002) & (image < 0.998), -1)
    assert np.allclose(image[free], (shade * [0.2, 0.35, 0.8])[free], atol=0.01)
    assert free.mean() > 0.3 and np.ptp(shade) > 0.2  # the photo can be seen


def test_a_grey_painting_cannot_match_colours(capsys):
    options = {"steps": 2, "scales": 1} | SHALLOW
    matched, luminance = (
        painter.stylize(COLOURFUL, GREY, colour=c, **options).image
        for c in ("matched", "luminance")
    )
    assert np.array_equal(matched, luminance)
    assert "too few colours to match" in capsys.readouterr().out


def test_a_grey_photo_s_colours_are_matched_in_grey():
    photo = tf.image.grayscale_to_rgb(tf.image.rgb_to_grayscale(COLOURFUL))
    image = painter.stylize(photo, S, colour="matched", steps=3, scales=1, **SHALLOW).image
    assert np.ptp(image.numpy(), axis=-1).max() < 0.02 and np.abs(image - photo).max() > 0.05


def test_the_bundled_paintings_have_all_colours():
    """So they are painted as ever: nothing is projected."""
    for path in (ROOT / "images/styles").glob("*.jpg"):
        for side in (32, 64, 400):
            assert varies([moments(nst_utils.load_image(path, side))]), (path, side)
    assert planes([moments(S)], None, C.shape[1:3]) == [] and confined(C, []) is C


def test_the_noise_of_a_scan_is_no_colour():
    rng = np.random.default_rng(0)
    scan = tf.image.resize(GREY, (300, 400)) + rng.normal(0, 0.02, (1, 300, 400, 3))
    assert not varies([moments(tf.cast(scan, tf.float32))]) and not varies([moments(GREY)])
    assert varies([moments(GREY), moments(T)])


def test_each_mask_has_its_own_palette():
    """Grey at the left, all colours at the right; between them what both have; none outside."""
    middle = 1 - LEFT
    middle[:, 24:] = 1
    middle[:, 56:] = 0
    found = planes([moments(GREY), moments(T)], [LEFT, middle], C.shape[1:3])
    image = confined(COLOURFUL, found).numpy()
    assert np.ptp(image[:, :, :24], axis=-1).max() < 1e-3
    assert np.array_equal(image[:, :, 24:], COLOURFUL[:, :, 24:])
    one = planes([moments(GREY)], [LEFT], C.shape[1:3])
    assert np.array_equal(confined(COLOURFUL, one)[:, :, 32:], COLOURFUL[:, :, 32:])
    assert np.ptp(slope(COLOURFUL, one)[:, :, :32], axis=-1).max() < 1e-3


def test_a_stop_at_a_coarse_scale_keeps_the_palette():
    def stop(frame):
        if frame.step == 1:
            raise KeyboardInterrupt

    painting = painter.stylize(COLOURFUL, GREY, stop, steps=3, scales=2, **SHALLOW)
    assert painting.stopped == "interrupted" and painting.image.shape == C.shape
    assert np.ptp(painting.image.numpy(), axis=-1).max() < 1e-3
