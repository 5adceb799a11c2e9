"""For teachers: make the student's notebook, release it, grade what comes back.

    python notebooks/classroom.py student [--check]      the student's notebook from the solution
    python notebooks/classroom.py release OUT_DIR        what students receive, folder and zip
    python notebooks/classroom.py grade SUBMISSIONS --out REPORT_DIR
    python notebooks/classroom.py check FILE             for students: the same for one notebook

How a mark is made: the student's code cells run in a fresh kernel in an empty folder. Then hidden
random inputs are sent to the student's functions there, the raw results come back as a file, and
`checkpoints` judges them in this process. The kernel holds no expected value and no right formula,
so whatever a notebook patches can only lose points. TEACHING.md says what this does not protect.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import base64
import contextlib
import copy
import csv
import errno
import hashlib
import inspect
import io
import json
import logging
import os
import re
import secrets
import shutil
import site
import stat
import sys
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import nbformat
import numpy as np
from nbformat import NotebookNode

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))
import checkpoints  # noqa: E402

NOTEBOOK = "neural_style_transfer.ipynb"
SOLUTION = HERE / "solutions" / NOTEBOOK
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
ANSWERS = "*Your answers here.*"
SKIPPED = {"demo", "goal"}  # tags of given cells that draw, load VGG-19 or train
CHECKPOINTS = Path(checkpoints.__file__).parent
VERSION = b"".join(
    file.read_bytes() for file in (*sorted(CHECKPOINTS.glob("*.py")), Path(__file__))
)
RELEASED = (
    "nst_utils.py",
    "requirements.txt",
    "LICENSE",
    "notebooks/checkpoints",
    "notebooks/classroom.py",
    "notebooks/going_further.ipynb",
    "images/README.md",
    "images/content",
    "images/styles",
    "pretrained-model/README.md",
)


class ClassroomError(Exception):
    """Something that the person at the keyboard can put right; the message says how."""


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; rename it to `path` only if the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name[:60]}.{os.getpid()}.part")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write all of `text`, or nothing."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


# --- The student's notebook ----------------------------------------------------------------------


def student_version(solution: NotebookNode) -> NotebookNode:
    """The solution without its answers: what students receive.

    Outputs are dropped, except those of cells tagged "goal", which show where the course leads.
    Raises ClassroomError if BEGIN SOLUTION and END SOLUTION do not come in pairs.
    """
    student = copy.deepcopy(solution)
    number = 0
    for cell in student.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            answer = ""
            if BEGIN in cell.source:
                number += 1
                names = re.findall(r"^def (\w+)", cell.source, re.MULTILINE)
                answer = f'raise NotImplementedError("Exercise {number}: {names[0]}")'
            cell.source = _without_answer(cell.source, answer)
            cell.execution_count = None
            if "goal" not in cell.metadata.get("tags", []):
                cell.outputs = []
            for output in cell.outputs:
                output.pop("execution_count", None)
                if output.output_type == "execute_result":
                    output.execution_count = None
        else:
            cell.source = _without_answer(cell.source, ANSWERS)
    return student


def _without_answer(source: str, answer: str) -> str:
    """`source` with `answer` in the place of what stands between the markers, markers included."""
    lines, inside = [], False
    for line in source.splitlines():
        if BEGIN in line and not inside:
            inside = True
            lines.append(line[: len(line) - len(line.lstrip())] + answer)
        elif END in line and inside:
            inside = False
        elif BEGIN in line or END in line:
            raise ClassroomError(f"A line '{line.strip()}' has no partner: put BEGIN before END.")
        elif not inside:
            lines.append(line)
    if inside:
        raise ClassroomError(f"A '{BEGIN}' has no '{END}': add it in the solution notebook.")
    return "\n".join(lines)


def student_text() -> str:
    """The bytes of the student's notebook, made from the solution notebook."""
    if not SOLUTION.is_file():
        raise ClassroomError(
            f"{SOLUTION} is missing: only the teacher's copy of the course has it."
        )
    return nbformat.writes(student_version(nbformat.read(SOLUTION, as_version=4))) + "\n"


def command_student(options: argparse.Namespace) -> int:
    """Write the student's notebook, or with --check say whether it is up to date."""
    path, text = HERE / NOTEBOOK, student_text()
    if not options.check:
        write_text(path, text)
        print(f"written: {path}")
        return 0
    if path.is_file() and path.read_bytes() == text.encode():
        return 0
    print(f"{path} differs from the solution: run python notebooks/classroom.py student")
    return 1


# --- What runs in the student's kernel -----------------------------------------------------------
# The source of these functions is written into the kernel's folder. They hold no secret and no
# formula, import what they need themselves, and whatever the notebook does to them costs it points.


def pack(value):
    """Arrays, numbers, text, lists and dicts as plain JSON; everything else becomes None."""
    import base64

    import numpy as np

    if isinstance(value, (np.ndarray, np.generic)):
        if value.dtype.kind not in "fiub":
            return None
        data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        return {"array": [value.dtype.str, list(value.shape), data]}
    if isinstance(value, dict):
        return {"dict": {str(key): pack(item) for key, item in value.items()}}
    if isinstance(value, (list, tuple)):
        return {"list": [pack(item) for item in value]}
    return value if isinstance(value, (str, int, float, bool)) else None


def unpack(value):
    """The reverse of `pack`, for values that may be hostile. Raises ValueError and its like."""
    import base64

    import numpy as np

    if type(value) is not dict:
        if type(value) is list:
            raise ValueError("a bare list")
        return value
    ((kind, content),) = value.items()
    if kind == "dict":
        return {key: unpack(item) for key, item in content.items()}
    if kind == "list":
        return [unpack(item) for item in content]
    dtype, shape, data = content
    if kind != "array" or dtype[1:] not in ("f2", "f4", "f8", "i4", "i8", "u1", "b1", "i1", "i2"):
        raise ValueError(f"{kind} of {dtype}")
    return np.frombuffer(base64.b64decode(data), np.dtype(dtype)).reshape(shape).copy()


def observe_exercise(name: str, folder: str) -> None:
    """Call the student's function `name` on the hidden inputs, and write down what happens."""
    import json
    import pathlib

    import IPython
    from observe import OBSERVERS

    here = pathlib.Path(folder)
    function = IPython.get_ipython().user_ns.get(name)
    facts = {"missing": True}
    if function is not None:
        cases = unpack(json.loads((here / f"{name}.in").read_text()))
        facts = {"facts": [OBSERVERS[name](function, case) for case in cases]}
    (here / f"{name}.out").write_text(json.dumps(pack(facts)))


def confine(settings: dict) -> None:
    """Let Linux itself (Landlock, 5.13 and later) refuse files, connections, signals outside."""
    import ctypes
    import os
    import stat
    import struct

    libc = ctypes.CDLL(None, use_errno=True)
    size, flags = ctypes.c_size_t, ctypes.c_uint
    version = libc.syscall(444, None, size(0), flags(1))
    if version < 1:
        return  # an older Linux: `guard` is all there is
    rights = (1 << {1: 13, 2: 14}.get(version, 15)) - 1  # all that this version knows of files
    rules = struct.pack("QQQ", rights, 2 if version >= 4 else 0, 3 if version >= 6 else 0)
    length = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = libc.syscall(444, rules, size(length), flags(0))
    for key, wanted in (("readable", 0b1101), ("writable", rights)):
        for path in settings[key]:
            handle = os.open(path, os.O_PATH)
            folder = stat.S_ISDIR(os.fstat(handle).st_mode)
            allowed = rights & (wanted if folder else wanted & 0b100000000000111)
            libc.syscall(445, ruleset, 1, struct.pack("=Qi", allowed, handle), flags(0))
            os.close(handle)
    libc.prctl(38, 1, 0, 0, 0)  # no new privileges, which Landlock asks for
    libc.syscall(446, ruleset, flags(0))
    os.close(ruleset)


