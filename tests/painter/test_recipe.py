"""Every option is checked, in any form of a list, and named when it cannot be meant."""

import numpy as np
import pytest
from little_pictures import LEFT, SHALLOW, S, T, objective, steps

import nst_utils
from painter import PaintError, Recipe, suited_to


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"alpha": -1}, "alpha"),
        ({"beta": float("nan")}, "beta"),
        ({"alpha": 0, "beta": 0}, "nothing"),
        ({"colour": "grey"}, "luminance"),
        ({"edges": "black"}, "mirrored or zeros"),
        ({"optimizer": "sgd"}, "lbfgs"),
        ({"init": "black"}, "noise"),
        ({"steps": -1}, "steps"),
        ({"steps": "3"}, "steps is a whole number from 0 up, not '3'"),
        ({"scales": 1.5}, "scales is a whole number from 1 up"),
        ({"seed": -1}, "seed is a whole number"),
        ({"alpha": None}, "alpha is a finite number"),
        ({"style_layers": [("block1_conv1", "1")]}, "block1_conv1"),
        ({"content_layer": "conv4_2"}, "block4_conv2"),
        ({"style_layers": [("block9_conv1", 1)]}, "block9_conv1"),
        ({"style_layers": []}, "beta is 0"),
        ({"style_layers": [("block1_conv1", 0)]}, "beta is 0"),
        ({"style_layers": ["block1_conv1"]}, "pairs"),
        ({"style_layers": None}, "pairs"),
        ({"style_weights": 1.0}, "list of numbers"),
        ({"alpha": 1e38}, "alpha is a finite number from 0 to 1e"),
        ({"beta": 1e300}, "beta is a finite number from 0 to 1e"),
        ({"tv": 1e39}, "tv is a finite number from 0 to 1e"),
        ({"style_layers": [("block1_conv1", 1e300)]}, "from 0 to 1e"),
    ],
)
def test_options_that_cannot_be_meant(options, words):
    with pytest.raises(PaintError, match=words):
        Recipe(**options)


@pytest.mark.parametrize(
    ("options", "styles", "words"),
    [
        ({"style_weights": [1, 2]}, 1, "style_weights: 2 given, for 1 style"),
        ({"style_weights": [0]}, 1, "not all 0"),
        ({"style_weights": ["a"]}, 1, "from 0 to 1e"),
        ({"style_weights": [1e308, 1e308]}, 2, "from 0 to 1e"),
        ({"masks": [LEFT, LEFT]}, 1, "masks: 2 given"),
        ({}, 0, "no style picture"),
    ],
)
def test_one_weight_and_one_mask_for_each_style(options, styles, words):
    with pytest.raises(PaintError, match=words):
        Recipe(**options).check_styles(styles)


def test_the_painter_checks_the_styles():
    with pytest.raises(PaintError, match="no style picture"):
        steps([])
    with pytest.raises(PaintError, match="style_weights: 2 given"):
        steps([S], style_weights=[1, 2])


def test_options_in_any_form_of_a_list(vgg):
    names, weights = zip(*SHALLOW["style_layers"], strict=True)
    both = {"style_weights": np.array([1.0, 3.0]), "masks": np.stack([LEFT, 1 - LEFT])}
    both["style_layers"] = zip(names, weights, strict=True)  # can be read once
    both["content_layer"] = SHALLOW["content_layer"]
    got = objective(vgg, [S, T], **both)(S)
    lists = {"style_weights": [1, 3], "masks": [LEFT, 1 - LEFT]}
    want = objective(vgg, [S, T], **SHALLOW, **lists)(S)
    assert float(got[2]) == pytest.approx(float(want[2])) and got[2] > 0


def test_layers_that_weigh_nothing_are_not_read():
    layers = [("block1_conv1", 1), ("block5_conv1", 0)]
    assert Recipe(style_layers=layers).layers() == ["block1_conv1", nst_utils.CONTENT_LAYER]
    assert Recipe(alpha=0).layers() == [name for name, _ in nst_utils.STYLE_LAYERS]
    assert Recipe(beta=0).layers() == [nst_utils.CONTENT_LAYER]


def test_costs_are_measured_at_the_layers_that_were_trained():
    """Up to block2, at these and the next; a network trained further, or not at all, at Gatys'."""
    blocks, plain = list(nst_utils.VGG19_LAYERS), Recipe()
    near = suited_to(blocks[:4])
    assert [name for name, _ in near["style_layers"]] == blocks[:5]
    assert near["content_layer"] == blocks[3]
    for trained in ([], blocks[:3], blocks[:5], blocks):
        for name, value in suited_to(trained).items():
            assert value == getattr(plain, name), (trained, name)
    assert suited_to(blocks).keys() == near.keys()


def test_steps_are_limited_unless_the_seconds_are():
    limits = [Recipe(**o).limit() for o in ({}, {"seconds": 1}, {"seconds": 1, "steps": 7})]
    assert limits == [25, None, 7]
