"""The judge's own network and costs: as they should be drawn, and with the right derivatives."""

from __future__ import annotations

import numpy as np
import pytest
from trials import fresh

from checkpoints.tiny_network import rollout, terms_of


def test_content_and_style_weigh_alike():
    for seed in range(5):
        case = fresh("train_step", seed)[1]
        first, second = rollout(case)
        content, style = (
            10 * first["terms"]["content"]["C"][0],
            40 * first["terms"]["style"]["S"][0],
        )
        assert 0.5 < content / style < 2
        assert abs(second["J"] - first["J"]) > 0.01 * first["J"]


def test_gradients_of_the_judge_are_derivatives():
    case = fresh("train_step", 3)[1]
    image = case["image"].astype("float64")
    direction = np.random.default_rng(0).normal(size=image.shape)
    for part, key in (("content", "C"), ("style", "S"), ("content", "S"), ("style", "C")):
        low, high = (terms_of(case, image + e * direction)[part][key][0] for e in (-1e-5, 1e-5))
        slope = (terms_of(case, image)[part][key][1] * direction).sum()
        assert (high - low) / 2e-5 == pytest.approx(slope, rel=1e-5)
