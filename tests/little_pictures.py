"""The little pictures that tests paint, and how they paint them."""

import numpy as np

import nst_utils
import painter

ROOT = nst_utils.ROOT
HOUSE, KNIFE = ROOT / "images/content/house.jpg", ROOT / "images/styles/knife.jpg"
C = nst_utils.load_image(HOUSE, 64)  # (1, 47, 64, 3)
S = nst_utils.match_shape(nst_utils.load_image(KNIFE), C)
T = nst_utils.match_shape(nst_utils.load_image(ROOT / "images/styles/wave.jpg"), C)
LEFT = np.zeros(C.shape[1:3], np.float32)
LEFT[:, :32] = 1
LIGHT = {"style_layers": [("block1_conv1", 1.0)], "content_layer": "block1_conv2"}  # one block
SHALLOW = {  # two blocks: quick to trace and to run
    "style_layers": [("block1_conv1", 0.5), ("block2_conv1", 0.5)],
    "content_layer": "block2_conv1",
}


def objective(vgg, styles=(S,), content=C, **options):
    """The objective of one scale, with all layers unless `options` say otherwise."""
    recipe = painter.Recipe(**options)
    net = painter.Network(vgg, recipe.layers())
    return painter.Objective(net, content, styles, recipe)


def steps(styles=S, **options):
    """The frames of a short painting with shallow layers, on a canvas as small as the picture."""
    plain = {"steps": 3, "scales": 1, "edges": "zeros", **SHALLOW}
    return list(painter.paint(C, styles, **plain | options))
