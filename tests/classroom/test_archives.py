"""Zips of a class, zips in it, hostile ones."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

import nbformat
import pytest
from handed_in import EMPTY, SOLVED, zipped

from classroom import ClassroomError, Limits, archives
from classroom.reading import read_bytes, read_notebook
from classroom.submissions import find_submissions


def found_in(place, out=None):
    with archives.unpacked(place, out) as inside:
        found = find_submissions(inside, out).submissions
        return [(e.student, e.number, e.path.name) for e in found]


def test_zip_of_submissions(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("Zoë Ö_77_assignsubmission_file_/x.ipynb", "{}")
        archive.writestr("../outside.ipynb", "{}")
    with archives.unpacked(tmp_path / "all.zip") as place:
        found = find_submissions(place).submissions
        assert ("Zoë Ö", "77") in {(e.student, e.number) for e in found}
    assert not (tmp_path.parent / "outside.ipynb").exists()
    (tmp_path / "bad.zip").write_bytes(b"PK nonsense")
    with pytest.raises(ClassroomError, match="no readable zip"):
        archives.unpacked(tmp_path / "bad.zip").__enter__()


@pytest.mark.parametrize("outer", [False, True])
def test_zips_among_the_submissions(tmp_path, outer):
    book = nbformat.writes(EMPTY)
    folder = tmp_path / "class"
    (folder / "cleo").mkdir(parents=True)
    zipped(folder / "adalovelace_7_8_nst.zip", book)
    (folder / "bob_8_9_x.zip").write_bytes(zipped(tmp_path / "x.zip", book)[:-30])
    zipped(folder / "cleo" / "nst.ZIP", book)
    (folder / "dan.ipynb").write_text(book)
    zipped(folder / "dan.zip", book)
    before = sorted(p.relative_to(folder) for p in folder.rglob("*"))
    place = folder
    if outer:
        place = Path(shutil.make_archive(str(tmp_path / "all"), "zip", folder))
    with archives.unpacked(place) as inside:
        found = find_submissions(inside).submissions
        told = {}
        for entry in found:
            assert not entry.problem
            try:
                read_notebook(read_bytes(entry.path, Limits()))
            except ClassroomError as error:
                told[entry.student] = str(error)
    names = [(entry.student, entry.number) for entry in found]
    assert names == [("adalovelace", "7"), ("bob", "8"), ("cleo", ""), ("dan", "")]
    assert list(told) == ["bob"] and "it is a zip" in told["bob"]
    assert sorted(p.relative_to(folder) for p in folder.rglob("*")) == before
    assert not inside.exists()


def test_a_class_in_a_zip_with_one_zip_keeps_the_student(tmp_path):
    inner = zipped(tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        archive.writestr("adalovelace_7_8_nst.zip", inner)
    assert found_in(tmp_path / "class.zip") == [("adalovelace", "7", "x.ipynb")]


def test_a_hostile_zip_costs_its_owner_alone(tmp_path):
    zipped(tmp_path / "ada.zip")
    with zipfile.ZipFile(tmp_path / "bob.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("x.ipynb", "x" * 1000)
    data = bytearray((tmp_path / "bob.zip").read_bytes())
    data[50:60] = b"\xff" * 10
    (tmp_path / "bob.zip").write_bytes(data)
    stored = zipped(tmp_path / "cleo.zip", "{}" * 50)
    (tmp_path / "cleo.zip").write_bytes(stored.replace(b"x.ipynb", b"\xff.ipynb"))
    students = [student for student, _, _ in found_in(tmp_path)]
    assert students == ["ada", "bob", "cleo"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="POSIX only")
def test_a_folder_with_zips_is_copied_but_for_the_reports(tmp_path, monkeypatch):
    folder = tmp_path / "class"
    (folder / "report" / "graded").mkdir(parents=True)
    (folder / "report" / "graded" / "x.json").write_text("{}")
    zipped(folder / "ada.zip")
    os.mkfifo(folder / "bob.ipynb")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "y.ipynb").write_text("{}")
    (folder / "cleo").symlink_to("../elsewhere")
    (folder / "nowhere").symlink_to("../gone")
    monkeypatch.chdir(folder)
    found = found_in(Path(), Path("report"))
    assert [name for _, _, name in found] == ["x.ipynb", "bob.ipynb", "y.ipynb", "nowhere"]
    assert [student for student, _, _ in found] == ["ada", "bob", "cleo", "nowhere"]


@pytest.mark.skipif(os.name != "posix", reason="links and devices")
@pytest.mark.parametrize("zips", [True, False])
def test_what_has_no_end_is_not_copied(tmp_path, monkeypatch, zips):
    """A link to the folder that it is in, and a device: they filled the disk."""
    copied, honest = [], archives.shutil.copyfile

    def copyfile(source, target):
        copied.append(Path(source).name)
        assert copied[-1] != "zero.ipynb" and len(copied) == len(set(copied))
        return honest(source, target)

    monkeypatch.setattr(archives.shutil, "copyfile", copyfile)
    folder = tmp_path / "class"
    (folder / "group").mkdir(parents=True)
    if zips:
        zipped(folder / "ada.zip")
    (folder / "group" / "bob.ipynb").write_text("{}")
    (folder / "zero.ipynb").symlink_to("/dev/zero")
    for name, target in {"back": "..", "self": "self"}.items():
        (folder / "group" / name).symlink_to(target)
    names = [name for _, _, name in found_in(folder)]
    assert names.count("bob.ipynb") == 1 and len(names) <= 4, names
    assert sorted(copied) == (["ada.zip", "bob.ipynb"] if zips else [])


def test_zips_have_a_limit_together(tmp_path, monkeypatch):
    sizes = []

    def extract(path, into, limit, honest=archives.extract):
        sizes.append(limit)
        return honest(path, into, limit) + 19.5e9

    zipped(tmp_path / "ada.zip")
    zipped(tmp_path / "bob.zip")
    monkeypatch.setattr(archives, "extract", extract)
    assert len(found_in(tmp_path)) == 2 and sizes[0] == 1e9 and sizes[1] < 0.6e9


def test_a_zip_bomb_is_not_unpacked(tmp_path):
    zipped(tmp_path / "ada.zip", "0" * 10**6)
    with pytest.raises(ClassroomError, match="more than 0 GB"):
        archives.extract(tmp_path / "ada.zip", tmp_path / "into", 1e5)
    assert [p.name for p in tmp_path.iterdir()] == ["ada.zip"]


def test_zips_in_zips_are_unpacked_and_one_in_itself_ends(tmp_path):
    inner = zipped(tmp_path / "x.zip")
    for name in ("nst.zip", "ada.zip", "class.zip"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("again.zip" if name == "nst.zip" else "nst.zip", inner)
        inner = (tmp_path / name).read_bytes()
    with archives.unpacked(tmp_path / "class.zip") as place:
        assert len(list(place.rglob("nst/notebooks/x.ipynb"))) == 1
        assert not [p for p in place.rglob("*.zip") if p.is_file()]


def test_a_class_unpacked_beside_its_zip_is_one_class(tmp_path):
    """As Windows' "Extract all" leaves it. What was changed since then is told of."""
    with zipfile.ZipFile(tmp_path / "Abgaben.zip", "w") as archive:
        archive.writestr("ada/nst.ipynb", nbformat.writes(SOLVED))
        archive.writestr("bob/nst.ipynb", nbformat.writes(EMPTY))
    archives.extract(tmp_path / "Abgaben.zip", tmp_path / "Abgaben", 1e9)
    assert [student for student, *_ in found_in(tmp_path)] == ["ada", "bob"]
    (tmp_path / "Abgaben/bob/nst.ipynb").write_text(nbformat.writes(SOLVED))
    assert [student for student, *_ in found_in(tmp_path)] == ["ada", "ada", "bob", "bob"]


