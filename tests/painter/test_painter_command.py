"""The command line: python notebooks/painter PHOTO PAINTING -o OUT."""

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import fields
from importlib import import_module

import numpy as np
import pytest
import tensorflow as tf
from little_pictures import HOUSE, KNIFE, LEFT, ROOT, C, S

import nst_utils
import painter
from painter import files, painting, reading, terminal

command = import_module("painter.__main__")
SMALL = ["--max-side", "64", "--steps", "2", "--content-layer", "block2_conv1"]
SMALL += ["--style-layers", "block1_conv1=0.5", "block2_conv1=0.5"]
PHOTO, STYLE = str(HOUSE), str(KNIFE)
OTHER = str(ROOT / "images/styles/wave.jpg")


@pytest.fixture(autouse=True)
def network(one_network):
    """The same for all."""


def test_help_comes_without_tensorflow():
    code = """import runpy, sys
sys.argv = ["painter", "--help"]
sys.path.insert(0, "notebooks/painter")  # as Python does with a folder that is run
try:
    runpy.run_path("notebooks/painter", run_name="__main__")
finally:
    heavy = {"tensorflow", "keras", "numpy", "nst_utils"} & set(sys.modules)
    print("heavy:", *heavy, sep=" ", end=".")"""
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.endswith("heavy:.") and "python notebooks/painter photo.jpg" in run.stdout


def test_every_field_of_the_recipe_is_an_option_and_help_names_its_default():
    text = " ".join(command.parser().format_help().split())
    options = vars(command.parser().parse_args([PHOTO, STYLE]))
    recipe = painter.Recipe()
    for field in fields(painter.Recipe):
        assert f"--{field.name.replace('_', '-')} " in text
        default = getattr(recipe, field.name)
        assert options.get(field.name, default) == default
    assert f"({recipe.content_layer};" in text
    (first, weight), *_ = recipe.style_layers
    assert f"({first}={weight} ...)" in text


def test_a_painting_says_how_it_was_made(tmp_path, capsys):
    from PIL import Image

    out, making = tmp_path / "out.png", tmp_path / "a.gif"
    arguments = [PHOTO, STYLE, "-o", str(out), *SMALL, "--animation", str(making)]
    assert command.main(arguments) == 0
    assert "finished" in capsys.readouterr().out and making.exists()
    with Image.open(out) as picture:
        picture.load()
        settings = json.loads(picture.text["Software"].removeprefix("painter "))
    assert max(picture.size) == 64 and settings["steps"] == 2 and settings["style"] == [STYLE]
    assert settings["content_layer"] == "block2_conv1" and settings["alpha"] == 10
    assert settings["network"] == "the tests' network" and settings["stopped"] == "finished"


def test_several_styles_masks_and_a_picture_to_start_from(tmp_path):
    out, mask = tmp_path / "out.png", tmp_path / "mask.png"
    nst_utils.save_image(np.repeat(LEFT[..., None], 3, -1), mask)
    many = ["--masks", str(mask), str(mask), "--init", STYLE, "--style-weights", "1", "3"]
    assert command.main([PHOTO, STYLE, OTHER, "-o", str(out), *SMALL, *many]) == 0
    assert out.exists()


@pytest.mark.parametrize(
    ("words", "name"),
    [(["missing.jpg", STYLE], "missing.jpg"), ([PHOTO, STYLE, "--alpha", "-1"], "alpha"),
     ([PHOTO, STYLE, "--masks", "x"], "'x'"), ([PHOTO, STYLE, "--style-layers", "a=b"], "NAME=")],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path, capsys, words, name):
    assert command.main([*words, "-o", str(tmp_path / "out.png")]) == 1
    error = capsys.readouterr().err
    assert re.search(name, error) and not list(tmp_path.iterdir())
    assert "painting:" not in error  # an empty bar in front of it


def test_the_bar_is_not_there_before_the_painting_is(tmp_path, capsys, monkeypatch):
    def fail(*_):
        raise painter.PaintError("no network")

    monkeypatch.setattr(painting, "_network", fail)
    assert command.main([PHOTO, STYLE, "-o", str(tmp_path / "out.png"), *SMALL]) == 1
    assert capsys.readouterr().err == "PaintError: no network\n"


