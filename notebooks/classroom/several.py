"""Which folders hold several students: what is in them tells, and the names of that.

Who is taken for two has two rows; who is taken for one with another has lost the marks. So in doubt
a folder holds several.
"""

from __future__ import annotations

import re
from pathlib import Path

from classroom.choosing import looks_like_a_notebook
from classroom.layouts import YEAR, Owner, is_nobodys, is_of_a_group, owners, person
from classroom.tree import Tree


def holding_several(tree: Tree, folders: list[Path], alone: bool) -> dict[Path, Path]:
    """Of folders beside each other those that hold several students, and the folder in each where
    these lie. `alone` says that nobody's work is beside them.
    """
    found = {p: place for p in folders if (place := _surely(tree, p, alone))}
    found |= _telling_people_apart(tree, [path for path in folders if path not in found])
    for path in [path for path in folders if path not in found]:
        chain = tree.unwrapped(path)
        if (alone or is_of_a_group(path.name)) and _without_names(tree, chain, alone):
            found[path] = chain[-1]
    return found


def _telling_people_apart(tree: Tree, folders: list[Path]) -> dict[Path, Path]:
    """Those with names of several people in them; and beside such a part of a class, one of one."""
    inner = {path: tree.unwrapped(path)[-1] for path in folders}
    people = {path: people_in(tree, inner[path]) for path in folders}
    layered = all(_has_named_folders(tree, path) for path in folders)
    parts = [path for path in folders if layered or is_of_a_group(path.name)]
    single = {path for path in folders if len(people[path]) < 2 and tree.answers(path)}
    found = {}
    for path in folders:  # beside a student's folder, two names in another may be two attempts
        needed = 3 if single - {path} and path not in parts else 2
        if len(people[path]) >= needed:
            found[path] = inner[path]
    if found.keys() & parts:
        found = {p: p for p in parts if people_in(tree, p)} | found
    return found


def _surely(tree: Tree, folder: Path, alone: bool) -> Path | None:
    """Where in a folder its students lie, if a platform wrote it, or its name is nobody's.

    "Abgabe 1" beside "Abgabe 2" may be somebody's.
    """
    for inside in tree.unwrapped(folder):
        if (inside / "submitted").is_dir() or written_by_a_platform(tree, inside, people=2):
            return inside
    counted = re.search(r"\d", folder.name) and not YEAR.search(folder.name)
    nobodys = is_nobodys(folder.name) and (alone or not counted)
    nobodys = nobodys and (alone or bool(tree.answers(folder)))
    return folder if nobodys and _names_a_person(tree, folder) else None


def written_by_a_platform(tree: Tree, folder: Path, people: int) -> dict[str, Owner]:
    """file name -> owner, of what a platform wrote into a folder.

    A student's "IMG_2024_05_x.jpg" looks like Canvas: notebooks of so many `people` must do so.
    """
    found = owners([path.name for path in tree.children(folder)])
    canvas = [name for name, owner in found.items() if owner.unique]
    books = {
        (found[name].student, found[name].number)
        for name in canvas
        if looks_like_a_notebook(folder / name) or tree.answers(folder / name)
    }
    if len(books) < people:
        found = {name: owner for name, owner in found.items() if name not in canvas}
    return found


def _names_a_person(tree: Tree, folder: Path) -> bool:
    """Whether a part of a folder is somebody's, as its name tells; "Abgaben" is nobody's."""
    for path in tree.parts(folder):
        inner = path.is_dir() and is_nobodys(path.name) and len(path.parts) < tree.deepest
        if _person(path) or (inner and _names_a_person(tree, path)):
            return True
    return False


def people_in(tree: Tree, folder: Path) -> set[str]:
    """Whom the names of the parts of a folder, and of the parts of these, tell apart.

    Parts with answers count; and others, where these lie in folders with names of people, or
    where the folder itself has a name like "submissions".
    """
    inside = tree.children(folder)
    answers = [path for path in inside if tree.answers(path)]
    groups = [inner for path in answers if len(inner := people_in(tree, path)) > 1]
    names = {_person(path) for path in answers}.union(*groups) - {""}
    if names and all(path.is_dir() for path in answers):
        names |= {_person(p) for p in inside if p.is_dir() and (tree.works(p) or not tree.files(p))}
    if names and not person(folder.name):
        names |= {_person(path) for path in inside if tree.works(path)}
    return names - {""}


def _has_named_folders(tree: Tree, folder: Path) -> bool:
    """Whether all answers in a folder lie in folders with names of people."""
    return all(path.is_dir() and _person(path) for path in tree.parts(folder))


def _without_names(tree: Tree, chain: list[Path], alone: bool) -> bool:
    """Whether the last of folders in each other holds several students, though no answers in it
    have names of people.

    They may have numbers, or words such as "Neu", or there is no notebook at all. A student's two
    versions look much the same: without numbers, folders count, in one that is nobody's.
    """
    parts = tree.parts(chain[-1])
    names = {_person(path) for path in parts} - {""}
    if alone and len(names) > 1 and not tree.answers(chain[-1]):
        return True
    words = {re.sub(r"[\W\d_]+", "", path.stem) for path in parts}
    numbers = len(words) == 1 and len(min(words)) < 2
    if alone and any(is_nobodys(path.name) for path in chain):
        many = len(words) == 1 and len(parts) > 2  # "nst", "nst (1)", "nst (2)", as browsers save
        return len(parts) > 1 and (numbers or many or all(path.is_dir() for path in parts))
    return numbers and len(parts) > 1


def _person(path: Path) -> str:
    """Whom the name of a file or a folder tells."""
    return person(path.name if path.is_dir() else path.stem)