def guard(settings: dict) -> None:
    """Refuse the same, and new processes, with an audit hook: on every system, if less strictly."""
    import os
    import sys

    realpath, separator, own = os.path.realpath, os.sep, os.getpid()
    roots = {key: [realpath(path) for path in settings[key]] for key in ("readable", "writable")}
    writes = {
        "os." + e for e in ["remove", "rename", "rmdir", "mkdir", "link", "symlink", "truncate"]
    }
    marks = {"os." + e for e in ["chmod", "chown", "utime", "setxattr", "removexattr"]}
    reads = {"os.listdir", "os.scandir", "os.chdir"}
    refused = {
        "os." + e
        for e in ["fork", "forkpty", "exec", "posix_spawn", "spawn", "system", "startfile"]
    }
    refused |= {"subprocess.Popen", "pty.spawn", "ctypes.dlopen", "socket.getaddrinfo"}

    def inside(path, which) -> bool:
        real = realpath(os.fsdecode(path))
        return any(real == root or real.startswith(root + separator) for root in roots[which])

    def hook(event, args):
        if event == "open" and isinstance(args[0], (str, bytes)):
            mode, flags = args[1] or "", args[2] or 0
            change = set(mode) & set("wax+") or flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            bad = not inside(args[0], "writable") and (change or not inside(args[0], "readable"))
        elif event in writes or event in reads:
            paths = [p for p in args if isinstance(p, (str, bytes))]
            bad = any(not inside(p, "writable") for p in paths)
            bad = bad and (event in writes or any(not inside(p, "readable") for p in paths))
        elif event in marks:  # Landlock knows none of them; a number may lead anywhere
            by_number = isinstance(args[0], int) or ("xattr" not in event and args[-1] != -1)
            bad = by_number or not inside(args[0], "writable")
        elif event in ("os.kill", "os.killpg"):
            bad = args[0] != own
        elif event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            bad = isinstance(args[1], tuple) and args[1][0] not in ("127.0.0.1", "::1")
        else:
            bad = event in refused
        if bad:
            raise PermissionError(f"The grader does not allow this here: {event}.")

    sys.addaudithook(hook)


def launch(folder: str) -> None:
    """Start the kernel, with its limits, in the process that this function is called in."""
    import contextlib
    import json
    import pathlib
    import sys

    settings = json.loads((pathlib.Path(folder) / "settings.json").read_text())
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        limits = {"CORE": 0, "FSIZE": settings["file_bytes"], "DATA": settings["memory_bytes"]}
        for name, soft in limits.items():
            if hasattr(resource, "RLIMIT_" + name):
                resource.setrlimit(getattr(resource, "RLIMIT_" + name), (soft, soft))
    if sys.platform == "linux":
        confine(settings)
    import observe  # now: TensorFlow takes some 4 s that are not the student's
    from ipykernel.kernelapp import IPKernelApp

    assert observe.OBSERVERS
    guard(settings)
    IPKernelApp.launch_instance()


KERNEL_SIDE = (pack, unpack, observe_exercise, confine, guard, launch)
KERNEL_SOURCE = "\n\n".join(inspect.getsource(function) for function in KERNEL_SIDE)
STUB = '''"""Stands in while a notebook is graded: nothing is loaded, drawn, painted or checked."""
import tensorflow as tf

FAST = True
STYLE_LAYERS = [(f"block{i}_conv1", 0.2) for i in range(1, 6)]
CONTENT_LAYER = "block4_conv2"


class CheckpointError(AssertionError):
    pass


def load_image(path=None, max_side=None):
    return tf.random.stateless_uniform((1, 32, 24, 3), seed=(1, 2))


def match_shape(image, like):
    return image


def load_vgg19(*args, **options):
    raise RuntimeError("VGG-19 is not loaded while grading")


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return lambda *args, **options: None
'''


# --- One kernel, watched -------------------------------------------------------------------------


@dataclass(frozen=True)
class Limits:
    """What one submission may use; seconds are those of `Kernel.worked`."""

    cell_seconds: float = 30
    seconds: float = 180
    memory_gb: float = 4
    output_mb: float = 20
    file_mb: float = 50  # of the notebook
    facts_mb: float = 64  # of what comes back from one exercise
    processes: int = 8


class KernelFailed(Exception):
    """The grader's own kernel could not start: not the student's fault."""


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
    places += [path for path in sys.path if Path(path) != HERE]
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


