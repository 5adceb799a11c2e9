"""A mask confines a style."""

import numpy as np
import pytest
import tensorflow as tf
from little_pictures import LEFT, SHALLOW, C, S, T, objective, steps

from painter import PaintError


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        ("a.png", "array of numbers"),
        (np.zeros((4, 4)), "not all 0"),
        (tf.zeros((2, 2)), "not all 0"),
        (LEFT * 2 - 1, "from -1 to 1"),
        (np.zeros((0, 3)), "not all 0"),
    ],
)
def test_what_is_no_mask_is_refused(mask, words):
    with pytest.raises(PaintError, match=words):
        steps(masks=[mask])


def test_a_mask_confines_a_style(vgg):
    near = {"alpha": 0, "tv": 0, "style_layers": [("block1_conv1", 1.0), ("block1_conv2", 1.0)]}
    both = objective(vgg, [S, T], masks=[LEFT, 1 - LEFT], **near)(C)[3].numpy()
    left = objective(vgg, [S], masks=[LEFT], **near)(C)[3].numpy()
    assert np.abs(left[:, :, :30]).min((0, 1, 3)).max() > 0 and not left[:, :, 35:].any()
    far = np.s_[:, :, :28]  # the left half is pulled by S alone, as hard as a whole picture is
    np.testing.assert_allclose(both[far] * 2, left[far], rtol=0.02, atol=1e-5 * np.abs(left).max())


def test_a_mask_that_pooling_drops_costs_nothing(vgg):
    below = np.zeros((33, 48), np.float32)
    below[32:] = 1  # the last row: 2 x 2 pooling leaves it out
    photo, *styles = (tf.image.resize(image, (33, 48)) for image in (C, S, T))
    masks = [below, 1 - below]
    *costs, gradient = objective(vgg, styles, photo, masks=masks, **SHALLOW)(photo)
    assert np.isfinite(costs).all() and np.isfinite(gradient).all()
