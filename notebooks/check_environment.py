"""Is everything here that the course needs? One line for each thing, and what to do about it.

python3 notebooks/check_environment.py

It needs nothing that has to be installed, so it can be run first, with whatever Python there is:
older ones, too, so it has no syntax that Python 3.6 does not know. The exit code is 0, or 1 when
something is missing.
"""

import collections
import ctypes
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    from importlib import metadata
except ImportError:  # before Python 3.8, which is too old anyway
    metadata = None

ROOT = Path(__file__).resolve().parent.parent
Line = collections.namedtuple("Line", "state thing found remedy")
OK, NOTE, MISSING = "ok", "note", "MISSING"
FOLDERS = "nst_utils.py", "notebooks/checkpoints", "notebooks/painter", "images/content"
WRITTEN = ".", "images/generated", "pretrained-model"  # course.ipynb, pictures, filters
GB = 1e9
INSTALLED, SPARE = 3.5, 0.2  # GB on the disk: of the packages while they are unpacked; of runs
ENOUGH, LEAST = 1.6, 1.1  # GB of memory, measured: 400 pixels with JupyterLab; NST_FAST=1 alone
ROOM = 60  # characters of the folder's path on Windows: of 260, TensorFlow's files take up to 200
WHEELS = {("Linux", "x86_64"), ("Linux", "aarch64"), ("Darwin", "arm64"), ("Windows", "AMD64")}
RELEASED = (  # the names under which nst_utils.py looks for VGG-19
    "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
    "vgg19_weights_tf_dim_ordering_tf_kernels.h5",
    "imagenet-vgg-verydeep-19.mat",
)
EMBEDDED = "vgg19_block1-2.npz"
UV = "uv run --no-project --python 3.12 --with-requirements requirements.txt"


def wanted(text: str) -> tuple:
    """((first, end), {package: (low, high)}) of the text of requirements.txt, as strings."""
    pythons = re.search(r'python_version < "([\d.]+)" or python_version >= "([\d.]+)"', text)
    packages = re.findall(r"^([\w-]+)>=([\d.]+),<([\d.]+)", text, re.MULTILINE)
    return pythons.groups(), {name: (low, high) for name, low, high in packages}


