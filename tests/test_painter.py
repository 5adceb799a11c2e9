"""The painter and its command line."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import nst_utils

ROOT = nst_utils.ROOT
C = nst_utils.load_image(ROOT / "images/content/house.jpg", 64)
S = nst_utils.match_shape(nst_utils.load_image(ROOT / "images/styles/knife.jpg"), C)


def test_costs_and_gradient_are_those_of_the_notebook(course):
    names = [name for name, _ in nst_utils.STYLE_LAYERS] + [nst_utils.CONTENT_LAYER]
    vgg = nst_utils.load_vgg19(names, "kmeans", [C, S])
    G = tf.Variable(tf.clip_by_value(C + 0.2 * (S - C), 0, 1))
    with tf.GradientTape() as tape:
        a_G = vgg(G)
        J_content = course["compute_content_cost"](vgg(C), a_G)
        J_style = course["compute_style_cost"](vgg(S), a_G)
        J = course["total_cost"](J_content, J_style)
    frames = nst_utils.paint(G.value(), S, steps=1, scales=1)
    assert next(frames).J_content == 0  # it starts from its content
    H = tf.Variable(G)
    fused = nst_utils._costs(vgg, vgg(C)[-1], [nst_utils._gram_mean(a) for a in vgg(S)[:-1]])
    with tf.GradientTape() as fused_tape:
        ours = fused(H, 10.0, 40.0)
    np.testing.assert_allclose(ours, [J, J_content, J_style], rtol=1e-3)
    want, got = tape.gradient(J, G), fused_tape.gradient(ours[0], H)
    np.testing.assert_allclose(got, want, rtol=1e-2, atol=1e-3 * float(tf.reduce_max(abs(want))))


def test_the_cost_falls_and_the_result_is_a_picture():
    painting = nst_utils.stylize(C, S, steps=8, scales=2)
    costs = [row[1] for row in painting.history]
    assert painting.stopped == "finished" and len(costs) == 18
    assert costs[-1] < 0.7 * costs[0]
    assert painting.image.shape == C.shape
    assert np.array_equal(painting.image, np.clip(painting.image, 0, 1))


def test_same_seed_same_picture():
    one, two = (nst_utils.stylize(C, S, steps=3, scales=1).image for _ in range(2))
    assert np.array_equal(nst_utils.to_pixels(one), nst_utils.to_pixels(two))


def test_an_interrupt_returns_the_best_so_far():
    def stop(frame):
        if frame.step == 3:
            raise KeyboardInterrupt

    painting = nst_utils.stylize(C, S, stop, steps=8, scales=1)
    assert painting.stopped == "interrupted" and len(painting.history) == 4
    assert not np.array_equal(painting.image, C)


def test_a_cost_that_is_not_finite_ends_with_a_reason():
    painting = nst_utils.stylize(C, S, steps=3, scales=1, beta=float("inf"))
    assert "step 0" in painting.stopped and np.isfinite(painting.image).all()


def test_command_line(tmp_path, capsys):
    content, style = (
        str(ROOT / f"images/{name}.jpg") for name in ("content/house", "styles/knife")
    )
    out = tmp_path / "out.png"
    arguments = [content, style, "-o", str(out), "--max-side", "64", "--steps", "2"]
    assert nst_utils.main(arguments) == 0
    assert "finished" in capsys.readouterr().out
    with Image.open(out) as picture:
        picture.load()
        assert max(picture.size) == 64 and "steps=2" in picture.text["Software"]
    assert nst_utils.main(["missing.jpg", style, "-o", str(out)]) == 1
    assert "missing.jpg" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        nst_utils.main([])