# All of /dev would be too much: files in /dev/shm outlive the kernel.
DEVICES = [f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty")]


def prepare_folder(folder: Path, limits: Limits) -> None:
    """Fill the kernel's folder: stand-ins for the course's modules, and the launcher."""
    for name in ("work", "home", "tmp"):
        (folder / name).mkdir()
    for name in ("checkpoints.py", "nst_utils.py"):
        (folder / "work" / name).write_text(STUB, encoding="utf-8")
    shutil.copy(CHECKPOINTS / "observe.py", folder)
    (folder / "kernel_side.py").write_text(KERNEL_SOURCE, encoding="utf-8")
    start = f"import sys\nsys.path.insert(0, {str(folder)!r})\nimport kernel_side\n"
    start += f"kernel_side.launch({str(folder)!r})\n"
    (folder / "start.py").write_text(start, encoding="utf-8")
    settings = {
        "readable": readable_paths(),
        "writable": [os.path.realpath(folder), *(d for d in DEVICES if Path(d).exists())],
        "memory_bytes": int(limits.memory_gb * 1e9),
        "file_bytes": 500_000_000,
    }
    (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    with contextlib.suppress(Exception):  # spares each kernel the search for fonts
        import matplotlib

        for fonts in Path(matplotlib.get_cachedir()).glob("fontlist-*.json"):
            shutil.copy(fonts, folder / "home")


def kill_all(pid: int | None, token: str) -> None:
    """Kill the kernel, its process group, its descendants, and all that carry its token."""
    import psutil

    found = []
    with contextlib.suppress(psutil.Error, TypeError):
        found = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    if pid and hasattr(os, "killpg"):
        with contextlib.suppress(OSError):
            os.killpg(pid, 9)  # the kernel leads its own session
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get("NST_GRADING") == token:
                found.append(process)
    for process in found:
        with contextlib.suppress(psutil.Error):
            process.kill()


class Kernel:
    """A fresh kernel in a folder of its own. `dead` says why it was ended, "" while it lives.

    `worked` is its time: the processor's, and of time that it only waits, a quarter. So a mark
    does not depend on what else the machine is doing.
    """

    def __init__(self, folder: Path, limits: Limits):
        self.folder, self.limits, self.dead = folder, limits, ""
        self.worked = 0.0
        self.cell_end: float | None = None  # when `worked` is above it, the cell is interrupted
        self.late = False  # it was
        self.pid: int | None = None

    async def __aenter__(self) -> Kernel:
        import zmq
        import zmq.asyncio
        from jupyter_client import AsyncKernelManager
        from jupyter_client.kernelspec import KernelSpec, KernelSpecManager

        argv = [sys.executable, str(self.folder / "start.py"), "-f", "{connection_file}",
                "--HistoryManager.enabled=False"]  # fmt: skip

        class Specs(KernelSpecManager):
            def get_kernel_spec(self, name: str) -> KernelSpec:
                return KernelSpec(argv=argv, display_name="grading", language="python")

        prepare_folder(self.folder, self.limits)
        context = zmq.asyncio.Context()
        context.setsockopt(zmq.MAXMSGSIZE, int(self.limits.output_mb * 1e6))
        manager = AsyncKernelManager(
            context=context,
            kernel_spec_manager=Specs(),
            connection_file=str(self.folder / "connection.json"),
        )
        self.client = client_class()(
            nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell()]),
            km=manager,
            timeout=None,  # see `watch`
            startup_timeout=300,
            allow_errors=True,
            log=logging.getLogger("nbclient.quiet"),
        )
        self.client.kernel = self
        self.seen = 0
        self.watcher = asyncio.create_task(self.watch())
        try:
            await self.client.async_start_new_kernel(
                cwd=str(self.folder / "work"),
                env=kernel_environment(self.folder),
                stdout=-3,  # subprocess.DEVNULL
                stderr=-3,
            )
            self.pid = manager.provisioner.pid
            await self.client.async_start_new_kernel_client()
        except Exception as error:
            await self.__aexit__()
            raise KernelFailed(f"the kernel did not start ({error})") from error
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *error) -> None:
        self.watcher.cancel()
        kill_all(self.pid, self.folder.name)
        with contextlib.suppress(Exception):
            if self.client.kc is not None:
                self.client.kc.stop_channels()
            await self.client.km.shutdown_kernel(now=True)
            self.client.km.context.destroy(linger=0)

    async def watch(self) -> None:
        """End the kernel when it ignores an interrupt, or takes too much time or memory."""
        import psutil

        limits, before, busy = self.limits, time.monotonic(), 0.0
        while not self.dead:
            await asyncio.sleep(0.25)
            now, busy_before = time.monotonic(), busy
            if self.pid:
                with contextlib.suppress(psutil.Error):
                    top = psutil.Process(self.pid)
                    family = [top, *top.children(recursive=True)]
                    busy = sum(sum(p.cpu_times()[:2]) for p in family)  # user's and system's
                    if len(family) > limits.processes:
                        self.end("it started too many processes")
                    elif sum(p.memory_info().rss for p in family) > limits.memory_gb * 1e9:
                        self.end(f"it took more than {limits.memory_gb:g} GB of memory")
            took, before = now - before, now
            self.worked += min(took, max(took / 4, busy - busy_before))
            if self.worked > limits.seconds:
                self.end(f"the notebook took more than {limits.seconds:g} s")
            elif self.cell_end and self.worked > self.cell_end + 4:
                self.end(f"it took more than {limits.cell_seconds:g} s and did not stop")
            elif self.cell_end and self.worked > self.cell_end and not self.late:
                self.late = True
                with contextlib.suppress(Exception):  # it has just ended
                    await self.client.km.interrupt_kernel()

    def end(self, reason: str) -> None:
        """Kill the kernel and remember why."""
        self.dead = self.dead or reason
        kill_all(self.pid, self.folder.name)

    async def run(self, source: str) -> str:
        """Run one cell; "" if it worked, else the error in one line."""
        from nbclient.exceptions import DeadKernelError

        if self.dead:
            return self.dead
        cell = nbformat.v4.new_code_cell(source)
        self.error, self.late = "", False
        self.cell_end = self.worked + self.limits.cell_seconds
        work = asyncio.create_task(self.client.async_execute_cell(cell, 0, store_history=False))
        work.add_done_callback(lambda done: done.cancelled() or done.exception())  # so no log line
        try:
            await asyncio.wait({work})  # nbclient itself takes Ctrl-C for the kernel's death
            work.result()
        except DeadKernelError:
            self.dead = self.dead or "it ended the kernel"
        except Exception as error:  # a broken message, for instance
            self.end(f"the kernel sent something unreadable ({type(error).__name__})")
        finally:
            work.cancel()
            self.cell_end = None
        if self.error.startswith("KeyboardInterrupt") and self.late:
            self.error = f"it took more than {self.limits.cell_seconds:g} s and was stopped"
        return self.dead or self.error

    def message(self, content: dict, kind: str) -> bool:
        """Count what a kernel sends, end it when it is too much; True if nbclient may see it."""
        if kind == "error":
            text = f"{content.get('ename')}: {content.get('evalue')}"
            self.error = " ".join(text.split())[:300]
        if kind in ("stream", "display_data", "execute_result", "update_display_data"):
            data = content.get("data")
            parts = data.values() if isinstance(data, dict) else [content.get("text")]
            self.seen += 100 + sum(len(str(part)) for part in parts)
        if self.seen > self.limits.output_mb * 1e6:
            self.end(f"it printed more than {self.limits.output_mb:g} MB")
        return kind == "status"


def client_class() -> type:
    """nbclient's client, which here keeps no output; a late import makes --help quick."""
    from nbclient import NotebookClient

    logging.getLogger("nbclient.quiet").setLevel(logging.CRITICAL + 1)

    class Client(NotebookClient):
        def process_message(self, msg, cell, cell_index):
            if self.kernel.message(msg["content"], msg["msg_type"]):
                return super().process_message(msg, cell, cell_index)
            return None

    return Client


# --- Submissions ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Submission:
    """One student's file. `problem` says why there is none that can be graded."""

    student: str
    number: str  # the id that Canvas or Moodle gave, "" if none
    path: Path
    shown: str  # the path as the teacher knows it
    problem: str = ""

    @property
    def key(self) -> str:
        """A file name of its own for each submission, also when two students share a name."""
        slug = re.sub(r"[^\w-]+", "_", self.student)[:50].strip("_") or "student"
        return f"{slug}-{hashlib.sha256(self.shown.encode()).hexdigest()[:6]}"


MOODLE = re.compile(r"(?P<student>.+?)_(?P<number>\d+)_assignsubmission_")
CANVAS = re.compile(r"(?P<student>[^_]+)_(?:LATE_)?(?P<number>\d+)_\d+_.+")
LISTS = (".csv", ".xls", ".xlsx", ".ods", ".md")  # a teacher's own files beside the submissions
IGNORED = {"__MACOSX", ".ipynb_checkpoints", "timestamp.txt", "Thumbs.db", "desktop.ini"}


def find_submissions(place: Path) -> list[Submission]:
    """One submission a student, in the shapes of Canvas, Moodle, nbgrader, or plain files.

    Raises ClassroomError if `place` holds nothing.
    """
    if place.is_file():
        return [_submission(place, [place], place.parent)]
    base = place / "submitted" if (place / "submitted").is_dir() else place
    found = []
    for entry in sorted(base.iterdir()):
        if entry.name in IGNORED or entry.name.startswith(".") or _is_no_answer(entry, base):
            continue
        inside = [entry]
        if entry.is_dir():
            inside = sorted(p for p in entry.rglob("*") if p.is_file())
            inside = [p for p in inside if not set(p.relative_to(base).parts) & IGNORED]
        found.append(_submission(entry, inside, base))
    if not found:
        raise ClassroomError(f"{place} is empty: expected notebooks, or a folder for each student.")
    return found


