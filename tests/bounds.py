"""Do the bounds of requirements.txt still hold? `.ci/run` with the oldest and the newest versions.

python tests/bounds.py [--python 3.10 3.11 3.12 3.13] [--oldest | --newest] [tests ...]

It needs `uv` (pip install uv) and the internet, and some minutes for each environment. When tests
fail, their files are run again for each package: this one as it was, the others at their other
end. So the bound at fault is named. With names of tests, only these are run, without ruff.
Pythons are those on PATH, or uv downloads them. The exit code is 0 if all bounds hold.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENDS = {"oldest": "lowest-direct", "newest": "highest"}
PYTHONS = ["3.10", "3.11", "3.12", "3.13"]
UV = [sys.executable, "-m", "uv"]


def call(*command: str) -> tuple[bool, str]:
    """Run a command in the course's folder; give whether it succeeded, and what it printed."""
    done = subprocess.run(
        command, cwd=ROOT, text=True, encoding="utf-8", errors="replace",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        env=os.environ | {"PYTHONUTF8": "1"},
    )  # fmt: skip
    return done.returncode == 0, done.stdout.strip()


def attempt(version: str, end: str, tests: list[str], pin: str = "") -> tuple[str, str, dict]:
    """Make an environment, test in it; give result, pytest's log, {package: version}."""
    with tempfile.TemporaryDirectory() as folder:
        python = str(Path(folder, "Scripts/python.exe" if os.name == "nt" else "bin/python"))
        wanted = ["--resolution", ENDS[end], "-r", "requirements.txt", *filter(None, [pin])]
        wanted += ["--only-binary", ":all:"]  # the oldest that was built for this Python
        for step in (
            ["venv", "-q", "--allow-existing", "--python", version, folder],
            ["pip", "install", "-q", "--python", python, *wanted],
            ["pip", "freeze", "-q", "--python", python],
        ):
            fine, log = call(*UV, *step)
            if not fine:
                return "no such Python" if "venv" in step else "cannot be installed", log, {}
        found = dict(re.findall(r"^(\S+)==(\S+)$", log, re.MULTILINE))
        fine, log = call(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)
        if not fine:
            return "tests fail", log, found
        for check in () if tests else (["check"], ["format", "--check"]):
            fine, complaint = call(python, "-m", "ruff", *check, ".")
            if not fine:
                return "ruff complains", complaint, found
        return "holds", log, found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", nargs="+", default=PYTHONS, metavar="X.Y")
    ends = parser.add_mutually_exclusive_group()
    for name in ENDS:
        ends.add_argument(f"--{name}", dest="ends", action="store_const", const=[name])
    parser.add_argument("tests", nargs="*", help="what pytest shall run (default: all)")
    options = parser.parse_args()
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    packages, bad = re.findall(r"^([\w-]+)>", text, re.MULTILINE), False
    print(f"{'Python':8}{'bounds':8}{'result':21}{'passed':>7}{'seconds':>8}  versions", flush=True)
    for version in options.python:
        for end in options.ends or ENDS:
            start = time.perf_counter()
            result, log, found = attempt(version, end, options.tests)
            versions = " ".join(f"{name} {found[name]}" for name in packages if name in found)
            passed = "".join(re.findall(r"(\d+) passed", log)[-1:])
            seconds = f"{time.perf_counter() - start:8.0f}"
            print(f"{version:8}{end:8}{result:21}{passed:>7}{seconds}  {versions}", flush=True)
            if result == "holds":
                continue
            bad, other = True, "newest" if end == "oldest" else "oldest"
            print(*log.splitlines()[-15:], sep="\n  ", flush=True)
            failed = sorted(set(re.findall(r"^(?:FAILED|ERROR) ([^:\s]+)", log, re.MULTILINE)))
            for name in filter(found.get, packages if result == "tests fail" else ()):
                pin = f"{name}=={found[name]}"
                result, *_ = attempt(version, other, failed or options.tests, pin)
                if result == "tests fail":
                    print(f"  no longer true: {pin} ({result}, the others {other})", flush=True)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
