"""What the painter starts from."""

import numpy as np
import pytest
import tensorflow as tf
from little_pictures import C, S, T, objective, steps

from painter import PaintError, Recipe, painting
from painter.starts import first_picture, half_hidden, patchwork

pytestmark = pytest.mark.usefixtures("one_network")
c, s, t = (tf.image.resize(image, (24, 32), "area") for image in (C, S, T))  # pieces are slow


def test_where_it_starts():
    assert np.allclose(steps(steps=0, init="style")[0].image, S, atol=1e-6)
    assert np.allclose(steps(steps=0, init=T)[0].image, T, atol=1e-6)
    noise = [first_picture(C, [S], Recipe(init="noise", seed=seed)).numpy() for seed in (1, 1, 2)]
    assert np.array_equal(noise[0], noise[1]) and not np.array_equal(noise[0], noise[2])
    assert 0.05 < noise[0].std() < 0.07
    assert np.array_equal(steps(steps=0, init="noise", seed=1)[0].image, noise[0])


@pytest.mark.parametrize("init", [C[:, :8], C[0], tf.cast(C * 255, tf.uint8), "x.jpg"])
def test_a_start_is_checked_before_the_network_is_loaded(monkeypatch, init):
    monkeypatch.setattr(painting, "_network", None)
    with pytest.raises(PaintError, match="init"):
        steps(init=init)


def test_pieces_of_the_photo_itself_make_the_photo():
    """Each piece finds itself; the border's pieces hold mirrored pixels, which are nowhere else."""
    laid = patchwork(c, c)
    assert laid.shape == c.shape and np.allclose(laid[:, 8:-8, 8:-8], c[:, 8:-8, 8:-8], atol=1e-5)


def test_pieces_lie_near_their_own_place_and_have_the_colours_of_the_style():
    flat = patchwork(c, tf.fill(c.shape, 0.3))
    assert np.allclose(flat, 0.3, atol=1e-6)  # overlapping pieces add up to one everywhere
    halves = np.repeat([0.2, 0.8], 32)[None, None, :, None] * np.ones(C.shape)
    laid = patchwork(tf.fill(C.shape, 0.5), tf.constant(halves, tf.float32)).numpy()
    assert np.allclose(laid[:, :, :24], 0.2, atol=1e-5) and np.allclose(laid[:, :, 40:], 0.8)


def test_the_start_is_the_photo_under_pieces_of_each_style(vgg):
    start = steps(steps=0, init="patches")[0].image
    assert np.allclose(start, (C + patchwork(C, S)) / 2, atol=1e-6)
    costs = objective(vgg)
    assert costs(start)[2] < 0.8 * costs(C)[2]


def test_pieces_are_laid_where_a_mask_is():
    left = np.repeat([1.0, 0.0], 16)[None] * np.ones((24, 1))
    right = 1 - left
    right[:, 24:] = 0  # nobody's
    two = half_hidden(c, [s, t], Recipe(masks=[left, right])).numpy()
    for style, area in ((s, np.s_[:, :, :16]), (t, np.s_[:, :, 16:24])):
        assert np.allclose(two[area], ((c + patchwork(c, style)) / 2)[area], atol=1e-6)
    assert np.array_equal(two[:, :, 24:], c[:, :, 24:])


def test_light_weights_do_not_hide_the_patches():
    one, other = (half_hidden(c, [s, t], Recipe(style_weights=[w, w])) for w in (1, 1e-4))
    assert np.allclose(one, other, atol=1e-4) and not np.allclose(one, c, atol=0.01)