def _is_no_answer(entry: Path, base: Path) -> bool:
    """A list of the teacher's, or the text field of Moodle beside the files of the same student."""
    match = MOODLE.match(entry.name)
    if not match:
        return entry.is_file() and entry.suffix.lower() in LISTS and not CANVAS.match(entry.name)
    start = f"{match['student']}_{match['number']}_assignsubmission_file"
    text = "_assignsubmission_onlinetext" in entry.name
    return text and any(other.name.startswith(start) for other in base.iterdir())


def _submission(entry: Path, files: list[Path], base: Path) -> Submission:
    """The notebook among a student's files: the one that defines most exercises."""
    match = MOODLE.match(entry.name) or CANVAS.match(entry.name)
    student = match["student"] if match else entry.name if entry.is_dir() else entry.stem
    number = match["number"] if match else ""
    likely = [p for p in files if re.search(r"\.(ipynb|json)(\.txt)?$", p.name.lower())] or files
    likely = [p for p in likely if not p.is_symlink() and not p.name.startswith(".")]
    if not likely:
        return Submission(student, number, entry, entry.name, "there is no file in this folder")
    best = max(likely, key=lambda p: (*_exercises_in(p), -len(p.parts)))  # a tie: the outer one
    return Submission(student, number, best, best.relative_to(base).as_posix())


def _exercises_in(path: Path) -> tuple[int, int]:
    """How many exercises a file seems to solve, and to define, from its first 2 MB."""
    with contextlib.suppress(OSError), path.open("rb") as stream:
        text = stream.read(2_000_000)
        defined = sum(f"def {name}(".encode() in text for name in checkpoints.EXERCISES)
        return defined - text.count(b"raise NotImplementedError("), defined
    return -99, 0


@contextlib.contextmanager
def unpacked(place: Path, out: Path | None = None) -> Iterator[Path]:
    """The folder of submissions; zips, it and those in it, are unpacked into a temporary one.

    `out`, the folder of reports, may be inside: it is no submission. Raises ClassroomError if
    `place` does not exist, is damaged, or unpacks to more than 20 GB.
    """
    if not place.exists():
        raise ClassroomError(
            f"{place} does not exist: give the folder or zip with the submissions."
        )
    whole = place.is_file() and place.suffix.lower() == ".zip"
    reports = out and out.resolve()
    inside = place.rglob("*") if place.is_dir() else ()
    if not whole and not any(_is_zip(p) and reports not in p.resolve().parents for p in inside):
        yield place
        return
    with tempfile.TemporaryDirectory(prefix="nst-unpacked-", ignore_cleanup_errors=True) as name:
        folder, left = Path(name) / "submissions", 20e9
        if whole:
            left -= _extract(place, folder, left)
            entries = [p for p in folder.iterdir() if p.name not in IGNORED]
            if len(entries) == 1 and entries[0].is_dir() and not MOODLE.match(entries[0].name):
                folder = entries[0]
        else:
            _copy(place, folder, reports)
        for path in filter(_is_zip, sorted(folder.rglob("*"))):
            fresh, into = path.with_name(f".{path.name}.unpacked"), path.with_suffix("")
            with contextlib.suppress(ClassroomError):  # a damaged one stays, to be reported
                left -= _extract(path, fresh, min(1e9, left))
                path.unlink()
                fresh.replace(path if into.exists() else into)
        yield folder


def _is_zip(path: Path) -> bool:
    hidden = path.name.startswith(".") or IGNORED & set(path.parts)
    return path.suffix.lower() == ".zip" and path.is_file() and not path.is_symlink() and not hidden


def _copy(place: Path, folder: Path, reports: Path | None) -> None:
    """Copy submissions, without the reports; what cannot be read becomes an empty file."""

    def left_out(parent: str, names: list[str]) -> list[str]:
        paths = [Path(parent, name) for name in names]
        return [p.name for p in paths if p.resolve() == reports or (p.is_symlink() and p.is_file())]

    def copy(source: str, target: str) -> None:
        try:
            shutil.copyfile(source, target)
        except OSError as error:  # a pipe, no permission
            if error.errno == errno.ENOSPC:
                raise
            Path(target).touch()

    try:
        shutil.copytree(place, folder, copy_function=copy, ignore=left_out)
    except shutil.Error as error:  # all that went wrong: a link to nowhere, a folder that is shut
        if any("No space left" in str(problem) for problem in error.args[0]):
            raise ClassroomError(f"the disk is full: {folder.parent} needs more room.") from error


