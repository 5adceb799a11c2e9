"""What the course must not do: reach the network, start programs, run what a file of data says."""

import json
import os
import pickle
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import h5py
import nbformat
import numpy as np
import pytest
import scipy.io
from conftest import ROOT, SOLUTION

import nst_utils

FURTHER = ROOT / "notebooks/going_further.ipynb"
SOURCES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (
        ROOT / "nst_utils.py",
        *sorted((ROOT / "notebooks/checkpoints").glob("*.py")),
        *sorted((ROOT / "notebooks/painter").glob("*.py")),
    )
}
SOURCES |= {
    path.relative_to(ROOT).as_posix(): "\n".join(
        cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"
    )
    for path in sorted((ROOT / "notebooks").rglob("*.ipynb"))
    if ".ipynb_checkpoints" not in path.parts
}

# --- The source ----------------------------------------------------------------------------------

FORBIDDEN = re.compile(
    r"allow_pickle\s*=\s*(?!False)|\b(pickle|dill|joblib|marshal|shelve|subprocess|socket|webbrowser"
    r"|urllib|requests|ctypes|pty)\b|(?<![\w.])(eval|exec|compile|__import__)\s*\(|get_ipython"
    r"|\bos\.(system|popen|exec\w*|spawn\w*|fork|startfile)\b|shell\s*=\s*True|safe_mode|load_model"
    r"|^\s*[!%]",
    re.MULTILINE,
)


def code_of(source: str) -> str:
    """Without comments and docstrings, which may speak of what the code does not do."""
    source = re.sub(r'"""(.|\n)*?"""', '""', source)
    return re.sub(r"(?<=\s)# .*", "", source)


@pytest.mark.parametrize("name", SOURCES)
def test_no_source_reaches_out(name):
    found = [line for line in code_of(SOURCES[name]).splitlines() if FORBIDDEN.search(line)]
    assert not found
    assert len(SOURCES[name]) > 800  # something was read


@pytest.mark.parametrize(
    "line",
    ["np.load(f, allow_pickle=True)", "import pickle", "x = eval(text)", "os.system('ls')", "!ls",
     "subprocess.run(a, shell=True)", "%pip install x", "from socket import *", "os.execvp(a, b)"],
)  # fmt: skip
def test_the_search_finds_what_it_looks_for(line):
    assert FORBIDDEN.search(code_of("x = 1\n" + line))


# --- While the code runs -------------------------------------------------------------------------

AUDIT = """
import json, os, sys, traceback
sys.path[:0] = [".", "notebooks"]
WATCHED = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn",
           "os.fork", "os.startfile", "pty.", "pickle.", "urllib.", "http.", "webbrowser.")
seen = []
def hook(event, args):
    if event.startswith(WATCHED):
        stack = traceback.extract_stack()
        names = [f"{frame.filename}:{frame.name}".replace(os.sep, "/") for frame in stack]
        seen.append([event, str(args), names])
    elif event == "open" and isinstance(args[0], str):
        if set(args[1] or "") & set("wax+") or (args[2] or 0) & (os.O_WRONLY | os.O_RDWR):
            seen.append(["write", os.path.realpath(args[0]), []])
sys.addaudithook(hook)
import nst_utils
names = {"__name__": "__main__"}
for source in json.loads(sys.stdin.read()):
    exec(source, names)
from pathlib import Path
Path("seen.json").write_text(json.dumps(seen))
"""
# Libraries, when they are imported: urllib3 asks whether the machine has IPv6 (it binds no port
# that stays, and listens to none); `platform` asks `uname -p` for the processor's name, and NumPy
# before 2.0 `lscpu`.
HARMLESS = ("urllib3/util/connection.py:_has_ipv6", "/platform.py:from_subprocess",
            "numpy/testing/_private/utils.py:check_support_sve")  # fmt: skip


def harmful(seen: list) -> list:
    return [s for s in seen if s[0] != "write" and not any(n.endswith(HARMLESS) for n in s[2])]


