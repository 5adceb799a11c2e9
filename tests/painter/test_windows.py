"""Windows cover a large picture once, and reach as far as a layer sees."""

import numpy as np
import pytest
import tensorflow as tf
from little_pictures import C

from painter import windows


def test_windows_cover_every_pixel_once():
    for height, width in ((801, 800), (1000, 3001), (2048, 832)):
        seen = np.zeros((1, height, width), int)
        for (top, left, *size), inside in windows.lay_windows((1, height, width, 3), 96):
            assert top % 16 == left % 16 == 0 and max(size) <= windows.TILE
            part = windows.cut(seen, (top, left, *size))
            first, last, begin, end = inside.numpy()
            assert first >= 96 or (top == 0 and first == 0)
            assert last <= size[0] - 96 or top + last == height
            part[:, first:last, begin:end] += 1
        assert (seen == 1).all()


@pytest.mark.parametrize("name", ["block1_conv2", "block2_conv1", "block3_conv1"])
def test_a_layer_sees_no_farther_than_its_reach(vgg, name):
    layer = tf.keras.Model(vgg.input, vgg.get_layer(name).output)
    G = tf.Variable(tf.image.resize(C, (160, 160)))
    with tf.GradientTape() as tape:
        a = layer(G)
        middle = tf.reduce_sum(a[0, a.shape[1] // 2, a.shape[2] // 2])
    rows = np.flatnonzero(np.abs(tape.gradient(middle, G)).sum((0, 2, 3)))
    farthest = max(80 - rows[0], rows[-1] - 80)
    assert farthest <= windows.reach([name]) < farthest + 17