def _extract(path: Path, into: Path, limit: float) -> int:
    """Unpack a zip into a new folder, all of it or nothing; give its bytes. Raises ClassroomError.

    A disk that is full is an OSError: it is not the fault of the zip.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            items = archive.infolist()
            size = sum(item.file_size for item in items)
            if size > limit or len(items) > 100_000:
                raise ClassroomError(
                    f"{path} unpacks to more than {limit / 1e9:.0f} GB: unpack it by hand."
                )
            archive.extractall(into)
            return size
    except ClassroomError:
        raise
    except Exception as error:  # a hostile zip raises nearly everything
        shutil.rmtree(into, ignore_errors=True)
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise
        raise ClassroomError(f"{path} is no readable zip ({error}): pack it again.") from error


def read_notebook(path: Path, limits: Limits) -> NotebookNode:
    """A notebook of any version as version 4. Raises ClassroomError with the reason."""
    try:
        size = path.stat().st_size
        if size > limits.file_mb * 1e6:
            raise ClassroomError(
                f"the file has {size / 1e6:.0f} MB, more than {limits.file_mb:g}: "
                "clear the outputs (Edit, Clear Outputs of All Cells) and hand it in again"
            )
        data = path.read_bytes()
        if data.startswith(b"PK"):
            raise ClassroomError(
                "it is a zip, or a kind of one like .docx: hand in the .ipynb file"
            )
        raw = json.loads(data.decode("utf-8-sig"))
        if not isinstance(raw, dict) or not ("cells" in raw or "worksheets" in raw):
            raise ClassroomError("it is not a Jupyter notebook: hand in the .ipynb file")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            logging.getLogger("traitlets").setLevel(logging.CRITICAL)
            notebook = nbformat.reads(json.dumps(raw), as_version=4)
        for cell in notebook.cells:
            if not isinstance(cell.source, str) or cell.cell_type not in (
                "code",
                "markdown",
                "raw",
            ):
                raise ClassroomError("a cell is damaged: open and save it in Jupyter")
        return notebook
    except ClassroomError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:100]}"
        says = f"it cannot be read as a notebook ({reason}): hand in the .ipynb file as saved"
        raise ClassroomError(says) from None


# --- Grading one submission ----------------------------------------------------------------------


def given_notebook() -> NotebookNode:
    """The notebook that students received: made from the solution, or the file beside this one."""
    if SOLUTION.is_file():
        return student_version(nbformat.read(SOLUTION, as_version=4))
    if (HERE / NOTEBOOK).is_file():
        return nbformat.read(HERE / NOTEBOOK, as_version=4)
    raise ClassroomError(f"{HERE / NOTEBOOK} is missing: it is needed to know the given cells.")


@dataclass
class Given:
    """What students received, as the grader needs it."""

    skipped: set[str] = field(default_factory=set)  # cells that need not run
    known: set[str] = field(default_factory=set)  # all given code cells
    prelude: list[str] = field(default_factory=list)  # given cells that exercises may rely on
    stubs: set[str] = field(default_factory=set)  # the exercises as they were handed out
    pictures: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, notebook: NotebookNode) -> Given:
        """Sort the given cells; one marked as an exercise is not among them."""
        given = cls()
        for cell in notebook.cells:
            if cell.cell_type != "code":
                continue
            about, source = cell.metadata.get("nbgrader", {}), cell.source.strip()
            given.pictures.update(_pictures(cell))
            if about.get("solution"):
                given.stubs.add(source)
                continue
            given.known.add(source)
            if about.get("grade"):
                given.skipped.add(source)
            elif SKIPPED & set(cell.metadata.get("tags", [])):
                given.skipped.add(source)
                given.prelude.append("\n".join(_definitions(cell.source)))
            else:
                given.prelude.append(cell.source)
        return given


def _parse(source: str) -> ast.Module:
    """The syntax tree of a cell as IPython runs it; empty if it does not run as Python."""
    from IPython.core.inputtransformer2 import TransformerManager

    first, _, rest = source.lstrip().partition("\n")
    if first.startswith("%%"):
        if not re.match(r"%%(time|timeit|capture|prun)\b", first):
            return ast.Module([], [])
        source = rest
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            return ast.parse(TransformerManager().transform_cell(source))
    return ast.Module([], [])


def _definitions(source: str) -> list[str]:
    """Imports, functions, classes, and assignments that call nothing, up to a `raise`."""
    kept = []
    with contextlib.suppress(RecursionError):
        for node in _parse(source).body:
            if isinstance(node, ast.Raise):
                break
            plain = isinstance(node, (ast.Assign, ast.AnnAssign))
            if plain and not isinstance(node.value, ast.Lambda):
                plain = not any(isinstance(part, ast.Call) for part in ast.walk(node))
            kinds = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
            if plain or isinstance(node, kinds):
                kept.append(ast.unparse(node))
    return kept


def _only_definitions(source: str) -> str:
    """What of a cell to run when all of it may not run again; "" if that is the same."""
    kept = "\n".join(_definitions(source))
    return "" if kept == source else kept


def _pictures(cell: NotebookNode) -> list[str]:
    """The PNG and JPEG pictures among the outputs of a cell, up to 5 MB each, for a data URI."""
    found = []
    for output in cell.get("outputs", []):
        data = output.get("data", {}) if isinstance(output, dict) else {}
        for kind, start in (("image/png", "iVBORw0KGgo"), ("image/jpeg", "/9j/")):
            text = data.get(kind, "") if isinstance(data, dict) else ""
            text = "".join((text if isinstance(text, str) else "").split())
            if text.startswith(start) and len(text) < 7_000_000:
                with contextlib.suppress(ValueError):
                    base64.b64decode(text, validate=True)
                    found.append(f"{kind};base64,{text}")
    return found


MODULES = {"np", "numpy", "tf", "tensorflow", "keras", "checkpoints", "nst_utils", "builtins"}
MODULES |= {"__builtins__", "json", "os", "sys", "IPython", "inspect"}
BUILTINS = {"isinstance", "print", "exec", "open", "abs", "len", "type", "callable", "getattr"}
REACHING = re.compile(
    r"\b(atexit|os\._exit|sys\.modules|sys\.exit|subprocess|ctypes|addaudithook|settrace|os\.fork"
    r"|events\.register|set_custom_exc|gc\.get_\w+|inspect\.stack|_getframe)\b|/proc/"
)


def tampering(source: str) -> list[str]:
    """What in a cell replaces parts of libraries or reaches out of the notebook, in words."""
    found = [f"uses {match[0]}" for match in REACHING.finditer(source)]
    with contextlib.suppress(RecursionError):
        for node in ast.walk(_parse(source)):
            targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
            for target in targets:
                for part in ast.walk(target) if isinstance(target, ast.AST) else ():
                    if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store):
                        root = ast.unparse(part)
                        if root.split(".")[0] in MODULES:
                            found.append(f"replaces {root}")
                    elif isinstance(part, ast.Name) and part.id in BUILTINS:
                        found.append(f"replaces {part.id}")
            if isinstance(node, ast.FunctionDef) and node.name in BUILTINS:
                found.append(f"replaces {node.name}")
            changes = isinstance(node, ast.Call) and ast.unparse(node.func) in (
                "setattr",
                "delattr",
            )
            if changes and node.args and ast.unparse(node.args[0]).split(".")[0] in MODULES:
                found.append(f"replaces parts of {ast.unparse(node.args[0])}")
    return sorted(set(found))


@dataclass
class Run:
    """What happened in one kernel."""

    facts: dict = field(default_factory=dict)  # exercise -> observations
    problems: dict = field(default_factory=dict)  # cell number -> what went wrong
    lost: dict = field(default_factory=dict)  # exercise -> why nothing came back
    costly: set = field(default_factory=set)  # cells that were stopped, or ended the kernel
    died: bool = False  # the kernel was ended, so that something may not have run
    worked: float = 0  # seconds


async def run_once(cells: list, cases: dict, given: Given, limits: Limits, done: set) -> Run:
    """Run prelude, cells and exercises in a fresh kernel; stop where the kernel ends."""
    run, half = Run(), 0.6 * limits.seconds
    with tempfile.TemporaryDirectory(prefix="nst-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        async with Kernel(folder, limits) as kernel:
            await kernel.run(
                "get_ipython().ask_exit = lambda: None"
            )  # exit() and quit() do nothing
            for source in filter(str.strip, given.prelude):
                await kernel.run(source)
            for number, source in cells:
                if kernel.dead:
                    break
                if kernel.worked > half and not re.search(r"^def ", source, re.MULTILINE):
                    run.problems[number] = "it did not run: the time was used up before"
                else:
                    await run_cell(kernel, number, source, run)
            for exercise in cases:
                if exercise in done or kernel.dead:
                    continue
                (folder / f"{exercise}.in").write_text(json.dumps(pack(cases[exercise])))
                start = f"import kernel_side as _observe; _observe.observe_exercise({exercise!r}, "
                if problem := await kernel.run(start + f"{str(folder)!r})"):
                    run.lost[exercise] = problem
                else:
                    run.facts[exercise] = None
            run.worked, run.died = kernel.worked, bool(kernel.dead)
        for exercise in run.facts:  # read only now, when nothing of the student's runs any more
            run.facts[exercise] = read_facts(folder / f"{exercise}.out", limits)
    return run


async def run_cell(kernel: Kernel, number: int, source: str, run: Run) -> None:
    """Run a cell and note what went wrong; a line that fails must not hide the functions below."""
    problem, stopped = await kernel.run(source), kernel.late
    if problem:
        run.problems[number] = problem
        for part in _definitions(source):  # one by one: an import may be what failed
            await kernel.run(part)
    if stopped or kernel.dead:
        run.costly.add(number)


def read_facts(path: Path, limits: Limits) -> object:
    """What the kernel wrote: {"missing": True} or {"facts": [...]}; None if it is neither."""
    try:
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        handle = os.open(path, flags)
        with os.fdopen(handle, "rb") as stream:
            about = os.fstat(handle)
            if not stat.S_ISREG(about.st_mode) or about.st_size > limits.facts_mb * 1e6:
                return None
            facts = unpack(json.loads(stream.read(int(limits.facts_mb * 1e6))))
        return facts if isinstance(facts, dict) else None
    except Exception:  # whatever a hostile file can raise: there are no facts then
        return None


async def grade_notebook(notebook: NotebookNode, given: Given, limits: Limits, seed: int) -> dict:
    """Run the student's cells, ask their functions, judge the answers here."""
    rng = np.random.default_rng(seed)
    cases = {name: exercise.cases(rng) for name, exercise in checkpoints.REGISTRY.items()}
    code = [(n, c) for n, c in enumerate(notebook.cells, 1) if c.cell_type == "code"]
    cells = [
        (n, c.source) for n, c in code if c.source.strip() and c.source.strip() not in given.skipped
    ]
    cells = [(n, s) for n, s in cells if s.strip() not in given.known or _definitions(s)]
    cells = _without_stubs(cells, given)
    left, todo = limits.seconds, cells
    facts, problems, lost = {}, {}, {}
    for _ in range(5):  # again after the kernel was ended, without what did that or took long
        few = Limits(**asdict(limits) | {"seconds": left})
        run = await run_once(todo, cases, given, few, {*facts, *lost})
        problems = run.problems | problems  # the first one says most
        lost.update(run.lost)
        facts.update(run.facts)
        todo = [(n, _only_definitions(s) if n in run.costly else s) for n, s in todo]
        left -= run.worked
        if not run.died or {*facts, *lost}.issuperset(cases) or left < 10:
            break
    verdicts = {}
    for name, exercise in checkpoints.REGISTRY.items():
        why = _why_nothing(name, facts.get(name), lost.get(name), cells, problems, given)
        if why:
            verdicts[name] = asdict(
                checkpoints.Verdict(name, 0, exercise.points, why, mistake="not-run")
            )
        else:
            answers = facts[name]["facts"]
            verdicts[name] = asdict(await asyncio.to_thread(exercise.judge, cases[name], answers))
    notes = [
        f"Cell {n}: {problem}" for n, problem in sorted(problems.items())
        if dict(cells)[n].strip() not in given.known and "NotImplementedError" not in problem
    ]  # fmt: skip
    changed = {n: tampering(source) for n, source in cells if source.strip() not in given.known}
    tampered = [f"Cell {n} {what}" for n, found in changed.items() for what in found]
    return {"verdicts": verdicts, "notes": notes[:12], "tampering": tampered[:12]}


