"""The style's colours, or the photo's own."""

import numpy as np
import pytest
import tensorflow as tf
from little_pictures import C, S, T, steps

import painter
from painter.colour import match_colours

pytestmark = pytest.mark.usefixtures("one_network")


def test_luminance_keeps_the_photo_s_chroma():
    frame = steps(colour="luminance", steps=5)[-1]
    inside = (frame.image > 0.02) & (frame.image < 0.98)
    inside = tf.reduce_all(inside, -1)
    before, after = (tf.image.rgb_to_yiq(image)[..., 1:][inside] for image in (C, frame.image))
    assert np.abs(before - after).max() < 0.01
    assert np.abs(tf.image.rgb_to_yiq(C - frame.image)[..., 0]).mean() > 0.01


@pytest.mark.parametrize("init", ["noise", T], ids=["noise", "picture"])
def test_luminance_is_painted_in_grey_from_any_start(monkeypatch, init):
    seen, honest = [], painter.Objective.__call__

    def look(self, G):
        seen.append(G)
        return honest(self, G)

    monkeypatch.setattr(painter.Objective, "__call__", look)
    steps(colour="luminance", init=init, scales=2, steps=1)
    assert len(seen) == 4 and all(np.ptp(G.numpy(), axis=-1).max() < 1e-5 for G in seen)


def test_matched_colours_have_the_photo_s_mean_and_covariance():
    dull = 0.3 + 0.4 * C  # so that nothing is clipped
    moved = np.asarray(match_colours(S, dull), np.float64).reshape(-1, 3)
    want = np.asarray(dull, np.float64).reshape(-1, 3)
    assert np.allclose(moved.mean(0), want.mean(0), atol=0.01)
    assert np.allclose(np.cov(moved.T), np.cov(want.T), atol=0.002)
    assert np.isfinite(match_colours(tf.fill(S.shape, 0.5), C)).all()
