"""The steps at one scale: Adam, mirrored edges, and what ends them."""

import numpy as np
import pytest
import tensorflow as tf
from little_pictures import LEFT, LIGHT, SHALLOW, C, S, T, steps

import painter
from painter import descent

pytestmark = pytest.mark.usefixtures("one_network")


def test_adam_makes_steps_of_its_rate_and_stays_a_picture():
    start = np.linspace(0, 1, 16 * 16 * 3, dtype=np.float32).reshape(1, 16, 16, 3)
    sign = np.where(np.arange(16 * 16 * 3) % 2, 1, -1).reshape(start.shape)
    search = descent._adam(tf.constant(start))
    assert np.array_equal(next(search), start)
    picture = search.send((1.0, tf.constant(sign, tf.float32), 0.0))
    np.testing.assert_allclose(picture, np.clip(start - 0.05 * sign, 0, 1), atol=1e-5)


def test_mirrored_edges_paint_a_larger_canvas_and_cut_it():
    """The same as painting the photo with a mirrored border, and the same masks with theirs."""
    border = painter.Recipe(**SHALLOW).border()
    pads = [(0, 0), (border, border), (border, border), (0, 0)]
    canvas = tf.constant(np.pad(C, pads, mode="symmetric"))
    masks = [LEFT, 1 - LEFT]
    wide = [np.pad(np.asarray(mask), pads[1:3], mode="symmetric") for mask in masks]
    options = {"steps": 3, "scales": 1, "seed": 1} | SHALLOW
    found = painter.stylize(C, [S, T], **options, masks=masks)
    options["style_scale"] = float(np.sqrt(tf.size(C) / tf.size(canvas)))  # no more of the style
    want = painter.stylize(canvas, [S, T], **options, masks=wide, edges="zeros")
    np.testing.assert_allclose(found.history, want.history, 1e-3)
    np.testing.assert_allclose(
        found.image, want.image[:, border:-border, border:-border], atol=1e-3
    )
    assert np.abs(found.image - C).max() > 0.02


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_alpha_and_beta_both_a_thousandth_paint_the_same_picture(optimizer):
    one, other = (
        steps(alpha=10 * k, beta=40 * k, optimizer=optimizer)[-1].image for k in (1, 1e-3)
    )
    assert np.abs(one - C).max() > 0.05 and np.allclose(one, other, atol=0.01)


def test_it_stops_when_it_no_longer_pays():
    assert 10 < len(steps(steps=60, tolerance=0.5)) < 20


@pytest.mark.parametrize("options", [{}, {"optimizer": "adam"}, {"tile": 63}], ids=str)
@pytest.mark.parametrize("step", [0, 2])
def test_nan_in_one_activation_ends_with_the_best_picture(monkeypatch, options, step):
    spoil, honest = tf.Variable(0.0), painter.Network.__call__
    options, frames = options.copy(), []
    tile = options.pop("tile", painter.windows.TILE)
    monkeypatch.setattr(painter.windows, "TILE", tile)

    def spoilt(self, image):
        (first, *rest), back = honest(self, image)
        return [first + tf.where(tf.range(first.shape[-1]) == 0, spoil, 0.0), *rest], back

    def on_frame(frame):
        frames.append(frame)
        spoil.assign(np.nan if frame.step == step - 1 else 0)

    monkeypatch.setattr(painter.Network, "__call__", spoilt)
    if step == 0:
        init = painter.Objective.__init__

        def set_after(self, *arguments):
            init(self, *arguments)
            spoil.assign(np.nan)

        monkeypatch.setattr(painter.Objective, "__init__", set_after)
    painting = painter.stylize(C, S, on_frame, **LIGHT, steps=4, scales=1, tolerance=0, **options)
    assert f"not finite after {step} steps" in painting.stopped
    assert np.array_equal(painting.image, np.clip(painting.image, 0, 1))
    assert len(painting.history) == step and np.isfinite(painting.history).all()
    assert painting.lowered == (step > 1)
    if step:
        best = min(frames[:step], key=lambda frame: frame.J)
        assert np.array_equal(painting.image, best.image)