def test_the_bar_moves_once_a_step_however_quick_the_first_were(tmp_path, capsys):
    words = ["--scales", "2", "--steps", "3", "--tolerance", "0"]
    assert command.main([PHOTO, STYLE, "-o", str(tmp_path / "out.png"), *SMALL, *words]) == 0
    shown = re.findall(r"(\d)/(\d) .*?(\d+) px, step (\d)", capsys.readouterr().err)
    assert {s for *_, s in shown} == set("0123456") and all(n == s for n, _, _, s in shown)
    assert {total for _, total, *_ in shown} == {"6"} and shown[-1][:2] == ("6", "6")
    assert {side for _, _, side, _ in shown} == {"32", "64"}


def test_the_bar_ends_at_its_end_when_a_scale_ends_early(capsys):
    recipe = painter.Recipe(steps=8, scales=2)
    with files._Bar(C.shape, recipe) as bar:
        for side, step in ((32, 0), (32, 1), (64, 1), (64, 2)):
            bar.show(painter.Frame(side, step, 0.0, 1.0, 0.0, 1.0, C))
            assert (bar.bar.n, bar.bar.total) == (step, 16 if side == 32 else 9)
    with files._Bar(C.shape, painter.Recipe(seconds=7)) as bar:
        for seconds in (1, 6.96, 8):
            bar.show(painter.Frame(64, 3, seconds, 1.0, 0.0, 1.0, C))
            assert (bar.bar.n, bar.bar.total) == (min(round(seconds, 1), 7), 7)


def test_colour_in_two_spellings():
    for option in ("--colour", "--color"):
        assert command.parser().parse_args([PHOTO, STYLE, option, "matched"]).colour == "matched"


def test_the_photo_s_transparency_is_kept_in_a_png(tmp_path, capsys):
    from PIL import Image

    photo, out = tmp_path / "photo.png", tmp_path / "out.png"
    opaque = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (47, 1))
    Image.fromarray(np.dstack([nst_utils.to_pixels(C), opaque])).save(photo)
    words = [str(photo), STYLE, *SMALL, "--transparency", "-o"]
    assert command.main([*words, str(out)]) == 0
    with Image.open(out) as picture:
        assert picture.mode == "RGBA" and "painter" in picture.text["Software"]
        assert np.abs(np.asarray(picture.getchannel("A"), int) - opaque).max() <= 1
    assert command.main([*words, str(tmp_path / "out.jpg")]) == 1
    assert "transparency is kept in a .png" in capsys.readouterr().err
    assert command.main([PHOTO, *words[1:], str(out)]) == 0
    with Image.open(out) as picture:
        assert picture.mode == "RGB"  # that photo has none


def test_a_wrong_command_line():
    with pytest.raises(SystemExit, match="2"):
        command.main([])


@pytest.fixture
def place(tmp_path):
    """(photo, where to write, what is there already)"""
    photo, out = tmp_path / "photo.png", tmp_path / "out.png"
    nst_utils.save_image(C, photo)
    yield str(photo), str(out), (before := nst_utils.save_image(S, out).read_bytes())
    assert out.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.png", "photo.png"]


@pytest.mark.parametrize("words", ["-o {photo}", "-o {out} --animation {out}",
                                   "-o {out} --animation {out}.jpg"])  # fmt: skip
def test_nothing_is_written_over_what_is_read_or_was_painted(place, capsys, words):
    photo, out, _ = place
    words = words.format(photo=photo, out=out).split()
    assert command.main([photo, STYLE, *words, "--max-side", "32", "--steps", "1"]) == 1
    assert "used already" in (error := capsys.readouterr().err) or ".gif or .png" in error


