"""The figures that a notebook shows."""

import numpy as np

import nst_utils


def test_figures_draw_what_they_are_given():
    image = np.random.default_rng(0).random((1, 40, 60, 3))
    figure = nst_utils.show_images({"one": image, "two": image, "three": image, "four": image})
    assert [axes.get_title() for axes in figure.axes[:4]] == ["one", "two", "three", "four"]
    maps = nst_utils.show_maps({"a": np.eye(3), "b": 2 * np.eye(3)}, label="unit")
    assert {axes.images[0].get_clim() for axes in maps.axes[:2]} == {(0, 2)}  # one scale for all
    flat = nst_utils.show_maps({"a": np.eye(3)[:2], "b": np.eye(3)[1:]})
    assert flat.get_figheight() < maps.get_figheight()  # no gap between rows of maps
    curves = nst_utils.plot_costs([(0, 5.0, 0.0, 0.1), (5, 3.0, 0.1, 0.05)]).axes[0]
    assert [line.get_label() for line in curves.lines] == ["J", "J_content", "J_style"]
    drawn = nst_utils.draw_vgg19(["block1_conv1"], "block4_conv2").axes[0]
    assert len(drawn.patches) == 16
