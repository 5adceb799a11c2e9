"""The ways out of a graded notebook, and that the two fences close them."""

from __future__ import annotations

import ctypes
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from classroom import Limits, folder
from classroom.grade import run_loop
from classroom.kernel import Kernel

WAYS_OUT = """import ctypes, json, os, pathlib, shutil, socket, sys
outs, harms, port, mine = %r, %r, %r, pathlib.Path("mine.txt")
ways = {
    "open": lambda p: open(p, "w"), "append": lambda p: open(p, "ab"),
    "os.open": lambda p: os.open(p, os.O_CREAT | os.O_WRONLY),
    "replace": lambda p: mine.replace(p), "copy": lambda p: shutil.copy(mine, p),
    "link": lambda p: os.link(mine, p), "symlink": lambda p: os.symlink(mine.resolve(), p),
    "mkdir": lambda p: os.mkdir(p), "through a link": lambda p: (
        os.symlink(os.path.dirname(p), "way"), open("way/" + os.path.basename(p), "w")),
    "TensorFlow": lambda p: sys.modules["tensorflow"].io.write_file(p, "x"),
    "C": lambda p: ctypes.PyDLL(None, handle=ctypes.pythonapi._handle).open(
        p.encode(), os.O_CREAT | os.O_WRONLY, 0o666),
}
def error_of(way, *arguments):
    try:
        way(*arguments)
    except BaseException as error:
        return type(error).__name__
    return ""
for out in outs:
    for name, way in ways.items():
        mine.write_text("x")
        error_of(way, os.path.join(out, name))
        pathlib.Path("way").unlink(missing_ok=True)
    for name, harm in harms.items():
        p = os.path.join(out, "old", name)
        error_of(exec, harm, globals())
def dial(address):
    with socket.socket() as s:
        s.settimeout(2)
        s.connect(address)
far = ("192.0.2.1", 9)
reached = {
    "a port that listens": error_of(dial, ("127.0.0.1", port)),
    "elsewhere": error_of(dial, far),
    "a datagram": error_of(socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto, b"x", far),
    "a signal": error_of(os.kill, os.getppid(), 0),
}
if os.path.exists("/dev/null"):
    open("/dev/null", "w").close()
    open("/dev/urandom", "rb").read(1)
pathlib.Path("reached.json").write_text(json.dumps(reached))"""
HARMS = {
    "write": "open(p, 'r+').write('y')", "truncate": "os.truncate(p, 0)",
    "rename": "os.rename(p, 'taken')", "remove": "os.unlink(p)",
}  # fmt: skip
MARKS = {  # what Landlock does not refuse
    "chmod": "os.chmod(p, 0o700)", "chown": "os.chown(p, -1, -1)", "utime": "os.utime(p, (0, 0))",
    "setxattr": "os.setxattr(p, 'user.new', b'1')", "removexattr": "os.removexattr(p, 'user.old')",
    "fchmod": "os.chmod(os.open(p, 0), 0o700)", "futime": "os.utime(os.open(p, 0), (0, 0))",
    "dir_fd": "os.utime(os.path.basename(p), (0, 0), dir_fd=os.open(os.path.dirname(p), 0))",
}  # fmt: skip


posix = pytest.mark.skipif(os.name != "posix", reason="the ways out are those of POSIX")


def landlock() -> int:
    """The version by which this Linux can confine a process that has no privileges; 0 if none."""
    if sys.platform != "linux":
        return 0
    size, flag = ctypes.c_size_t(0), ctypes.c_uint(1)
    return max(0, ctypes.CDLL(None).syscall(444, None, size, flag))