def _without_stubs(cells: list, given: Given) -> list:
    """Leave out exercises as handed out that another cell solves: the answer may stand above."""

    def defined(source: str) -> set[str]:
        body = _parse(source).body
        names = [node.name for node in body if isinstance(node, ast.FunctionDef)]
        targets = [t for node in body if isinstance(node, ast.Assign) for t in node.targets]
        names += [target.id for target in targets if isinstance(target, ast.Name)]
        return checkpoints.EXERCISES.keys() & names

    own = [defined(source) for _, source in cells if source.strip() not in given.stubs]
    solved = set().union(*own)
    return [(n, s) for n, s in cells if s.strip() not in given.stubs or defined(s) - solved]


def _why_nothing(name: str, facts, lost, cells: list, problems: dict, given: Given) -> str:
    """Why there is nothing to judge, in words for the student; "" if there is."""
    if lost:
        return f"Calling {name} gave no result: {lost}."
    if facts and type(facts.get("facts")) is list:
        return ""
    if facts and facts.get("missing") is True:
        for number, source in reversed(cells):
            if re.search(rf"^\s*def\s+{name}\b", source, re.MULTILINE) and number in problems:
                return f"Cell {number}, which defines {name}, did not run: {problems[number]}."
        return f"There is no function {name} in this notebook."
    return f"Nothing came back from {name} that can be judged: the notebook ended the kernel."


async def grade_submission(entry: Submission, given: Given, limits: Limits, seed: int) -> dict:
    """Everything about one submission; a reason in place of marks where there can be none."""
    start = time.monotonic()
    result = {
        "student": entry.student,
        "number": entry.number,
        "file": entry.shown,
        "status": "graded",
        "reason": entry.problem,
        "seed": seed,
        "verdicts": {},
        "notes": [],
        "tampering": [],
        "picture": "",
    }
    try:
        if entry.problem:
            raise ClassroomError(entry.problem)
        notebook = read_notebook(entry.path, limits)
        pictures = [p for c in notebook.cells for p in _pictures(c) if p not in given.pictures]
        result["picture"] = pictures[-1] if pictures else ""
        result.update(await grade_notebook(notebook, given, limits, seed))
    except ClassroomError as error:
        result.update(status="refused", reason=str(error))
    except KernelFailed as error:
        result.update(
            status="failed", reason=f"{error}; this is not the student's fault: run again"
        )
    except Exception as error:  # a fault of ours must not stop the class
        result.update(status="failed", reason=f"the grader failed: {type(error).__name__}: {error}")
    result["points"] = {
        n: result["verdicts"].get(n, {}).get("points", 0) for n in checkpoints.EXERCISES
    }
    result["total"] = sum(result["points"].values())
    result["seconds"] = round(time.monotonic() - start, 1)
    return result


# --- Grading a class -----------------------------------------------------------------------------


def fingerprint(entry: Submission, limits: Limits, seed: int | None) -> str:
    """Changes when the file, the checkpoints, the limits or the asked-for seed change."""
    digest = hashlib.sha256(VERSION)
    digest.update(repr((entry.shown, entry.problem, limits, seed)).encode())
    with contextlib.suppress(OSError), entry.path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


async def grade_all(
    entries: list[Submission], out: Path, limits: Limits, jobs: int, seed: int | None
) -> list[dict]:
    """Grade what is not graded yet, `jobs` at a time; each result is kept at once."""
    from tqdm import tqdm

    given, gate, results = Given.read(given_notebook()), asyncio.Semaphore(jobs), {}
    bar = tqdm(total=len(entries), desc="grading", unit="notebook", dynamic_ncols=True)

    async def one(entry: Submission) -> None:
        kept = out / "graded" / f"{entry.key}.json"
        key = fingerprint(entry, limits, seed)
        with contextlib.suppress(OSError, ValueError):
            old = json.loads(kept.read_text(encoding="utf-8"))
            if old.get("key") == key and old["status"] != "failed":
                results[entry] = old
        if entry not in results:
            async with gate:
                chosen = secrets.randbits(32) if seed is None else seed
                result = await grade_submission(entry, given, limits, chosen)
            result["key"] = key
            write_text(kept, json.dumps(result, ensure_ascii=False, indent=1))
            results[entry] = result
        bar.update()

    try:
        await asyncio.gather(*(one(entry) for entry in entries))
    finally:
        bar.close()
    return [results[entry] | {"page": f"feedback/{entry.key}.html"} for entry in entries]


