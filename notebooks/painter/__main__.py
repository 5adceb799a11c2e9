"""The command line: python notebooks/painter PHOTO PAINTING -o OUT. Nothing else."""

from __future__ import annotations

import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback of the imports below

import argparse
import sys
from collections.abc import Sequence
from dataclasses import MISSING, fields
from pathlib import Path

NOTEBOOKS = Path(__file__).resolve().parent.parent
if not __package__:  # a folder that is run stands first on the path: its rooms are no packages
    sys.path[:1] = [str(NOTEBOOKS), str(NOTEBOOKS.parent)]

from painter.recipe import CHOICES, STEPS, PaintError, Recipe  # noqa: E402, it needs the path
from painter.terminal import Interrupts, lasting_outputs, leave  # noqa: E402

CHECK = NOTEBOOKS / "check_environment.py"
EXAMPLES = """examples:
  python notebooks/painter photo.jpg painting.jpg -o painted.png
  python notebooks/painter photo.jpg painting.jpg --max-side 1024 --seconds 300
  python notebooks/painter photo.jpg one.jpg two.jpg --style-weights 1 3
  python notebooks/painter photo.jpg sky.jpg ground.jpg --masks sky_mask.png ground_mask.png
  python notebooks/painter photo.jpg painting.jpg --colour luminance --animation making.gif
  python notebooks/painter photo.jpg painting.jpg --alpha 0 --init noise     (a texture)
  python notebooks/painter cut_out.png painting.jpg --transparency

exit codes: 0 done, 1 a bad input or option, 2 a wrong command line, 130 stopped by Ctrl-C, 143 by
SIGTERM, 129 by SIGHUP (the best picture so far, if there is one, is written)"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Paint one picture from the command line; give the exit code."""
    options = vars(parser().parse_args(arguments))
    try:
        if "style_layers" in options:
            options["style_layers"] = _layers(options["style_layers"])
    except PaintError as error:
        print(f"PaintError: {error}", file=sys.stderr)
        return 1
    interrupts = Interrupts()
    with interrupts.at_once():
        try:
            from painter import paint_files  # not before: TensorFlow takes seconds
        except ModuleNotFoundError as wanting:  # most often another Python than that of .venv
            print(
                f"{wanting.name} is not installed for {sys.executable}. What to do: run {CHECK}",
                file=sys.stderr,
            )
            return 1
    with interrupts.as_exceptions():
        code = paint_files(options)
    return interrupts.exit_code(code)


def parser() -> argparse.ArgumentParser:
    """One option for each field of `Recipe`, with its default; and those of files and size."""
    parser = argparse.ArgumentParser(
        prog="python notebooks/painter",
        description="Paint a photo in the style of one or several other pictures.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(**{f.name: f.default for f in fields(Recipe) if f.default is not MISSING})
    add, now, unset = parser.add_argument, "(%(default)s)", argparse.SUPPRESS
    add("content", help="the photo")
    add("style", nargs="+", help="the painting, or several")
    add("-o", "--output", default="painted.png", help=f"where to write {now}")
    add("--max-side", type=int, default=400, help=f"longer side in pixels {now}")
    add("--animation", help="write the making of it, too: .gif, .png or .webp")
    add("--transparency", action="store_true", help="keep the photo's, in a .png")
    add("--alpha", type=float, help=f"weight of the content {now}")
    add("--beta", type=float, help=f"weight of the style {now}")
    layers = "(block1_conv1=0.2 ...); with embedded filters others, see recipe.py"
    content = "(block4_conv2; with embedded filters block2_conv2)"
    add("--content-layer", default=unset, help=content)
    add("--style-layers", nargs="+", metavar="NAME=WEIGHT", default=unset, help=layers)
    add("--style-weights", nargs="+", type=float, metavar="W", help="one a painting (alike)")
    add(
        "--masks",
        nargs="+",
        metavar="FILE",
        help="one a painting: used where white, not transparent",
    )
    add("--style-scale", type=float, help=f"2: strokes twice as large; 0.1 to 10 {now}")
    add("--colour", "--color", help=f"style; matched or luminance: the photo's {now}")
    add("--tv", type=float, default=unset, help="smoothing (3.0; with embedded filters 20.0)")
    add("--edges", help=f"mirrored, or zeros: the paper's, with a faint frame {now}")
    add("--init", help=f"{', '.join(CHOICES['init'])} or a picture's file {now}")
    add("--optimizer", help=f"lbfgs or adam {now}")
    add("--scales", type=int, help="how often the side is halved, plus 1 (by size)")
    add("--steps", type=int, help=f"at most, at each scale ({STEPS}, or what --seconds allow)")
    add("--seconds", type=float, help="time for all after the imports; a fit is not cut short")
    add("--tolerance", type=float, help=f"stop when 10 steps gain less {now}")
    add("--weights", help=f"auto, imagenet, embedded, kmeans or a file {now}")
    add("--seed", type=int, help=f"of k-means filters and of noise {now}")
    return parser


def _layers(pairs: Sequence[str]) -> list[tuple[str, float]]:
    """Turn NAME=WEIGHT ... into what `Recipe` takes."""
    split = (text.partition("=") for text in pairs)
    try:
        return [(name, float(weight or 1)) for name, _, weight in split]
    except ValueError as error:
        raise PaintError(f"--style-layers takes NAME=WEIGHT: {error}.") from None


if __name__ == "__main__":
    lasting_outputs()
    leave(main())
