"""Scales, the size of the strokes, and what a coarse scale hands on."""

import numpy as np
import pytest
import tensorflow as tf
from little_pictures import SHALLOW, C, S

import painter
from painter.sizes import resize, same_area, scale_sides, shrink

pytestmark = pytest.mark.usefixtures("one_network")


def test_style_scale_makes_the_style_picture_larger():
    areas = [np.prod(same_area(S, C, k).shape[1:3]) for k in (1, 2)]
    assert areas[0] == pytest.approx(64 * 47, rel=0.05)
    assert areas[1] == pytest.approx(4 * areas[0], rel=0.05)


def test_scales_end_where_vgg19_does():
    assert scale_sides((1, 48, 64, 3), 10**6) == [16, 32, 64]
    assert scale_sides((1, 16, 16, 3), 9) == [16]


def test_by_default_the_side_is_halved_down_to_32():
    sides = [scale_sides((1, side // 2, side, 3), None) for side in (63, 64, 400)]
    assert sides == [[63], [32, 64], [50, 100, 200, 400]]


def test_the_difference_is_carried_up_not_the_picture():
    frames = list(painter.paint(C, S, steps=1, scales=2, **SHALLOW))
    change = frames[1].image - shrink(C, 0.5) if frames[1].J < frames[0].J else 0
    want = tf.clip_by_value(C + resize(change, C.shape[1:3]), 0, 1)
    assert np.allclose(frames[2].image, want, atol=1e-5)
    assert [frame.side for frame in frames] == [32, 32, 64, 64]
