"""The command line: python notebooks/painter PHOTO PAINTING -o OUT. Nothing else."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import MISSING, fields
from pathlib import Path

NOTEBOOKS = Path(__file__).resolve().parent.parent
if not __package__:  # a folder that is run stands first on the path: its rooms are no packages
    sys.path[:1] = [str(NOTEBOOKS), str(NOTEBOOKS.parent)]

from painter.recipe import CHOICES, PaintError, Recipe  # noqa: E402, it needs the path

EXAMPLES = """examples:
  python notebooks/painter photo.jpg painting.jpg -o painted.png
  python notebooks/painter photo.jpg painting.jpg --max-side 1024 --seconds 300
  python notebooks/painter photo.jpg one.jpg two.jpg --style-weights 1 3
  python notebooks/painter photo.jpg sky.jpg ground.jpg --masks sky_mask.png ground_mask.png
  python notebooks/painter photo.jpg painting.jpg --colour luminance --animation making.gif
  python notebooks/painter photo.jpg painting.jpg --alpha 0 --init noise     (a texture)

exit codes: 0 done, 1 a bad input or option, 2 a wrong command line, 130 stopped by Ctrl-C (the
best picture so far, if there is one, is written)"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Paint one picture from the command line; give the exit code."""
    options = vars(parser().parse_args(arguments))
    try:
        if "style_layers" in options:
            options["style_layers"] = _layers(options["style_layers"])
    except PaintError as error:
        print(f"PaintError: {error}", file=sys.stderr)
        return 1
    from painter import paint_files  # not before: TensorFlow takes seconds

    return paint_files(options)


def parser() -> argparse.ArgumentParser:
    """One option for each field of `Recipe`, with its default."""
    parser = argparse.ArgumentParser(
        prog="python notebooks/painter",
        description="Paint a photo in the style of one or several other pictures.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(**{f.name: f.default for f in fields(Recipe) if f.default is not MISSING})
    add, now = parser.add_argument, "(%(default)s)"
    add("content", help="the photo")
    add("style", nargs="+", help="the painting, or several")
    add("-o", "--output", default="painted.png", help=f"where to write {now}")
    add("--max-side", type=int, default=400, help=f"longer side in pixels {now}")
    add("--animation", help="write the making of it, too: .gif, .png or .webp")
    add("--alpha", type=float, help=f"weight of the content {now}")
    add("--beta", type=float, help=f"weight of the style {now}")
    add("--content-layer", default=argparse.SUPPRESS, help="(block4_conv2)")
    add(
        "--style-layers",
        nargs="+",
        default=argparse.SUPPRESS,
        metavar="NAME=WEIGHT",
        help="(block1_conv1=0.2 ...)",
    )
    add("--style-weights", nargs="+", type=float, metavar="W", help="one a painting (alike)")
    add("--masks", nargs="+", metavar="FILE", help="one a painting: where white, it is used")
    add("--style-scale", type=float, help=f"2: strokes twice as large {now}")
    add("--colour", help=f"style; matched or luminance: the photo's {now}")
    add("--tv", type=float, help=f"smoothing by total variation {now}")
    add("--edges", help=f"mirrored, or zeros: the paper's, with a faint frame {now}")
    add("--init", help=f"{', '.join(CHOICES['init'])} or a picture's file {now}")
    add("--optimizer", help=f"lbfgs or adam {now}")
    add("--scales", type=int, help="how often the side is halved, plus 1 (by size)")
    add("--steps", type=int, help="at most, at each scale (40, or what --seconds allow)")
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
    sys.stdout.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show
    sys.exit(main())
