"""Limits of one process, set by itself: files, memory, connections, other processes."""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat
import struct
import sys
from collections.abc import Callable
from functools import partial

try:
    import resource
except ImportError:  # Windows
    resource = None

# System calls and flags of Landlock, see landlock(7) of the Linux manual.
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
EXECUTE, READ_FILE, READ_DIR = 1 << 0, 1 << 2, 1 << 3
OF_FILES = EXECUTE | 1 << 1 | READ_FILE | 1 << 14  # 1: write, 14: truncate; the others: of folders
NO_NEW_PRIVILEGES = 38


def limit(settings: dict) -> None:
    """No core files, and no more memory or larger files than `settings` say."""
    wanted = {"CORE": 0, "FSIZE": settings["file_bytes"], "DATA": settings["memory_bytes"]}
    for name, most in wanted.items():
        with contextlib.suppress(AttributeError, ValueError, OSError):  # not on every system
            resource.setrlimit(getattr(resource, "RLIMIT_" + name), (most, most))


def confine(settings: dict) -> None:
    """Let Linux itself (Landlock, 5.13 and later) refuse files, connections, signals outside."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    size, flags = ctypes.c_size_t, ctypes.c_uint
    version = libc.syscall(CREATE_RULESET, None, size(0), flags(1))
    if version < 1:
        return  # an older Linux: `guard` is all there is
    rights = (1 << {1: 13, 2: 14}.get(version, 15)) - 1  # all that this version knows of files
    rules = struct.pack("QQQ", rights, 2 if version >= 4 else 0, 3 if version >= 6 else 0)
    length = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = libc.syscall(CREATE_RULESET, rules, size(length), flags(0))
    for key, wanted in (("readable", EXECUTE | READ_FILE | READ_DIR), ("writable", rights)):
        for path in settings[key]:
            handle = os.open(path, os.O_PATH)
            folder = stat.S_ISDIR(os.fstat(handle).st_mode)
            allowed = rights & (wanted if folder else wanted & OF_FILES)
            libc.syscall(ADD_RULE, ruleset, 1, struct.pack("=Qi", allowed, handle), flags(0))
            os.close(handle)
    libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)  # which Landlock asks for
    libc.syscall(RESTRICT_SELF, ruleset, flags(0))
    os.close(ruleset)


# Events of `sys.addaudithook`, as the documentation of Python names them.
WRITES = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate")
READS = ("os.listdir", "os.scandir", "os.chdir")
MARKS = ("os.chmod", "os.chown", "os.utime", "os.setxattr", "os.removexattr")
REFUSED = (
    "os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "os.startfile",
    "subprocess.Popen", "pty.spawn", "ctypes.dlopen", "socket.getaddrinfo",
)  # fmt: skip

# What the hook uses is bound in closures: a notebook that changes this module, or `os`, changes
# nothing. `args` are those of the event; a rule says whether it is refused.


def guard(settings: dict) -> None:
    """Refuse the same, and new processes, with an audit hook: on every system, if less strictly."""
    own, near = os.getpid(), ("127.0.0.1", "::1")
    rules = _rules_of_files(_within(settings["readable"]), _within(settings["writable"]))
    rules |= dict.fromkeys(("os.kill", "os.killpg"), lambda args: args[0] != own)
    rules |= dict.fromkeys(
        ("socket.connect", "socket.sendto", "socket.sendmsg"),
        lambda args: isinstance(args[1], tuple) and args[1][0] not in near,
    )
    rules |= dict.fromkeys(REFUSED, lambda args: True)

    def hook(event, args):
        refuses = rules.get(event)
        if refuses and refuses(args):
            raise PermissionError(f"The grader does not allow this here: {event}.")

    sys.addaudithook(hook)


def _within(places: list[str]) -> Callable:
    """Whether a path leads into one of these places, links resolved."""
    realpath, fsdecode, separator = os.path.realpath, os.fsdecode, os.sep
    roots = [realpath(place) for place in places]

    def within(path: str | bytes) -> bool:
        real = realpath(fsdecode(path))
        return any(real == root or real.startswith(root + separator) for root in roots)

    return within


def _rules_of_files(readable: Callable, writable: Callable) -> dict[str, Callable]:
    """A rule for each event that has to do with files."""
    changing = os.O_WRONLY | os.O_RDWR | os.O_CREAT

    def paths(args: tuple) -> list:
        return [arg for arg in args if isinstance(arg, (str, bytes))]

    def opens(args: tuple) -> bool:
        path, mode, flags = args
        if not isinstance(path, (str, bytes)) or writable(path):
            return False
        return bool(set(mode or "") & set("wax+") or (flags or 0) & changing) or not readable(path)

    def writes(args: tuple) -> bool:
        return not all(map(writable, paths(args)))

    def reads(args: tuple) -> bool:
        return writes(args) and not all(map(readable, paths(args)))

    def marks(args: tuple, by_folder: bool = True) -> bool:
        by_number = isinstance(args[0], int) or (by_folder and args[-1] != -1)  # may lead anywhere
        return by_number or not writable(args[0])

    rules = {"open": opens} | dict.fromkeys(WRITES, writes) | dict.fromkeys(READS, reads)
    for event in MARKS:  # Landlock knows none of them
        rules[event] = partial(marks, by_folder="xattr" not in event)
    return rules