def release(version: str) -> tuple:
    """The numbers of a version, without zeros at its end: 2.21.0rc1 is (2, 21)."""
    numbers = [int(number) for number in re.match(r"\d+(\.\d+)*", version).group().split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def python_line(version: str, bounds: tuple) -> Line:
    """Is this Python one that TensorFlow has been built for, and the course was tried with?"""
    first, end = bounds
    last = "3.{}".format(int(end.split(".")[1]) - 1)
    found = f"{version} at {sys.executable}"
    if release(first) <= release(version) < release(end):
        return Line(OK, "Python", found, "")
    remedy = (
        "the course needs Python {} to {}. Install one of them beside yours, from python.org, "
        "delete .venv if there is one (it keeps its first Python), and make it anew with this one; "
        f"or let uv bring one along: pip install uv, then {UV} jupyter lab."
    )
    return Line(MISSING, "Python", found, remedy.format(first, last))


def processor_line(system: str, machine: str, bits: int, flags: str, libc: str) -> Line:
    """Is there a TensorFlow for this processor and system?"""
    found, elsewhere = f"{system} {machine}, {bits} bits", "or work on Colab."
    remedy = ""
    if system == "Darwin" and machine == "x86_64":
        remedy = "TensorFlow 2.17 and later are not made for Macs with Intel's processors: if yours"
        remedy += " has Apple's, install the Python for it (arm64); else work on Colab."
    elif bits != 64 or (system, machine) not in WHEELS:
        remedy = "TensorFlow is not made for it: install a Python of 64 bits (x64 on Windows), "
        remedy += elsewhere
    elif system == "Linux" and libc != "glibc":
        remedy = "TensorFlow needs glibc, which Alpine has not: take a Debian image, " + elsewhere
    elif flags and " avx " not in flags:
        remedy = "TensorFlow needs a processor with AVX (2011 and later): " + elsewhere[3:]
    return Line(MISSING if remedy else OK, "processor", found, remedy)


def installed_version(name: str):
    """The version of a package, or None."""
    try:
        return metadata.version(name)
    except (AttributeError, ImportError):  # no metadata, or no such package
        return None


def package_lines(bounds: dict, versions: dict) -> list:
    """A line for each package that is missing or not within its bounds; else one for all."""
    lines = []
    for name, (low, high) in bounds.items():
        found = versions.get(name)
        if found is None or not release(low) <= release(found) < release(high):
            asked = f"needed {low} or later, before {high}"
            lines.append(Line(MISSING, name, f"{found or 'not installed'}, {asked}", ""))
    if not lines:
        return [Line(OK, "packages", f"all {len(bounds)} within their bounds", "")]
    if not any(versions.values()):
        lines = [Line(MISSING, "packages", f"none of the {len(bounds)} is installed", "")]
    lines[-1] = lines[-1]._replace(remedy=install_remedy())
    return lines


def install_remedy() -> str:
    """What to do when packages are missing: Linux forbids pip outside of such a folder."""
    if sys.prefix != sys.base_prefix:
        return f'run "{sys.executable}" -m pip install -r "{ROOT / "requirements.txt"}"'
    python = ROOT / (".venv/Scripts/python.exe" if os.name == "nt" else ".venv/bin/python")
    if python.exists():
        return f'this is not the Python of .venv: run "{python}" "{Path(__file__).resolve()}"'
    made = f'"{sys.executable}" -m venv "{ROOT / ".venv"}"'
    return f'run {made}, then "{python}" -m pip install -r "{ROOT / "requirements.txt"}"'


def tensorflow_line(code: str = "import tensorflow") -> Line:
    """Does it start? A missing library, or a processor that is too old, shows only then."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            timeout=300, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Line(NOTE, "TensorFlow", "did not start within five minutes", "restart the machine.")
    if done.returncode == 0:
        return Line(OK, "TensorFlow", "starts", "")
    words = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
    remedy = f'install it again: "{sys.executable}" -m pip install --force-reinstall tensorflow'
    if os.name == "nt":
        remedy = "install Microsoft's Visual C++ Redistributable (x64), then try again."
    found = f"does not start (code {done.returncode}): {words[-1]}"
    return Line(MISSING, "TensorFlow", found, remedy)


def free_memory() -> float:
    """Bytes that are free, or on macOS all there are; 0 if nobody tells."""
    if os.name == "nt":
        status = (ctypes.c_ulonglong * 8)(64)  # its first half says how long the structure is
        ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
        return status[2]  # after length and load, and all there are: what is available
    try:
        text = Path("/proc/meminfo").read_text()
        free = int(re.search(r"MemAvailable:\s+(\d+)", text).group(1)) * 1024
    except (OSError, AttributeError):
        names = "SC_PHYS_PAGES", "SC_PAGE_SIZE"
        known = set(names) <= set(getattr(os, "sysconf_names", ()))
        return os.sysconf(names[0]) * os.sysconf(names[1]) if known else 0
    for limit in ("memory.max", "memory/memory.limit_in_bytes"):  # of a container, as on Binder
        path = Path("/sys/fs/cgroup") / limit
        text = path.read_text().strip() if path.exists() else "max"
        free = free if text == "max" else min(free, int(text))
    return free


def memory_line(free: float) -> Line:
    """Enough for the course at 400 pixels?"""
    found = f"{free / GB:.1f} GB free" if free else "unknown"
    close = "close other programs, or lower SIDE and MY_SIDE in the notebook to 200."
    if free >= ENOUGH * GB:
        return Line(OK, "memory", found, "")
    return Line(MISSING if 0 < free < LEAST * GB else NOTE, "memory", found, close)


def disk_line(free: float, needed: float) -> Line:
    """Enough for the packages, or for what runs write?"""
    found = f"{free / GB:.1f} GB free, {needed:.1f} needed"
    if free >= needed * GB:
        return Line(OK, "disk", found, "")
    return Line(MISSING, "disk", found, "free some, or move the course's folder to another disk.")


def folder_line(root: Path) -> Line:
    """Is the course's folder whole?"""
    lost = [name for name in FOLDERS if not (root / name).exists()]
    if not lost:
        return Line(OK, "folder", f"{root} is whole", "")
    found = "{} has no {}".format(root, ", ".join(lost))
    return Line(MISSING, "folder", found, "clone the repository again, or unpack the whole zip.")


def path_line(root: str, unlimited: bool) -> Line:
    """Is the folder's path short enough for Windows, with the files of TensorFlow below it?"""
    found = f"the course's folder has a path of {len(root)} characters"
    if unlimited or len(root) <= ROOM:
        return Line(OK, "path", found, "")
    remedy = f"Windows takes 260 in all: move the folder, so that it has at most {ROOM}."
    return Line(NOTE, "path", found, remedy)


def has_long_paths() -> bool:
    """Whether this Windows takes paths of more than 260 characters."""
    import winreg

    key = r"SYSTEM\CurrentControlSet\Control\FileSystem"
    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key) as opened:
            return bool(winreg.QueryValueEx(opened, "LongPathsEnabled")[0])
    except OSError:
        return False