class Outside:
    """A teacher's files, in folders that a graded notebook may read, and a port that listens."""

    def __init__(self, *folders: Path):
        self.folders, self.port = folders, socket.create_server(("127.0.0.1", 0))
        self.harms = HARMS | MARKS
        for place in folders:
            (place / "old").mkdir(parents=True)
            for name in HARMS | MARKS:
                path = place / "old" / name
                path.write_text("a teacher's notes")
                try:
                    os.setxattr(path, "user.old", b"1")
                except (AttributeError, OSError):  # neither every system nor every disk has them
                    self.harms = {n: h for n, h in self.harms.items() if "xattr" not in n}
        self.code = WAYS_OUT % (list(map(str, folders)), self.harms, self.port.getsockname()[1])
        self.before = self.states()

    def states(self) -> dict:
        """What each file holds, and when anything about it changed."""
        paths = [f / "old" / name for f in self.folders for name in self.harms]
        return {p: p.exists() and (p.read_bytes(), p.stat().st_ctime_ns) for p in paths}

    def harmed(self) -> set[str]:
        return {p.name for p, state in self.states().items() if state != self.before[p]}

    def new(self) -> set[str]:
        return {path.name for folder in self.folders for path in folder.iterdir()} - {"old"}


@pytest.fixture
def outside(tmp_path, monkeypatch):
    folders, readable = [tmp_path / "outside"], folder.readable_paths()
    if Path("/dev/shm").is_dir():
        folders.append(Path(tempfile.mkdtemp(prefix="nst-test-", dir="/dev/shm")))
    monkeypatch.setattr(folder, "readable_paths", lambda: [*readable, *map(str, folders)])
    outside = Outside(*folders)
    yield outside
    outside.port.close()
    for place in folders:
        shutil.rmtree(place)


@posix
def test_without_the_grader_all_ways_lead_out(outside, tmp_path):
    command = [sys.executable, "-c", "import tensorflow\n" + outside.code]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=120)
    ways = {line.split('"')[1] for line in re.findall('"[^"]+": lambda p', WAYS_OUT)}
    assert len(ways) == 11 and outside.new() == ways
    assert len(outside.harms) >= 10 and outside.harmed() == {*outside.harms}
    reached = json.loads((tmp_path / "reached.json").read_text())
    assert not reached["a port that listens"] and not reached["a signal"]


@posix
@pytest.mark.parametrize("by", ["confine", "guard", "confine and guard"])
def test_what_each_of_the_two_fences_refuses(outside, tmp_path, by):
    """Without a kernel; `tensorflow` is not imported."""
    version = landlock() if "confine" in by else 0
    if by == "confine" and not version:
        pytest.skip("this system has no Landlock")
    place = tmp_path / "nst-kernel"
    place.mkdir()
    folder.prepare_folder(place, Limits())
    calls = "".join(f"fence.{name}(settings)\n" for name in by.split(" and ") if version
                    or name == "guard")  # fmt: skip
    code = f"import ctypes, json, shutil, socket, sys\nsys.path.insert(0, {str(place)!r})\n"
    code += "from kernel_side import fence\n"
    code += f"settings = json.load(open({str(place / 'settings.json')!r}))\n"
    done = subprocess.run(
        [sys.executable, "-c", code + calls + outside.code], cwd=place / "work", timeout=60,
        env=folder.kernel_environment(place), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert outside.new() <= (set() if version else {"C"})
    by_landlock = {*MARKS} | ({"truncate"} if version < 3 else set())
    assert outside.harmed() <= (set() if "guard" in by else by_landlock)
    reached = json.loads((place / "work/reached.json").read_text())
    guarded = "guard" in by
    refused = {name for name, error in reached.items() if error == "PermissionError"}
    assert ("a port that listens" in refused) == (version >= 4)
    assert "elsewhere" in refused or not (guarded or version >= 4)
    assert "a signal" in refused or not (guarded or version >= 6)
    assert "a datagram" in refused or not guarded


@pytest.mark.slow
def test_a_graded_notebook_writes_nothing_outside_its_folder(outside, tmp_path):
    """Where the kernel of the system helps; else Python's audit hooks stop all but two ways."""
    place = tmp_path / "nst-kernel"
    place.mkdir()

    async def probe():
        async with Kernel(place, Limits(cell_seconds=20)) as kernel:
            return await kernel.run(outside.code)

    assert run_loop(probe()) == "" and (place / "work/reached.json").exists()
    assert outside.new() <= (set() if landlock() else {"TensorFlow", "C"})
    assert outside.harmed() == set()
