"""What a painting will take, and that too large a one is refused."""

from types import SimpleNamespace

import pytest
import tensorflow as tf
from little_pictures import S, steps

import painter
from painter import PaintError, Recipe, resources


@pytest.mark.parametrize(("limit", "free"), [("max", 8.0), ("3000000000", 1.25), (None, 8.0)])
def test_a_container_has_the_memory_below_its_limit(tmp_path, monkeypatch, limit, free):
    files = {"max": limit, "current": "2000000000", "stat": "anon 1\ninactive_file 250000000\n"}
    for name, text in files.items() if limit else ():
        (tmp_path / f"memory.{name}").write_text(text)
    assert free_memory_by(tmp_path, monkeypatch) == pytest.approx(free)


@pytest.mark.parametrize(("limit", "free"), [("9223372036854771712", 8.0), ("3000000000", 1.25)])
def test_so_it_has_by_the_older_control_groups(tmp_path, monkeypatch, limit, free):
    """Without a limit they give the largest number there is."""
    stat = "inactive_file 1\ntotal_inactive_file 250000000\n"
    (tmp_path / "memory").mkdir()
    for name, text in {
        "limit_in_bytes": limit,
        "usage_in_bytes": "2000000000",
        "stat": stat,
    }.items():
        (tmp_path / f"memory/memory.{name}").write_text(text)
    assert free_memory_by(tmp_path, monkeypatch) == pytest.approx(free)


def free_memory_by(groups, monkeypatch) -> float:
    """Gigabytes that are free where a container's limits stand in `groups`, and 8 GB outside."""
    monkeypatch.setattr(resources, "CGROUP", groups)
    machine = SimpleNamespace(available=8e9)
    monkeypatch.setattr(resources.psutil, "virtual_memory", lambda: machine)
    return resources._free_memory()


def test_the_estimates_know_the_optimiser_and_the_windows(monkeypatch):
    shape = (1, 3072, 4096, 3)
    assert painter.memory_needed(shape) > painter.memory_needed(shape, "adam") + 2
    monkeypatch.setattr(resources, "_speed", lambda: 1e11)
    whole, cut = (painter.seconds_needed((1, 768, n_W, 3), Recipe(scales=1)) for n_W in (768, 1024))
    assert cut > 1.8 * whole  # with a third more pixels


def test_operations_are_those_of_the_layers_that_are_read():
    """389,000 multiplications a pixel to block5_conv4, 278,000 to block4_conv2."""
    each = [resources.operations((1, 256, 256, 3), [n]) / 4 / 256**2
            for n in ("block5_conv4", "block4_conv2")]  # fmt: skip
    assert each == pytest.approx([389_000, 278_000], rel=0.01)


def test_too_large_a_picture_is_refused_with_the_size_that_would_fit(monkeypatch):
    machine = SimpleNamespace(available=2e9)
    monkeypatch.setattr(resources.psutil, "virtual_memory", lambda: machine)
    with pytest.raises(PaintError, match="longer side") as raised:
        next(painter.paint(tf.zeros((1, 600, 900, 3)), S))
    side = int(str(raised.value).split("max_side=")[1].split(")")[0])
    assert 300 < side < 900
    assert painter.memory_needed((1, side * 2 // 3, side, 3)) <= 2
    assert painter.memory_needed((1, 1.1 * side * 2 / 3, 1.1 * side, 3)) > 2


def test_too_large_a_style_is_refused(monkeypatch):
    with pytest.raises(PaintError, match=r"from 0\.1 to 10, not 60"):
        steps(style_scale=60)
    machine = SimpleNamespace(available=2e9)
    monkeypatch.setattr(resources.psutil, "virtual_memory", lambda: machine)
    with pytest.raises(PaintError, match="take a smaller one"):
        next(painter.paint(tf.zeros((1, 150, 200, 3)), S, style_scale=10))


def test_the_estimate_counts_styles_traces_and_the_first_look(monkeypatch):
    monkeypatch.setattr(resources, "_speed", lambda: 1e11)
    shape = (1, 96, 96, 3)

    def seconds(styles=1, **options):
        return painter.seconds_needed(shape, Recipe(**options), styles)

    plain, large = seconds(), seconds(style_scale=8)
    assert plain > resources.TRACE and large > plain + 1.5
    assert seconds(3, style_scale=8) > large + 3  # each has its own targets
    assert seconds(seconds=30) == 30 and seconds(seconds=30, steps=25) == plain
    least = seconds(style_scale=10, seconds=0)  # a look is made, however few the seconds are
    assert 2 < least == seconds(style_scale=10, seconds=1) < seconds(style_scale=10)
