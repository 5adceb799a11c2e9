"""What in a notebook replaces parts of libraries, or reaches out: for a note, not for marks."""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Iterator

from classroom.source import parse

MODULES = {
    "IPython", "__builtins__", "builtins", "checkpoints", "inspect", "json", "keras", "np",
    "nst_utils", "numpy", "os", "painter", "sys", "tensorflow", "tf",
}  # fmt: skip
BUILTINS = {"isinstance", "print", "exec", "open", "abs", "len", "type", "callable", "getattr"}
REACHING = re.compile(
    r"\b(atexit|os\._exit|sys\.modules|sys\.exit|subprocess|ctypes|addaudithook|settrace|os\.fork"
    r"|events\.register|set_custom_exc|gc\.get_\w+|inspect\.stack|_getframe)\b|/proc/"
)


def tampering(source: str) -> list[str]:
    """What in a cell replaces parts of libraries or reaches out of the notebook, in words."""
    found = [f"uses {match[0]}" for match in REACHING.finditer(source)]
    with contextlib.suppress(RecursionError):
        for node in ast.walk(parse(source)):
            found += [f"replaces {what}" for what in _replaced(node)]
    return sorted(set(found))


def _replaced(node: ast.AST) -> Iterator[str]:
    """What one piece of code gives another meaning."""
    if isinstance(node, ast.FunctionDef) and node.name in BUILTINS:
        yield node.name
    changes = isinstance(node, ast.Call) and ast.unparse(node.func) in ("setattr", "delattr")
    if changes and node.args and _module(node.args[0]) in MODULES:
        yield f"parts of {ast.unparse(node.args[0])}"
    for target in getattr(node, "targets", None) or [getattr(node, "target", None)]:
        for part in ast.walk(target) if isinstance(target, ast.AST) else ():
            if isinstance(part, ast.Name) and part.id in BUILTINS:
                yield part.id
            stored = isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store)
            if stored and _module(part) in MODULES:
                yield ast.unparse(part)


def _module(node: ast.AST) -> str:
    """The first name of `a.b.c`."""
    return ast.unparse(node).split(".")[0]
