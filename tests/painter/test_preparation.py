"""What is given is checked by name, and a style that weighs nothing is left out."""

import numpy as np
import pytest
import tensorflow as tf
from little_pictures import LEFT, SHALLOW, C, S, T, steps

import nst_utils
from painter import PaintError, painting, preparation
from painter.recipe import NEAR_CONTENT, NEAR_LAYERS, NEAR_TV


@pytest.mark.parametrize(
    ("styles", "options", "words"),
    [
        ([S, S[:, :9]], {}, "^Style picture 2 of 2: A picture for VGG-19"),
        (S[:, :9], {}, "^The style picture: "),
        ([S, T], {"masks": [LEFT, 0 * LEFT]}, "^Mask 2 of 2: .* not all 0"),
        (S, {"masks": [LEFT[..., :0]]}, "^The mask: "),
    ],
)
def test_which_of_several_is_wrong(styles, options, words):
    with pytest.raises((PaintError, nst_utils.WeightsError), match=words):
        steps(styles, **options)


def test_a_photo_that_is_wrong():
    with pytest.raises(nst_utils.WeightsError, match=r"^The photo: "):
        preparation.prepared(C[:, :9], S, {})


@pytest.mark.parametrize(
    ("weights", "options", "layers", "content", "tv"),
    [
        ("embedded", {}, NEAR_LAYERS, NEAR_CONTENT, NEAR_TV),
        ("embedded", {"tv": 3.0}, NEAR_LAYERS, NEAR_CONTENT, 3.0),
        ("embedded", {"content_layer": "block1_conv2"}, NEAR_LAYERS, "block1_conv2", NEAR_TV),
        ("embedded", SHALLOW, SHALLOW["style_layers"], SHALLOW["content_layer"], 3.0),
        ("kmeans", {}, nst_utils.STYLE_LAYERS, nst_utils.CONTENT_LAYER, 3.0),
    ],
)
def test_weights_are_found_once_and_choose_the_defaults(weights, options, layers, content, tv):
    recipe = preparation.prepared(C, S, options | {"weights": weights}).recipe
    assert (recipe.style_layers, recipe.content_layer, recipe.tv) == (layers, content, tv)
    assert weights.replace("kmeans", "k-means") in recipe.weights[1]
    again = preparation.prepared(C, S, options | {"weights": recipe.weights}).recipe
    assert again.weights is recipe.weights and again.style_layers == layers


@pytest.mark.parametrize("masks", [None, [LEFT, 1 - LEFT]], ids=["everywhere", "masks"])
@pytest.mark.parametrize("weights", [[0, 3], [3, 0.0]])
def test_a_style_of_weight_0_is_left_out_also_of_the_filters(monkeypatch, vgg, weights, masks):
    """It is first or last, with a mask or without, and of another size."""
    seen, k = [], int(np.argmax(weights))

    def network(C, styles, recipe):
        seen.append(styles)
        return painting.Network(vgg, recipe.layers()), "the tests' network"

    monkeypatch.setattr(painting, "_network", network)
    both = [S, tf.image.resize(T, (99, 77))][:: -1 if k else 1]
    with_it = steps(both, style_weights=weights, masks=masks, init="style")[-1]
    mask = None if masks is None else [masks[k]]
    without = steps(both[k], masks=mask, init="style")[-1]
    assert np.array_equal(with_it.image, without.image) and with_it.J == without.J
    assert [len(styles) for styles in seen] == [1, 1]


def test_filters_are_fitted_to_no_style_if_beta_is_0_and_to_no_layer_that_weighs_nothing(
    monkeypatch, vgg
):
    asked = []

    def load(names, weights, images, seed):
        asked.append((names, len(images)))
        vgg.weights_source = "the tests'"
        return vgg

    monkeypatch.setattr(painting, "load_vgg19", load)
    steps(beta=0, steps=0)
    steps(steps=0, style_layers=[("block2_conv1", 0), ("block1_conv1", 1)])
    assert asked == [(["block2_conv1"], 1), (["block1_conv1", "block2_conv1"], 2)]
