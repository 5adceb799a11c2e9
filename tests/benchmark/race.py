"""The race: what is asked for, until time is up; then the table and the figures."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import asdict

import nst_utils
from benchmark import growth, peers, report, speed, where
from benchmark.runs import SHARES
from benchmark.tracks import Bench

QUICK = {"moments": (5, 15), "our_steps": {"A": 160, "0": 40}, "betas": (10, 40, 160)}
ALONE = {"where", "growth", "peers"}  # tracks that need no network in this process


def race(options: argparse.Namespace) -> None:
    """Run the tracks, as the command line's `options` say, and write what was found."""
    if options.quick:
        options.size, options.pairs, options.minutes, options.until = 96, [0], 3, 0.1
    options.out.mkdir(parents=True, exist_ok=True)
    alone(options)
    if not set(options.tracks) - ALONE:
        return
    options.size, options.pairs = options.size or 224, options.pairs or [0, 1, 2]
    deadline = time.monotonic() + 60 * (options.minutes or 70)
    bench = make_bench(options)
    if "speed" in options.tracks:
        speed.track_speed(bench, (256,) if options.quick else (256, 400, 512, 768))
    runs = {
        track: bench.runs(track)
        for track in ("A", "0")
        if track in options.tracks or (track == "0" and "B" in options.tracks)
    }
    only_b = not {"0", "A"} & set(options.tracks)  # its moments are soon over
    shares, enough = ([1.0], bench.moments[-1]) if only_b else (bench.shares, float("inf"))
    advance(runs, shares, deadline, enough)
    for track, of in (("A", bench.track_a), ("0", bench.track_0), ("B", bench.track_b)):
        if track in options.tracks:
            of(runs["A" if track == "A" else "0"])
            report.write(bench)
    if "0" in options.tracks:
        with nst_utils.whole_file(bench.out / "pictures.png") as path:
            bench.pictures(runs["0"]).savefig(path, dpi=110)
    report.write(bench)


def alone(options: argparse.Namespace) -> None:
    """Run the tracks whose networks are in other processes."""
    mine = argparse.Namespace(**vars(options))
    mine.size, mine.pairs = options.size or 400, options.pairs or [0]
    if options.quick:
        mine.size, mine.times = 96, 1
    if "where" in options.tracks:
        report.write_where(where.track_where(mine), mine.size, mine.out)
    if "growth" in options.tracks:
        found = growth.track_growth(mine, (64, 96) if options.quick else growth.SIDES)
        rows = [{"track": "growth"} | asdict(size) for size in found]
        report.write_rows(rows, mine.out / "growth.csv")
    if "peers" in options.tracks:
        mine.minutes = 0.2 if options.quick else options.minutes or 10
        for found in peers.track_peers(mine):
            report.write_peers(found, mine.size, mine.out)


def make_bench(options: argparse.Namespace) -> Bench:
    """Load the pictures, fit the networks, and say which they are."""
    bench = Bench(
        size=options.size,
        pairs=options.pairs,
        out=options.out,
        shares=[share for share in SHARES if share <= options.until],
        content_layer=options.content_layer,
        against=options.against,
        start=options.start,
        **(QUICK if options.quick else {}),
    )
    cases = bench.cases.values()
    sizes = [f"{case.name} {case.C.shape[2]} x {case.C.shape[1]}" for case in cases]
    print("; ".join(sizes), next(iter(cases)).source)
    return bench


def advance(runs: dict[str, list], shares: Sequence[float], deadline: float, enough: float) -> None:
    """Take all runs to the first share of their steps, then all to the next, until time is up."""
    for share in shares:
        for track, some in runs.items():
            for case, _, run in some:
                done = run.advance(share, deadline, enough)
                where = f"{track} {share:.0%} {case.name}, {run.baseline.name}"
                end = "" if done else " (time is up)"
                print(f"{where}: {run.steps} steps, {run.seconds:.0f} s{end}", flush=True)