def test_folders_as_old_windows_programs_write_them(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name in ("in\\ada\\nst.ipynb", "in\\bob\\nst.ipynb"):
            archive.writestr(name, nbformat.writes(SOLVED))
    assert [student for student, *_ in found_in(tmp_path / "all.zip")] == ["ada", "bob"]


def test_names_as_macos_writes_them(tmp_path):
    """In UTF-8, without the flag that says so."""
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        archive.writestr("Müller.ipynb", "{}")
    data = bytearray((tmp_path / "class.zip").read_bytes())
    for flags in (7, data.find(b"PK\x01\x02") + 9):
        data[flags] &= ~8
    (tmp_path / "class.zip").write_bytes(data)
    assert zipfile.ZipFile(tmp_path / "class.zip").namelist() != ["Müller.ipynb"]
    assert [student for student, _, _ in found_in(tmp_path / "class.zip")] == ["Müller"]


def test_the_newest_in_a_zip_is_known_by_its_time(tmp_path):
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        for name, day in (("a.ipynb", 3), ("b.ipynb", 2), ("c.ipynb", 1)):
            info = zipfile.ZipInfo(f"ada_1_assignsubmission_file_/{name}", (2024, 5, day, 1, 2, 4))
            archive.writestr(info, nbformat.writes(SOLVED) + " " * day)
    with archives.unpacked(tmp_path / "class.zip") as place:
        [entry] = find_submissions(place).submissions
        assert entry.path.name == "a.ipynb" and len(entry.notes) == 2
        assert entry.path.stat().st_mtime % 60 == 4


def test_a_zip_of_folders_without_end_is_not_unpacked(tmp_path):
    zipped(tmp_path / "ada.zip", name="d/" * 700 + "x.ipynb")
    zipped(tmp_path / "bob.zip")
    assert [name for _, _, name in found_in(tmp_path)] == ["ada.zip", "x.ipynb"]
