"""The folder that a kernel lives in: what is in it, what it may read, which variables it sees."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import site
import sys
import tempfile
from pathlib import Path

import matplotlib

import checkpoints
from classroom import NOTEBOOKS, ROOT, Limits

COPIED = "observe.py", "anatomy.py", "limits.py"  # of checkpoints, see there
KERNEL_SIDE = Path(__file__).resolve().parent / "kernel_side"
STANDS_FOR = ("checkpoints", "nst_utils", "painter")  # the modules that `stand_in` stands for
# All of /dev would be too much: files in /dev/shm outlive the kernel.
DEVICES = [f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty")]
FILE_BYTES = 500_000_000  # the largest file that a notebook may write


def prepare_folder(folder: Path, limits: Limits) -> None:
    """Fill the kernel's folder: stand-ins for the course's modules, and what starts and asks."""
    for name in ("work", "home", "tmp"):
        (folder / name).mkdir()
    for name in STANDS_FOR:
        shutil.copy(KERNEL_SIDE / "stand_in.py", folder / "work" / f"{name}.py")
    inside = folder / KERNEL_SIDE.name
    shutil.copytree(KERNEL_SIDE, inside, ignore=shutil.ignore_patterns("__pycache__"))
    for name in COPIED:
        shutil.copy(Path(checkpoints.__file__).with_name(name), inside)
    settings = {
        "readable": readable_paths(),
        "writable": [os.path.realpath(folder), *(d for d in DEVICES if Path(d).exists())],
        "memory_bytes": int(limits.memory_gb * 1e9),
        "file_bytes": FILE_BYTES,
    }
    (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    with contextlib.suppress(OSError):  # spares each kernel the search for fonts
        for fonts in Path(matplotlib.get_cachedir()).glob("fontlist-*.json"):
            shutil.copy(fonts, folder / "home")


def kernel_environment(folder: Path) -> dict[str, str]:
    """The few variables that Python needs, and temporary folders. No secret of the teacher's."""
    needed = ["PATH", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"]
    needed += ["SYSTEMROOT", "WINDIR", "SYSTEMDRIVE", "PROCESSOR_ARCHITECTURE"]
    env = {name: os.environ[name] for name in needed if name in os.environ}
    for name in ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "IPYTHONDIR"):
        env[name] = str(folder / "home")
    for name in ("TMPDIR", "TEMP", "TMP"):
        env[name] = str(folder / "tmp")
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        env[name] = "1"  # several kernels share the cores
    return env | {
        "PYTHONUSERBASE": site.getuserbase(),  # packages of `pip install --user` are found there
        "PYTHONDONTWRITEBYTECODE": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
        "MPLBACKEND": "agg",
        "MPLCONFIGDIR": str(folder / "home"),
        "NST_FAST": "1",
        "NST_WEIGHTS": "kmeans",
        "NST_GRADING": folder.name,  # marks every process that belongs to this kernel
    }


def readable_paths() -> list[str]:
    """Where Python and its libraries are; not the course, nor the home folder as a whole."""
    places = [sys.prefix, sys.base_prefix, sys.exec_prefix, site.getusersitepackages()]
    places += [path for path in sys.path if Path(path) != NOTEBOOKS]
    places += ["/usr", "/bin", "/lib", "/lib64", "/etc", "/opt", "/nix", "/sys", "/dev"]  # Linux
    places += ["/System", "/Library", "/private/etc"]  # macOS
    places += [os.environ.get("SYSTEMROOT", ""), os.environ.get("PROGRAMFILES", "")]  # Windows
    real = {Path(place).resolve() for place in places if place and Path(place).exists()}
    python = {Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()}
    ours = [p for p in real if p.is_relative_to(ROOT) and not any(map(p.is_relative_to, python))]
    private = [ROOT, Path.home().resolve(), Path(tempfile.gettempdir()).resolve()]
    real = {p for p in real.difference(ours) if not any(q.is_relative_to(p) for q in private)}
    about = [f"/proc/{name}" for name in ("self", "cpuinfo", "meminfo", "stat", "sys", "version")]
    return sorted(map(str, real)) + [path for path in about if Path(path).exists()]
