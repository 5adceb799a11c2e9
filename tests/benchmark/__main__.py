"""The command line: python tests/benchmark. Nothing else."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
if not __package__:  # a folder that is run stands first on the path: its files are no packages
    sys.path[:1] = [str(TESTS), str(TESTS.parent), str(TESTS.parent / "notebooks")]

import benchmark  # noqa: E402, it needs the path

TRACKS = ["0", "A", "B", "speed", "where", "growth", "peers"]


def main() -> int:
    """Read the options, and do what they ask for."""
    options = parser().parse_args()
    if options.method:  # in a process that is measured: nothing is imported that it does not need
        from benchmark.processes import run_method

        *method, path, bounds = json.loads(options.method)
        run_method(*method, Path(path), **bounds)
    elif options.one_rate:
        from benchmark.machine import one_rate

        print(json.dumps(one_rate(options.one_rate)))
    elif options.one_size:
        from benchmark.speed import one_size

        print(json.dumps(one_size(options.one_size)))
    else:
        from benchmark.race import race  # not before: TensorFlow takes seconds

        race(options)
    return 0


def parser() -> argparse.ArgumentParser:
    """The options, with their defaults."""
    parser = argparse.ArgumentParser(
        prog="python tests/benchmark",
        description=benchmark.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--tracks", nargs="+", default=["speed", "A", "0", "B"], choices=TRACKS)
    add("--size", type=int, help="longer side in pixels (224; of where and peers 400)")
    add("--pairs", type=int, nargs="+", choices=[0, 1, 2], help="(0 1 2; of where and peers 0)")
    add("--minutes", type=float, help="when to stop the baselines (70), or each of the peers (10)")
    add("--until", type=float, default=1.0, help="largest share of a budget (1.0)")
    add("--content-layer", help="of Track A (block4_conv2) and of ours on Track 0 (block2_conv1)")
    add("--start", default="patches", choices=["patches", "content"], help="ours, on Track 0")
    add("--against", nargs="+", default=[], help="parts of baselines' or peers' names (all)")
    add("--quick", action="store_true", help="96 px, one pair, to 10 %%, about 5 minutes")
    add("--out", type=Path, default=Path("benchmark"), help="folder for runs and results")
    add("--of", type=Path, nargs="+", metavar="FOLDER", help="checkouts for where (this one)")
    add("--times", type=int, default=3, help="how often where and peers run each (3)")
    add(
        "--painter-options",
        default="",
        metavar="'...'",
        help="more of the painter's own",
    )
    add("--threads", type=int, help="of each of the peers (the machine's)")
    add("--no-avx512", action="store_true", help="peers: imitate a processor without it")
    add("--method", help=argparse.SUPPRESS)
    add("--one-rate", help=argparse.SUPPRESS)
    add("--one-size", type=int, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