def write_line(root: Path) -> Line:
    """May files be written where runs write them?"""
    for name in WRITTEN:
        try:
            with tempfile.TemporaryFile(dir=str(root / name)):
                pass
        except OSError as error:
            found = f"not in {(root / name).resolve()} ({error.strerror})"
            remedy = "copy the course's folder to where you may write, such as your home folder."
            return Line(MISSING, "writing", found, remedy)
    return Line(OK, "writing", "allowed in the course's folder", "")


def weights_line(root: Path, keras_home: Path) -> Line:
    """Are VGG-19's trained weights on the disk, or the filters that travel with the course?"""
    for folder in (root / "pretrained-model", keras_home / "models"):
        for name in RELEASED:
            if (folder / name).is_file():
                return Line(OK, "weights", f"VGG-19's are at {folder / name}", "")
    if not (root / "pretrained-model" / EMBEDDED).is_file():
        remedy = "get that file again; without it the pictures are less good."
        return Line(MISSING, "weights", f"pretrained-model has no {EMBEDDED}", remedy)
    found = "VGG-19's are not here yet: they are downloaded (80 MB) at the first use"
    return Line(OK, "weights", found, "Without internet the course takes its embedded filters.")


def lines() -> list:
    """All lines, the most likely trouble first."""
    try:
        text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    except OSError:
        return [Line(MISSING, "folder", f"{ROOT} has no requirements.txt", "copy it whole")]
    pythons, packages = wanted(text)
    python = python_line(platform.python_version(), pythons)
    installed = package_lines(packages, {name: installed_version(name) for name in packages})
    cpuinfo = Path("/proc/cpuinfo")
    flags = cpuinfo.read_text() if cpuinfo.exists() and platform.machine() == "x86_64" else ""
    bits = 64 if sys.maxsize > 2**32 else 32
    libc = platform.libc_ver()[0]
    cpu = processor_line(platform.system(), platform.machine(), bits, flags, libc)
    whole = installed[0].state == OK
    home = Path(os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras"))  # noqa: PTH111
    return [
        python, cpu, *(installed if python.state == OK else []),
        *([tensorflow_line()] if whole else []),
        memory_line(free_memory()),
        disk_line(shutil.disk_usage(str(ROOT)).free, SPARE if whole else INSTALLED),
        folder_line(ROOT), *([path_line(str(ROOT), has_long_paths())] if os.name == "nt" else []),
        write_line(ROOT), weights_line(ROOT, home),
    ]  # fmt: skip


def main() -> int:
    missing = 0
    for line in lines():
        remedy = f" -> {line.remedy}" if line.remedy else ""
        text = f"{line.state:7} {line.thing:16} {line.found}{remedy}"
        print(text.encode("ascii", "replace").decode(), flush=True)  # whatever the terminal knows
        missing += line.state == MISSING
    print(f"Missing: {missing}." if missing else "Everything is here.")
    return int(missing > 0)


if __name__ == "__main__":
    sys.exit(main())
