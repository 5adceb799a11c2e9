"""What the source of a cell defines, without running it."""

from __future__ import annotations

import ast
import contextlib
import re
import warnings

from IPython.core.inputtransformer2 import TransformerManager

KEPT = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)


def parse(source: str) -> ast.Module:
    """The syntax tree of a cell as IPython runs it; empty if it does not run as Python."""
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


def definitions(source: str) -> list[str]:
    """Imports, functions, classes, and assignments that call nothing, up to a `raise`."""
    kept = []
    with contextlib.suppress(RecursionError):
        for node in parse(source).body:
            if isinstance(node, ast.Raise):
                break
            if isinstance(node, KEPT) or _calls_nothing(node):
                kept.append(ast.unparse(node))
    return kept


def _calls_nothing(node: ast.stmt) -> bool:
    """An assignment that can be repeated without cost; what a lambda calls is called later.

    `a.b = c` may change a library, as `sys.stdout = None` does, which ends the kernel.
    """
    if not isinstance(node, (ast.Assign, ast.AnnAssign)):
        return False
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    if any(isinstance(part, ast.Attribute) for target in targets for part in ast.walk(target)):
        return False
    calls = any(isinstance(part, ast.Call) for part in ast.walk(node))
    return isinstance(node.value, ast.Lambda) or not calls


def only_definitions(source: str) -> str:
    """What of a cell to run when all of it may not run again; "" if that is the same."""
    kept = "\n".join(definitions(source))
    return "" if kept == source else kept


def defined_names(source: str) -> set[str]:
    """The functions and variables that a cell defines at its outermost level."""
    body = parse(source).body
    names = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    targets = [t for node in body if isinstance(node, ast.Assign) for t in node.targets]
    return names | {target.id for target in targets if isinstance(target, ast.Name)}
