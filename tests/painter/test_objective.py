"""J, its parts and its gradient: the notebook's, whole or in windows, with masks and weights."""

import numpy as np
import pytest
import tensorflow as tf
from little_pictures import LEFT, SHALLOW, C, S, T, objective

from painter import Network, Objective, PaintError, Recipe, windows
from painter.objective import roughness
from painter.starts import first_picture


def test_costs_and_gradient_are_those_of_the_notebook(course, vgg):
    G = tf.Variable(tf.clip_by_value(C + 0.2 * (S - C), 0, 1))
    with tf.GradientTape() as tape:
        a_G = vgg(G)
        J_content = course["compute_content_cost"](vgg(C), a_G)
        J_style = course["compute_style_cost"](vgg(S), a_G)
        J = course["total_cost"](J_content, J_style)
    *ours, gradient = objective(vgg, tv=0)(G.value())
    np.testing.assert_allclose(ours, [J, J_content, J_style], rtol=1e-3)
    want = tape.gradient(J, G)
    np.testing.assert_allclose(gradient, want, rtol=1e-2, atol=1e-3 * np.abs(want).max())


@pytest.mark.parametrize("options", [{}, {"masks": [LEFT, 1 - LEFT]}], ids=["plain", "masks"])
def test_windows_give_the_numbers_of_the_whole(vgg, monkeypatch, options):
    photo, *styles = (tf.image.resize(image, (150, 200)) for image in (C, S, T))
    styles = styles if options else styles[:1]
    G = 0.7 * photo + 0.3 * styles[0]
    options["style_layers"] = [("block1_conv1", 0.5), ("block3_conv1", 0.5)]
    options["content_layer"] = "block3_conv1"  # it sees 16 pixels far
    *costs, gradient = objective(vgg, styles, photo, **options)(G)
    monkeypatch.setattr(windows, "TILE", 144)
    cut = objective(vgg, styles, photo, **options)
    assert len(cut.windows) > 3 and len({window[2:] for window, _ in cut.windows}) == 1
    *cut_costs, cut_gradient = cut(G)
    assert cut.measure.experimental_get_tracing_count() == 1
    np.testing.assert_allclose(cut_costs, costs, rtol=1e-4)
    scale = np.abs(gradient).max()
    np.testing.assert_allclose(cut_gradient, gradient, rtol=1e-2, atol=1e-3 * scale)


def test_one_trace_and_nothing_above_the_deepest_layer(vgg):
    one = objective(vgg, style_layers=[("block2_conv1", 1.0)], content_layer="block1_conv2")
    for weight in (0.1, 0.2, 0.3):
        one(C + weight)
    assert one.whole.experimental_get_tracing_count() == 1
    assert one.net.layers[-1][0] == "block2_conv1"
    assert objective(vgg, alpha=0).net.layers[-1][0] == "block5_conv1"
    assert len(objective(vgg, beta=0).net(C)[0]) == 1


def test_a_network_of_other_layers_is_refused(vgg):
    net = Network(vgg, ["block1_conv1"])
    with pytest.raises(PaintError, match=r"gives \['block1_conv1'\], and the recipe needs"):
        Objective(net, C, [S], Recipe())


def test_total_variation_and_its_gradient(vgg):
    flat, rough = tf.fill(C.shape, 0.5), first_picture(C, [S], Recipe(init="noise"))
    plain, smooth = objective(vgg, tv=0, **SHALLOW), objective(vgg, **SHALLOW)  # 3 is the default
    added = [float(smooth(G)[0] - plain(G)[0]) for G in (flat, rough)]
    assert added[0] == pytest.approx(3 * 2 * 0.01, rel=0.1) and added[1] > 3 * added[0]
    slope = (smooth(rough)[3] - plain(rough)[3]).numpy()
    direction = np.sign(slope)
    moved = [float(roughness(rough + h * direction)[0]) for h in (-1e-3, 1e-3)]
    assert (moved[1] - moved[0]) / 2e-3 == pytest.approx((slope * direction).sum() / 3, rel=0.05)


def test_only_the_ratio_of_alpha_and_beta_matters(vgg):
    """The weight of the total variation follows; without style there is none."""
    rough = first_picture(C, [S], Recipe(init="noise"))
    whole = objective(vgg, **SHALLOW)(rough)
    tenth = objective(vgg, alpha=1, beta=4, **SHALLOW)(rough)
    for one, other in zip(whole, tenth, strict=True):
        scale = 1 if one is whole[1] or one is whole[2] else 10
        np.testing.assert_allclose(scale * other, one, rtol=1e-4, atol=1e-6)
    assert objective(vgg, beta=0, **SHALLOW)(C)[0] == 0


def test_a_content_layer_that_is_a_style_layer_weighs_as_any_other(vgg):
    """As if its mean square on the photo were 1, whole or in windows."""
    G, layers = C + 0.2 * (S - C), [("block1_conv1", 0.5), ("block3_conv1", 0.5)]
    read = tf.keras.Model(vgg.input, vgg.get_layer("block3_conv1").output)
    a_C, a_G = read(C), read(G)
    want = float(tf.reduce_mean((a_G - a_C) ** 2) / tf.reduce_mean(a_C**2)) / 4
    both = objective(vgg, style_layers=layers, content_layer="block3_conv1")(G)
    assert float(both[1]) == pytest.approx(want, rel=1e-3)
    alone = objective(vgg, style_layers=layers[:1], content_layer="block3_conv1")(G)
    assert float(alone[1]) == pytest.approx(float(tf.reduce_mean((a_G - a_C) ** 2)) / 4, rel=1e-3)


def test_several_styles_by_weight(vgg):
    only, other = (float(objective(vgg, [P], **SHALLOW)(C)[2]) for P in (S, T))
    mixed = float(objective(vgg, [S, T], style_weights=[1, 3], **SHALLOW)(C)[2])
    assert mixed == pytest.approx((only + 3 * other) / 4, rel=1e-3)
    first = float(objective(vgg, [S, T], style_weights=[1, 0], **SHALLOW)(C)[2])
    assert first == pytest.approx(only, rel=1e-3)