def run_loop(work) -> object:
    """Run a coroutine on an event loop that also suits ZeroMQ on Windows."""
    if sys.version_info < (3, 11):  # which has no Runner
        if sys.platform == "win32":
            asyncio.set_event_loop_policy(asyncio.WindowsSelectorEventLoopPolicy())
        return asyncio.run(work)
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        return runner.run(work)


# --- Reports -------------------------------------------------------------------------------------

STYLE = """<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ccc;padding:.3rem .6rem;
text-align:left;vertical-align:top}td.n{text-align:right}img{max-width:100%}
.right{color:#17643b}.wrong{color:#9a3412}code{background:#eee}.note{background:#fff4d6;padding:.6rem}
</style>"""
PAGE = """<!doctype html><html lang="en"><title>{{ r.student }}</title>{{ style|safe }}
<h1>{{ r.student }}: {{ r.total }} of 100 points</h1>
{% if r.reason %}<p class="note"><b>Not graded:</b> {{ r.reason }}.</p>{% endif %}
{% for name, v in r.verdicts.items() %}
<h2 class="{{ 'wrong' if v.mistake else 'right' }}">Exercise {{ loop.index }}:
<code>{{ name }}</code>, {{ v.points }} of {{ v.possible }}</h2>
{% if not v.mistake %}<p>Right.</p>{% else %}<p>{{ v.diagnosis }}</p>
{% if v.expected %}<p>Expected: {{ v.expected }}<br>Got: {{ v.got }}</p>{% endif %}
{% if v.hint %}<p>Read {{ v.hint }} again.</p>{% endif %}{% endif %}{% endfor %}
{% if r.tampering %}<p class="note">This notebook changes libraries, or reaches out of itself. That
has no effect on the points, which are given outside of the notebook.<br>
{% for line in r.tampering %}{{ line }}<br>{% endfor %}</p>{% endif %}
{% if r.notes %}<h2>Cells that did not run in the grader</h2><p>They cost no points as such. Cells
that load VGG-19 or paint are not expected to run here.</p><ul>
{% for line in r.notes %}<li>{{ line }}</li>{% endfor %}</ul>{% endif %}
{% if r.picture %}<h2>Your picture</h2><img alt="the last picture in the notebook"
src="data:{{ r.picture }}">{% endif %}
<p><small>File {{ r.file }}; to get the same hidden inputs: <code>classroom.py check FILE --seed
{{ r.seed }}</code></small></p></html>"""
SUMMARY = """<!doctype html><html lang="en"><title>The class</title>{{ style|safe }}
<h1>The class: {{ graded|length }} graded, {{ rest|length }} not</h1>
<p>Mean {{ '%.0f' % mean }} of 100 points.</p><img alt="points per exercise" src="summary.png">
<h2>What to explain again</h2><table><tr><th>students<th>exercise<th>what the checkpoint said
{% for count, name, says in mistakes %}<tr><td class="n">{{ count }}<td>{{ name }}<td>{{ says }}
{% endfor %}</table>
{% if rest %}<h2>Not graded</h2><table>{% for r in rest %}<tr><td>{{ r.student }}<td>{{ r.file }}
<td>{{ r.reason }}{% endfor %}</table>{% endif %}
<h2>All</h2><table><tr><th>student{% for name in names %}<th>{{ name }}{% endfor %}<th>total
{% for r in results %}<tr><td><a href="{{ r.page|urlencode }}">{{ r.student }}</a>
{% if r.tampering %}(see the note){% endif %}
{% for name in names %}<td class="n">{{ r.points[name] }}{% endfor %}<td class="n">{{ r.total }}
{% endfor %}</table></html>"""


def common_mistakes(results: list[dict]) -> list[tuple[int, str, str]]:
    """(how many students, exercise, a sentence), the commonest first."""
    wrong = [v for r in results for v in r["verdicts"].values() if v["mistake"]]
    counts = Counter((v["exercise"], v["mistake"]) for v in wrong)
    says = {(v["exercise"], v["mistake"]): v["diagnosis"] for v in wrong}
    return [(n, key[0], says[key]) for key, n in counts.most_common(12)]


def write_reports(results: list[dict], out: Path) -> None:
    """grades.csv, a page for each student, and the summary of the class."""
    import jinja2

    environment = jinja2.Environment(autoescape=True)
    names = list(checkpoints.EXERCISES)
    page = environment.from_string(PAGE)
    pages = {out / result["page"] for result in results}
    for path in set((out / "feedback").glob("*.html")) - pages:  # of a file handed in before
        (out / "feedback-old").mkdir(exist_ok=True)
        path.replace(out / "feedback-old" / path.name)
    for result in results:
        write_text(out / result["page"], page.render(r=result, style=STYLE))
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["student", "id", "file", *names, "total", "status", "diagnosis", "seed"])
    for r in results:
        says = [r["reason"], *(v["diagnosis"] for v in r["verdicts"].values()), *r["tampering"]]
        row = [r["student"], r["number"], r["file"], *r["points"].values(), r["total"], r["status"]]
        row += [" | ".join(text for text in says if text), r["seed"]]
        writer.writerow([_plain(item) for item in row])
    write_text(out / "grades.csv", "\ufeff" + table.getvalue())  # the mark tells Excel: UTF-8
    graded = [r for r in results if r["status"] == "graded"]
    values = {
        "results": results,
        "graded": graded,
        "rest": [r for r in results if r["status"] != "graded"],
        "names": names,
        "mean": float(np.mean([r["total"] for r in graded])) if graded else 0.0,
        "mistakes": common_mistakes(graded),
        "style": STYLE,
    }
    draw_summary(graded, out / "summary.png")
    write_text(out / "summary.html", environment.from_string(SUMMARY).render(**values))


def _plain(item: object) -> object:
    """Text that a spreadsheet does not take for a formula."""
    return "'" + item if isinstance(item, str) and item[:1] in ("=", "+", "-", "@", "\t") else item