@pytest.mark.parametrize(
    ("words", "why", "remedy"),
    [(["--seconds", "0"], "no time for a single step", "give more --seconds"),
     (["--beta", "0"], "no step lowered J", "a larger --beta"),
     (["--weights", "embedded"], "not finite", "give smaller weights")],
)  # fmt: skip
def test_nothing_is_written_when_nothing_was_painted(
    place, capsys, monkeypatch, words, why, remedy
):
    photo, out, _ = place
    if why == "not finite":
        nan = [tf.constant(float("nan"))] * 3
        monkeypatch.setattr(painter.Objective, "__call__", lambda _, G: (*nan, tf.zeros_like(G)))
    assert command.main([photo, STYLE, "-o", out, *SMALL[4:], *words]) == 1
    assert why in (said := capsys.readouterr().err) and remedy in said


@pytest.mark.parametrize("room, name", [(painting, "_network"), (reading, "load_image")])
def test_ctrl_c_before_it_paints(place, monkeypatch, room, name):
    def stop(*_, **__):
        raise KeyboardInterrupt

    photo, out, _ = place
    monkeypatch.setattr(room, name, stop)
    assert command.main([photo, STYLE, "-o", out]) == 130


@pytest.mark.parametrize("name, again", [("SIGINT", 1), ("SIGTERM", 0), ("SIGHUP", 1)])
def test_what_ends_a_program_keeps_the_best_picture(tmp_path, monkeypatch, name, again):
    """Ctrl-C, `kill`, and a terminal that is closed; a second one may come while it saves."""
    if not hasattr(signal, name) or signal.getsignal(getattr(signal, name)) is signal.SIG_IGN:
        pytest.skip(f"{name} does not end a program here")
    number, out, honest = getattr(signal, name), tmp_path / "out.png", files.save_image
    before, evaluate, calls = signal.getsignal(number), painter.Objective.__call__, []

    def look(self, G):
        calls.append(G)
        if len(calls) == 3:
            os.kill(os.getpid(), number)
        return evaluate(self, G)

    def save(*arguments):
        for _ in range(again):
            os.kill(os.getpid(), number)
        return honest(*arguments)

    monkeypatch.setattr(painter.Objective, "__call__", look)
    monkeypatch.setattr(files, "save_image", save)
    monkeypatch.setattr(terminal, "AGAIN", 0.0)
    words = [*SMALL, "--steps", "9", "--scales", "1"]
    assert command.main([PHOTO, STYLE, "-o", str(out), *words]) == 128 + number
    assert len(calls) == 3 and signal.getsignal(number) == before
    assert not np.array_equal(nst_utils.load_image(out), C) and list(tmp_path.iterdir()) == [out]


def test_the_style_picture_is_enlarged_from_its_own_pixels(tmp_path, monkeypatch):
    seen, honest = [], painter.Objective.__init__

    def look(self, *arguments):
        seen.append(arguments[2][0])
        honest(self, *arguments)

    monkeypatch.setattr(painter.Objective, "__init__", look)
    words = [*SMALL, "--steps", "0", "--scales", "1", "--style-scale", "3"]
    assert command.main([PHOTO, STYLE, "-o", str(tmp_path / "a.png"), *words]) == 0
    size = seen[0].shape[1:3]
    want = tf.image.resize(nst_utils.load_image(STYLE), size, "area")
    assert max(size) > 160 and np.allclose(seen[0], want, atol=1e-3)


def test_a_painting_is_not_lost_when_its_place_is(tmp_path, monkeypatch, capsys):
    """The folder is there before the painting, and not after it."""
    out, painted, honest = tmp_path / "folder" / "out.jpg", [], files.stylize

    def paint_and_break(*arguments, **options):
        painted.append(honest(*arguments, **options))
        out.parent.rmdir()
        out.parent.touch()
        return painted[0]

    monkeypatch.setattr(files, "stylize", paint_and_break)
    monkeypatch.setattr(files.tempfile, "tempdir", str(tmp_path))
    assert command.main([PHOTO, STYLE, "-o", str(out), *SMALL]) == 0
    (rescued,) = tmp_path.glob("painted-*/out.png")
    printed = capsys.readouterr()
    assert str(rescued) in printed.out and str(out) in printed.err
    saved = nst_utils.to_pixels(nst_utils.load_image(rescued))
    assert np.array_equal(saved, nst_utils.to_pixels(painted[0].image))
