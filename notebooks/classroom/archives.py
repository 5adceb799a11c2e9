"""Zips: the class as one, and those in it, unpacked into a temporary folder."""

from __future__ import annotations

import contextlib
import datetime
import errno
import filecmp
import os
import shutil
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from classroom import ClassroomError
from classroom.layouts import DEEPEST, IGNORED
from classroom.tree import leads_back

WHOLE, ONE = 20e9, 1e9  # bytes that a class, and one zip in it, may unpack to
ZIPS_IN_ZIPS = 5  # levels; there are zips that hold themselves


@contextlib.contextmanager
def unpacked(place: Path, out: Path | None = None) -> Iterator[Path]:
    """The folder of submissions; zips, it and those in it, are unpacked into a temporary one.

    `out`, the folder of reports, may be inside: it is no submission. Raises ClassroomError if
    `place` is damaged, or unpacks to more than 20 GB.
    """
    whole = place.is_file() and place.suffix.lower() == ".zip"
    reports = out and out.resolve()
    inside = place.rglob("*") if place.is_dir() else ()
    if not whole and not any(_is_zip(p) and reports not in p.resolve().parents for p in inside):
        yield place
        return
    with tempfile.TemporaryDirectory(prefix="nst-unpacked-", ignore_cleanup_errors=True) as name:
        folder, left = Path(name) / "submissions", WHOLE
        if whole:
            left -= extract(place, folder, left)
        else:
            _copy(place, folder, reports)
        _unpack_all(folder, left)
        yield folder


def _unpack_all(folder: Path, left: float) -> None:
    """Put in the place of each zip what is in it; a damaged one stays, to be reported."""
    todo = [(path, 1) for path in sorted(filter(_is_zip, folder.rglob("*")))]
    for path, depth in todo:  # which grows
        fresh, into = path.with_name(f".{path.name}.unpacked"), path.with_suffix("")
        with contextlib.suppress(ClassroomError):
            left -= extract(path, fresh, min(ONE, left))
            path.unlink()
            if into.is_dir() and _is_a_copy(fresh, into):  # it was unpacked by hand before
                shutil.rmtree(fresh)
                continue
            into = path if into.exists() else into
            fresh.replace(into)
            if depth < ZIPS_IN_ZIPS:
                todo += [(inner, depth + 1) for inner in sorted(filter(_is_zip, into.rglob("*")))]


def _is_a_copy(folder: Path, of: Path) -> bool:
    """Whether all files in a folder are in another, too, wherever in it."""
    there = defaultdict(list)
    for path in of.rglob("*"):
        there[path.name].append(path)
    files = [p for p in folder.rglob("*") if p.is_file() and not IGNORED & set(p.parts)]
    return all(any(filecmp.cmp(p, q, False) for q in there[p.name] if q.is_file()) for p in files)


def _is_zip(path: Path) -> bool:
    hidden = path.name.startswith(".") or IGNORED & set(path.parts)
    return path.suffix.lower() == ".zip" and path.is_file() and not path.is_symlink() and not hidden


def _copy(place: Path, folder: Path, reports: Path | None) -> None:
    """Copy submissions, without the reports; what cannot be read becomes an empty file."""

    def left_out(parent: str, names: list[str]) -> list[str]:
        paths = [Path(parent, name) for name in names]
        links = [p for p in paths if p.is_symlink() and (p.is_file() or leads_back(p))]
        # not Path.resolve, which raises for a link to itself
        return [p.name for p in paths if Path(os.path.realpath(p)) == reports or p in links]

    def copy(source: str, target: str) -> None:
        try:
            if Path(source).is_file():
                shutil.copyfile(source, target)
            else:  # a pipe, or a device that has no end
                Path(target).touch()
            about = Path(source).stat()
            os.utime(target, ns=(about.st_atime_ns, about.st_mtime_ns))  # the newest counts
        except OSError as error:  # no permission
            if error.errno == errno.ENOSPC:
                raise
            Path(target).touch()

    try:
        shutil.copytree(place, folder, copy_function=copy, ignore=left_out)
    except shutil.Error as error:  # all that went wrong: a link to nowhere, a folder that is shut
        if any("No space left" in str(problem) for problem in error.args[0]):
            raise ClassroomError(f"the disk is full: {folder.parent} needs more room.") from error


def extract(path: Path, into: Path, limit: float) -> int:
    """Unpack a zip into a new folder, all of it or nothing; give its bytes. Raises ClassroomError.

    A disk that is full is an OSError: it is not the fault of the zip.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            items = [_named(item) for item in archive.infolist()]
            size = sum(item.file_size for item in items)
            if size > limit or len(items) > 100_000:
                raise ClassroomError(
                    f"{path} unpacks to more than {limit / 1e9:.0f} GB: unpack it by hand."
                )
            if any(item.filename.count("/") > DEEPEST for item in items):
                raise ClassroomError(f"{path} has folders in folders without end.")
            for item in items:
                _set_time(Path(archive.extract(item, into)), item.date_time)
            return size
    except ClassroomError:
        raise
    except Exception as error:  # a hostile zip raises nearly everything
        shutil.rmtree(into, ignore_errors=True)
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise
        raise ClassroomError(f"{path} is no readable zip ({error}): pack it again.") from error


def _named(item: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """With its name in UTF-8, which macOS writes without saying so, and with "/", which Windows
    was known not to write.
    """
    if "/" not in item.filename:
        item.filename = item.filename.replace("\\", "/")
    if not item.flag_bits & 0x800:
        with contextlib.suppress(UnicodeError):
            item.filename = item.filename.encode("cp437").decode("utf-8")
    return item


def _set_time(path: Path, date: tuple) -> None:
    """Set when a file was changed last, as the zip tells it."""
    with contextlib.suppress(ValueError, OverflowError, OSError):
        os.utime(path, (time := datetime.datetime(*date).timestamp(), time))
