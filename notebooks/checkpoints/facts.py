"""Reads what came back from the student's kernel, which may be hostile, and compares it."""

from __future__ import annotations

import re

import numpy as np

from .verdict import TOLERANCE


def number(facts: dict, key: str, limit: int = 20_000_000) -> np.ndarray | None:
    """`facts[key]` as a new float64 array, or None if it is no plain array of numbers."""
    value = facts.get(key)
    if type(value) in (int, float):
        value = np.array(value if abs(value) < 1e300 else np.inf)
    if isinstance(value, np.number):
        value = np.array(value)
    if type(value) is not np.ndarray or value.dtype.kind not in "fiu" or value.size > limit:
        return None
    return np.array(value, dtype="float64")


def text(facts: dict, key: str, limit: int = 200) -> str:
    """`facts[key]` as one printable line, "" if it is no text. The end is kept: it says most."""
    value = facts.get(key)
    if type(value) is not str:
        return ""
    value = re.sub(r"\{\{function_node [^}]*\}\} ?", "", value[-6000:])
    lines = [line.strip() for line in value.splitlines() if line.strip()]
    line = " ".join(lines)
    if lines and key.endswith(("error_message", "graph_error")):
        telling = [
            line for line in lines if re.search("[a-z]{3} ", line)
        ]  # not a picture's numbers
        line = (telling or lines)[-1]
        if (numbers := re.match(r"[\[\]\d\s.,e+-]{20,}", line)) and "[" in lines[0]:
            line = f"{lines[0].partition('[')[0]}[...]{line[numbers.end() :]}"
    return "".join(c for c in line if c.isprintable())[:limit]


def same(got: np.ndarray | None, expected, tolerance: float = TOLERANCE) -> bool:
    """Same shape, and equal up to `tolerance` times the largest expected entry."""
    expected = np.array(expected, dtype="float64")
    if got is None or got.shape != expected.shape or not np.isfinite(got).all():
        return False
    if expected.size == 0:
        return True
    return bool(abs(got - expected).max() <= tolerance * abs(expected).max() + 1e-12)


def near(a: float, b: float) -> bool:
    """Two factors that are the same, but for what the tolerance leaves open."""
    return abs(a - b) <= 2 * TOLERANCE * abs(b)


def show(array) -> str:
    """A number, or the shape and the first entries of an array, for the student to read."""
    if array is None:
        return "nothing that could be read as numbers"
    array = np.array(array)
    if array.shape == ():
        return f"{float(array):.6g}"
    first = ", ".join(f"{float(x):.4g}" for x in array.ravel()[:4])
    return f"shape {array.shape}, starting {first}{' ...' if array.size > 4 else ''}"


def show_both(expected, got) -> tuple[str, str]:
    """Both for the student to read, so that one sees where they differ; nothing if they agree."""
    expected, texts = np.array(expected, dtype="float64"), (show(expected), show(got))
    if same(got, expected):
        return "", ""
    if got is None or got.shape != expected.shape or texts[0] != texts[1]:
        return texts
    at = np.unravel_index(abs(got - expected).argmax(), expected.shape)
    where = f"shape {expected.shape}, at [{', '.join(map(str, at))}]: " if at else ""
    return f"{where}{float(expected[at]):.9g}", f"{where}{float(got[at]):.9g}"


def well_formed(cases: list, observations) -> list[dict] | None:
    """The observations if they are one dict a case, else None."""
    if type(observations) not in (list, tuple) or len(observations) != len(cases):
        return None
    return list(observations) if all(type(o) is dict for o in observations) else None