def observed(folder: Path, cells: list[str]) -> tuple[list, list]:
    """Run cells in plain Python, in a copy of the course: (events, files written elsewhere)."""
    import matplotlib

    for name in ("nst_utils.py", "notebooks/checkpoints", "notebooks/painter", "images/content",
                 "images/styles", "images/generated/house_knife.jpg"):  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    for name in ("pretrained-model", "tmp"):
        (folder / name).mkdir()
    # IPython makes its profile where there is none yet, as on a new machine
    places = {name: str(folder / "tmp") for name in ("TMPDIR", "TEMP", "TMP", "IPYTHONDIR")}
    environment = os.environ | places | {"MPLBACKEND": "agg", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", AUDIT],
        input=json.dumps(cells),
        text=True,
        cwd=folder,
        env=environment,
        capture_output=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    seen = json.loads((folder / "seen.json").read_text())
    own = [os.path.realpath(folder), os.path.realpath(matplotlib.get_cachedir()), os.devnull]
    written = [s[1] for s in seen if s[0] == "write" and not s[1].startswith(tuple(own))]
    return harmful(seen), written


def code(path: Path = SOLUTION) -> list[str]:
    return [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]


def test_import_and_first_cells_open_no_port_and_start_nothing(tmp_path):
    events, written = observed(tmp_path, code()[:5])  # up to the first pictures
    assert (events, written) == ([], [])


@pytest.mark.slow
@pytest.mark.parametrize("path, made", [(SOLUTION, "my_own.png"), (FURTHER, "my_making.gif")])
def test_the_notebooks_open_no_port_and_start_nothing(tmp_path, path, made):
    """The student's notebook, when it is solved, has the cells of the solution."""
    events, written = observed(tmp_path, code(path))
    assert (events, written) == ([], [])
    assert (tmp_path / "images/generated" / made).is_file()


def test_the_audit_sees_what_it_looks_for(tmp_path):
    cells = [
        "import socket, subprocess, sys, pickle",
        "s = socket.socket(); s.bind(('127.0.0.1', 0)); s.close()",
        "subprocess.run([sys.executable, '-c', '0'])",
        "pickle.loads(pickle.dumps(socket.socket))",
        f"open({str(tmp_path.parent / 'outside.txt')!r}, 'w').close()",
        "import contextlib, requests",
        "with contextlib.suppress(OSError): requests.get('http://127.0.0.1:9', timeout=5)",
    ]
    script = AUDIT.replace("import nst_utils", "")
    subprocess.run(
        [sys.executable, "-c", script], input=json.dumps(cells), text=True, cwd=tmp_path,
        check=True, timeout=60,
    )  # fmt: skip
    seen = json.loads((tmp_path / "seen.json").read_text())
    wanted = {"socket.bind", "socket.connect", "subprocess.Popen", "pickle.find_class"}
    assert wanted <= {event for event, *_ in harmful(seen)}
    assert "write" in {event for event, *_ in seen}


# --- Files of data -------------------------------------------------------------------------------


class Evil:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def element(kind: int, data: bytes) -> bytes:
    """A piece of a .mat file."""
    return struct.pack("<II", kind, len(data)) + data + b"\0" * (-len(data) % 8)


def matrix(which: int, name: bytes, *parts: bytes) -> bytes:
    flags = element(6, struct.pack("<II", which, 0)) + element(5, struct.pack("<ii", 1, 1))
    return element(14, flags + element(1, name) + b"".join(parts))


@pytest.fixture
def hostile(tmp_path):
    """(where the files are, the mark that none of them may leave)"""
    mark = tmp_path / "executed"
    data = pickle.dumps(Evil(mark))
    evil = np.empty(1, object)
    evil[0] = Evil(mark)
    parts = {"block1_conv1/kernel": evil, "block1_conv1/bias": evil}
    np.savez(tmp_path / "objects.npz", **parts)
    np.save(tmp_path / "npy.npy", evil, allow_pickle=True)
    (tmp_path / "npy.npy").rename(tmp_path / "npy.npz")
    for suffix in ("npz", "mat", "h5"):
        (tmp_path / f"pickle.{suffix}").write_bytes(data)
    head = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H2s", 0x0100, b"IM")
    inner = matrix(4, b"", element(4, "system('touch executed')".encode("utf-16-le")))
    (tmp_path / "function.mat").write_bytes(head + matrix(16, b"layers", inner))
    (tmp_path / "opaque.mat").write_bytes(
        head + matrix(17, b"layers", element(1, b"MCOS"), element(1, b"evil"), inner)
    )
    cell = np.empty((1, 1), object)
    cell[0, 0] = np.frombuffer(data, np.uint8)
    instance = scipy.io.matlab.MatlabObject(np.array([("x",)], [("a", "O")]), "evil")
    scipy.io.savemat(tmp_path / "cells.mat", {"layers": cell})
    scipy.io.savemat(tmp_path / "object.mat", {"layers": instance})
    for name, kind in (
        ("void", np.void(data)),
        ("text", "__import__('os').system('touch executed')"),
    ):
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            file.attrs["model_config"] = json.dumps(
                {"class_name": "Lambda", "config": {"function": data.hex()}}
            )
            for part in ("kernel", "bias"):
                file[f"block1_conv1/{part}"] = kind
    return tmp_path, mark


def test_the_hostile_files_would_do_harm(hostile):
    folder, mark = hostile
    with np.load(folder / "objects.npz", allow_pickle=True) as file:
        assert file["block1_conv1/kernel"] is not None and mark.exists()
    assert scipy.io.loadmat(folder / "function.mat")["layers"] is not None
    assert scipy.io.loadmat(folder / "object.mat")["layers"] is not None
    with h5py.File(folder / "void.h5") as file:
        assert b"touch" in file["block1_conv1/kernel"][()].tobytes()


def test_files_of_data_are_read_as_data_only(hostile, monkeypatch):
    folder, mark = hostile
    monkeypatch.chdir(folder)
    files = sorted(p for p in folder.iterdir() if p.suffix in (".npz", ".mat", ".h5"))
    assert len(files) == 11
    for path in files:
        with pytest.raises(nst_utils.WeightsError) as caught:
            nst_utils.read_weights(path)
        assert path.name in str(caught.value) and "\n" not in str(caught.value), path.name
        assert not mark.exists(), path.name
