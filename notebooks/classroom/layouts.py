"""What names of files and folders tell: whose they are, as learning platforms write them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

NOTEBOOK_NAME = re.compile(r"\.(ipynb|json)([ ._-]?txt)?$", re.IGNORECASE)
# Put there by systems and tools, never by a student.
IGNORED = {"__MACOSX", "__pycache__", "node_modules", "site-packages", "timestamp.txt"}
IGNORED |= {"Thumbs.db", "desktop.ini", "Icon\r"}
DEEPEST = 50  # folders in folders; nobody hands in more in good faith
# A teacher's lists, a platform's own files, and pictures: no answers, unless the name says whose.
LISTS = {".csv", ".tsv", ".xls", ".xlsx", ".ods", ".md", ".txt", ".rst", ".yml", ".yaml", ".xml"}
LISTS |= {".ini", ".log", ".url", ".lnk", ".ics"}
PICTURES = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".svg"}

PLATFORMS = {
    # Ada Lovelace_12_assignsubmission_file_/x.ipynb, or all in one name
    "Moodle": r"(?P<student>.+?)_(?P<number>\d+)_assignsubmission_(?P<kind>file|onlinetext).*",
    # Exercise 3_alovelace_attempt_2024-05-01-10-30-00_x.ipynb, and a .txt without the last part
    "Blackboard": r"(?P<number>.+_(?P<student>[^_]+))_attempt_(?P<when>[\d-]{19})(?:_.+|\.txt)",
    # 1234-5678 - Ada Lovelace - May 1, 2024 1030 AM/x.ipynb, or all in one name
    "Brightspace": r"(?P<number>\d+)-\d+ - (?P<student>.+?) - .*\d{4}.*",
    # submission_1234/x.ipynb, with the names in submission_metadata.yml
    "Gradescope": r"(?P<student>submission_(?P<number>\d+))",
    # ada+nst+2024-05-01 10:30:00.0 UTC/x.ipynb, nbgrader's exchange
    "nbgrader": r"(?P<student>[^+]+)\+[^+]+\+(?P<when>\d{4}-\d\d-\d\d \d\d.\d\d.\d\d.*)",
    # lovelaceada_LATE_123_4567_x.ipynb
    "Canvas": r"(?P<student>[^_]+)_(?:LATE_)?(?P<number>\d+)_(?P<unique>\d+)_.+",
}


@dataclass(frozen=True)
class Owner:
    """Whose a file is, as its name tells."""

    student: str
    number: str = ""
    when: str = ""  # text that can be compared
    unique: str = ""  # what no other file of the class has
    kind: str = ""  # Moodle's: "file" or "onlinetext"


def owner_of(name: str) -> Owner | None:
    """The owner, if a platform wrote this name."""
    for pattern in PLATFORMS.values():
        if match := re.fullmatch(pattern, name):
            owner = Owner(**{key: value or "" for key, value in match.groupdict().items()})
            return None if owner.unique and not person(owner.student) else owner
    return None


def owners(names: list[str]) -> dict[str, Owner]:
    """The owner of each name that a platform wrote.

    "uni_2024_05_ada.ipynb" looks like Canvas, but there no two files have one number in common.
    """
    found = {name: owner for name in names if (owner := owner_of(name))}
    count = Counter(owner.unique for owner in found.values())
    return {n: owner for n, owner in found.items() if not owner.unique or count[owner.unique] == 1}


# Words that name the work, a version of it, or where it was; with them alone no name is a person's.
WORK = """
    neural style transfer nst notebook notebooks course kurs assignment assignments exercise
    exercises aufgabe aufgaben uebung ubung blatt sheet task tasks homework hausaufgabe hw project
    projekt lab part teil week woche deep learning python jupyter ipynb colab code src main master
    copy kopie copia copie of von de final finale fertig finished done v ver version neu new newest
    latest alt old older oldest backup bak draft drafts entwurf attempt attempts versuch try fixed
    fix corrected corrections korrektur revision rev redo again resubmission submission submissions
    submitted abgabe abgaben upload uploads download downloads handin inbox export exports files
    dateien documents attachment attachments s solution solutions solved loesung losung answer
    answers my mein meine test work working wip temp tmp untitled unbenannt first second last
    checkpoint checkpoints late feedback report bericht images data the and und
"""
WORDS = frozenset(WORK.split())


def person(name: str) -> str:
    """What of a name may tell one student from another: "" if it is only about the work.

    "nst_final (2)" gives "", "nst_ada" gives "ada", "student 1" itself, "123456" itself.
    """
    plain = [c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c)]
    tokens = re.findall(r"[^\W\d_]+|\d+", "".join(plain).lower())
    rest = [token for token in tokens if token not in WORDS]
    if any(not token.isdigit() for token in rest):
        return " ".join(rest)
    return " ".join(token for token in rest if re.fullmatch(r"(?!19|20)\d{5,}", token))


def natural(name: str) -> list:
    """For sorting: "x 10" comes after "x 9"."""
    return [(len(p), p) if p.isdigit() else (0, p) for p in re.split(r"(\d+)", name.casefold())]


def blackboard_name(text: str) -> tuple[str, str] | None:
    """(name, login) from the text file that Blackboard puts beside each submission."""
    match = re.search(r"^\s*Name:\s*(.+?)\s*\(([^()]+)\)\s*$", text, re.MULTILINE)
    return (match[1], match[2]) if match else None


def gradescope_names(text: str) -> dict[str, str]:
    """submission_1234 -> the names of its submitters, from submission_metadata.yml."""
    names: dict[str, list[str]] = {}
    current = ""
    for line in text.splitlines():
        if match := re.match(r"(submission_\d+):", line):
            current = match[1]
        elif match := re.match(r"\s*-?\s*:?name:\s*['\"]?(.+?)['\"]?\s*$", line):
            names.setdefault(current, []).append(match[1])
    return {key: ", ".join(found) for key, found in names.items() if key}
