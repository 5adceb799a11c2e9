"""Growth with the picture: what is counted, the exponents, and a painter that says nothing."""

import argparse

import pytest
from PIL import Image

from benchmark import growth, spans
from benchmark.where import Painted

OPTIONS = argparse.Namespace(painter_options="--steps 3")


def painter_of(said: str, asked: list):
    """A painter whose steps take a second for 10,000 pixels, and whose imports take three."""

    def painted(checkout, pair, arguments):
        with Image.open(pair[0]) as picture:
            pixels = picture.width * picture.height
        asked.append((max(picture.size), arguments))
        seconds = {"importing TensorFlow": 3.0, spans.FIT + " block3_conv1": 1.0, spans.END: 0.5}
        seconds |= {"trace at 64 px": 0.0, "steps at 64 px": pixels / 1e4}
        return Painted("here", "a + b", sum(seconds.values()), seconds, {}, [], pixels**0.5, said)

    return painted


def test_what_it_took_stands_beside_what_was_said(monkeypatch, capsys):
    asked = []
    said = "hm\nPainting 64 x 48 pixels: about 2 s and 1.2 GB.\n"
    monkeypatch.setattr(growth.where, "painted", painter_of(said, asked))
    small, large = growth.track_growth(OPTIONS, (64, 640))
    assert [side for side, _ in asked] == [64, 640], "the photo is made as large"
    assert asked[1][1] == ["--max-side", "640", "--steps", "3"]
    assert small.seconds == pytest.approx(small.pixels / 1e4) and small.said_seconds == 2
    assert small.said_GB == 1.2 and small.seconds_exponent is None
    assert large.seconds_exponent == pytest.approx(1) and large.memory_exponent == pytest.approx(
        0.5
    )
    assert "64 px" in capsys.readouterr().out.splitlines()[0]


def test_a_painter_that_says_nothing_is_named(monkeypatch):
    monkeypatch.setattr(growth.where, "painted", painter_of("", []))
    with pytest.raises(RuntimeError, match="did not say what 64 pixels take"):
        growth.track_growth(OPTIONS, (64,))