def draw_summary(graded: list[dict], path: Path) -> None:
    """Points per exercise: how many students got nothing, a part, all."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.5), layout="constrained")
    axes, left = figure.subplots(), np.zeros(len(checkpoints.EXERCISES))
    shares = np.array(
        [[r["points"][n] / p for r in graded] for n, p in checkpoints.EXERCISES.items()]
    ).reshape(len(left), -1)
    groups = {
        "all points": (shares == 1, "#2a7f62"),
        "some": ((shares > 0) & (shares < 1), "#e9b44c"),
        "none": (shares == 0, "#b2432f"),
    }
    for label, (which, colour) in groups.items():
        count = which.sum(axis=1)
        bars = axes.barh(list(checkpoints.EXERCISES), count, left=left, label=label, color=colour)
        axes.bar_label(bars, [str(n) if n else "" for n in count], label_type="center")
        left = left + count
    axes.invert_yaxis()
    axes.set_xlabel("students")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper right", ncols=3, frameon=False)
    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)


# --- The command line ----------------------------------------------------------------------------


def command_release(options: argparse.Namespace) -> int:
    """Copy what students need into a folder and a zip, and make sure that no answer is in it."""
    target = options.out / "neural-style-transfer"
    archive = options.out / "neural-style-transfer.zip"
    text = student_text()
    with tempfile.TemporaryDirectory(prefix="nst-release-") as name:
        folder = Path(name) / target.name
        shown = re.findall(r'"(images/generated/(?!my_)[^"]+)"', text.replace('\\"', '"'))
        extra = weight_files() if options.with_weights else []
        for item in (*RELEASED, *shown, *extra):
            source = ROOT / item
            if source.is_dir():
                code = [] if source == CHECKPOINTS else ["*.py"]
                copy_kinds = shutil.ignore_patterns(".*", "__pycache__", *code)
                shutil.copytree(source, folder / item, ignore=copy_kinds)
            elif source.is_file():
                (folder / item).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, folder / item)
        write_text(folder / "notebooks" / NOTEBOOK, text)
        leaks = find_leaks(folder)
        if leaks:
            raise ClassroomError(f"a line of the solution is in {leaks[0]}: take it out first.")
        if target.exists() and not (target / "notebooks" / "classroom.py").is_file():
            raise ClassroomError(f"{target} is something else: choose another OUT_DIR.")
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(folder, target)
        with whole_file(archive) as temporary, zipfile.ZipFile(temporary, "w", 8) as packed:
            for path in sorted(p for p in folder.rglob("*") if p.is_file()):
                packed.write(path, path.relative_to(folder.parent))
    print(f"written: {target} and {archive.name}")
    return 0


def weight_files() -> list[str]:
    """Weights of VGG-19 in pretrained-model/; fits to pictures are quick to make again."""
    files = [p for p in (ROOT / "pretrained-model").glob("*") if not p.name.startswith("kmeans-")]
    return [f"pretrained-model/{p.name}" for p in files if p.suffix in (".h5", ".mat", ".npz")]


def solution_lines() -> set[str]:
    """The lines between the markers, without those that any TensorFlow program has."""
    lines, common = set(), {"with tf.GradientTape() as tape:"}
    for cell in nbformat.read(SOLUTION, as_version=4).cells:
        for part in re.findall(f"{BEGIN}(.*?){END}", cell.source, re.DOTALL):
            found = [line.strip() for line in part.splitlines()]
            lines.update(line for line in found if len(line) > 12 and not line.startswith("**"))
    return lines - common


def find_leaks(folder: Path) -> list[str]:
    """Released files with a whole line of a solution in them, in code, text or outputs."""
    answers, leaks = solution_lines(), []
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".ipynb":
            cells = nbformat.read(path, as_version=4).cells
            text = "\n".join(c.source + "\n" + _output_text(c) for c in cells)
        elif path.suffix in (".py", ".md", ".txt"):
            text = path.read_text(encoding="utf-8")
        else:
            continue
        if answers & {line.strip() for line in text.splitlines()}:
            leaks.append(path.relative_to(folder).as_posix())
    return leaks


def _output_text(cell: NotebookNode) -> str:
    """All text in the outputs of a cell."""
    outputs = cell.get("outputs", [])
    texts = [o.get("text", "") for o in outputs]
    texts += [str(v) for o in outputs for k, v in o.get("data", {}).items() if "image" not in k]
    return "\n".join(texts)


def command_grade(options: argparse.Namespace) -> int:
    """Grade a class; exit code 1 if a submission could not be graded."""
    options.out.mkdir(parents=True, exist_ok=True)
    with unpacked(options.submissions, options.out) as place:
        entries = [e for e in find_submissions(place) if options.out.resolve() not in
                   (e.path.resolve(), *e.path.resolve().parents)]  # fmt: skip
        limits, seed = read_limits(options), options.seed
        results = run_loop(grade_all(entries, options.out, limits, options.jobs, seed))
    write_reports(results, options.out)
    rest = [r for r in results if r["status"] != "graded"]
    print(f"{len(results) - len(rest)} graded, {len(rest)} not: see {options.out / 'summary.html'}")
    for result in rest:
        print(f"  {result['student']} ({result['file']}): {result['reason']}")
    return 1 if rest else 0


def command_check(options: argparse.Namespace) -> int:
    """Grade one notebook and print the result; exit code 1 if it could not be graded."""
    if not options.file.is_file():
        raise ClassroomError(f"{options.file} does not exist: give the path of your notebook.")
    given = Given.read(given_notebook())
    seed = secrets.randbits(32) if options.seed is None else options.seed
    entry = Submission(options.file.stem, "", options.file, options.file.name)
    r = run_loop(grade_submission(entry, given, read_limits(options), seed))
    if r["reason"]:
        print(f"Not graded: {r['reason']}")
        return 1
    for verdict in r["verdicts"].values():
        print(checkpoints.explain(checkpoints.Verdict(**verdict)).replace("  Read  again.", ""))
    for line in (*r["tampering"], *r["notes"]):
        print(f"note: {line}")
    print(f"{r['total']} of 100 points (--seed {seed} gives the same hidden inputs)")
    return 0


def read_limits(options: argparse.Namespace) -> Limits:
    """The limits that were asked for."""
    return Limits(options.cell_seconds, options.seconds, options.memory_gb)


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return number


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 0 on")
    return int(text)


def build_parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    student = commands.add_parser("student", help="make the student's notebook from the solution")
    student.add_argument("--check", action="store_true", help="only compare; exit code 1 if stale")
    student.set_defaults(run=command_student)
    release = commands.add_parser("release", help="make the folder and the zip for students")
    release.add_argument("out", type=Path, metavar="OUT_DIR", help="where to put both")
    release.add_argument("--with-weights", action="store_true", help="add the weights of VGG-19")
    release.set_defaults(run=command_release)
    grade = commands.add_parser("grade", help="grade a class")
    grade.add_argument(
        "submissions", type=Path, metavar="SUBMISSIONS",
        help="folder or zip, as Canvas, Moodle or nbgrader export it, or just notebooks",
    )  # fmt: skip
    grade.add_argument("--out", type=Path, required=True, metavar="REPORT_DIR",
                       help="for grades.csv, summary.html and feedback/")  # fmt: skip
    cores = min(os.cpu_count() or 1, 4)
    grade.add_argument("-j", "--jobs", type=int, default=cores, choices=range(1, 65), metavar="N",
                       help=f"how many at once (default {cores})")  # fmt: skip
    grade.set_defaults(run=command_grade)
    check = commands.add_parser("check", help="grade one notebook, in the terminal")
    check.add_argument("file", type=Path, metavar="FILE", help="your notebook")
    check.set_defaults(run=command_check)
    for command in (grade, check):
        command.add_argument("--seed", type=_seed, help="seed of the hidden inputs, from a report")
        for name, what in (("cell_seconds", "seconds of work for one cell"),
                           ("seconds", "seconds of work for one notebook"),
                           ("memory_gb", "memory for one notebook, in GB")):  # fmt: skip
            usual = getattr(Limits, name)
            command.add_argument("--" + name.replace("_", "-"), type=_positive, default=usual,
                                 metavar="X", help=f"{what} (default {usual:g})")  # fmt: skip
    return parser


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code: 0 fine, 1 something not graded, 2 a wrong call."""
    options = build_parser().parse_args(arguments)
    try:
        return options.run(options)
    except ClassroomError as error:
        print(f"classroom.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; what is graded is kept: give the same command to go on", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show
    sys.exit(main())
