"""The student's text, read and never run; and what it tells of a function that remembers something.

A text that cannot be parsed tells nothing.
"""

# ruff: noqa: E501
# (One line a sentence.)

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from functools import cached_property, lru_cache

from .verdict import Exercise, Finding

LONGEST = 6000  # characters: what the observer reports; a forger may report more
LIBRARIES = ("tf", "np", "keras", "numpy", "tensorflow")


class Text:
    """The text of a function, with what it is made of."""

    def __init__(self, source: str):
        self.source = textwrap.dedent(source[:LONGEST])
        self.lines = self.source.splitlines()

    @cached_property
    def function(self) -> ast.FunctionDef | None:
        """The function itself; None if its text is not Python."""
        try:
            tree = ast.parse(self.source)
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            return None
        return next((n for n in tree.body if isinstance(n, ast.FunctionDef)), None)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All its parts, without its decorators."""
        body = self.function.body if self.function else []
        return [node for statement in body for node in ast.walk(statement)]

    def of(self, *kinds: type) -> list:
        """Its parts of these kinds, in the order of the lines."""
        found = [node for node in self.nodes if isinstance(node, kinds)]
        return sorted(found, key=lambda node: (node.lineno, node.col_offset))

    def line(self, node: ast.AST) -> str:
        """The student's line on which a part begins."""
        return self.lines[node.lineno - 1].strip()[:80]

    def given(self, node: ast.AST) -> list[ast.expr]:
        """The values that a name (or `x.y`, or `x[0]`) is given, in the order of the lines."""
        name = ast.unparse(node)
        return [a.value for a in self.of(ast.Assign) if ast.unparse(a.targets[0]) == name]

    @cached_property
    def parameters(self) -> list[str]:
        args = self.function.args if self.function else None
        return [a.arg for a in (*args.posonlyargs, *args.args, *args.kwonlyargs)] if args else []

    @cached_property
    def reads(self) -> set[str]:
        """The names that are read anywhere."""
        return {n.id for n in self.of(ast.Name) if isinstance(n.ctx, ast.Load)}

    @cached_property
    def writes(self) -> set[str]:
        """The names that get a value in the function."""
        return {n.id for n in self.of(ast.Name) if isinstance(n.ctx, ast.Store)}

    def blocks(self) -> Iterator[list[ast.stmt]]:
        """The lists of statements: the function's own, and those of its loops, ifs and withs."""
        for node in (self.function, *self.nodes) if self.function else ():
            for field in ("body", "orelse", "finalbody"):
                block = getattr(node, field, None)
                if isinstance(block, list) and block:
                    yield block


@lru_cache(maxsize=32)
def read_text(source: str) -> Text:
    return Text(source)


def text_of(fact: dict) -> Text:
    """The text that a fact reports; an empty one if it reports none."""
    source = fact.get("source")
    return read_text(source[:LONGEST] if type(source) is str else "")


def may_hold(observations: list, sign: str) -> bool:
    """Does the student's text hold `sign`? Also True where it is not known."""
    source = text_of(observations[0]).source
    return sign in source or not source


# --- What a function remembers -------------------------------------------------------------------


def from_the_source(exercise: Exercise, fact: dict) -> Finding | None:
    """What the student's text tells of a result that depends on more than the arguments."""
    read = text_of(fact)
    if line := _remembers(read):
        says = f"`{line}`: the function remembers something from an earlier call. It must compute its result from its arguments alone."
        return exercise.finding("remembers", 0, 0, says)
    line = re.search(r"^\s*(.*(?:dropout|random|[nN]oise|shuffle).*)$", read.source, re.M)
    if line:
        says = f"`{line.group(1).strip()[:80]}`: something random is in it. The same arguments must give the same result."
        return exercise.finding("random", 0, 0, says)
    return None


def _remembers(read: Text) -> str:
    """The line by which something outlives the call, "" if there is none."""
    line = re.search(r"^\s*((?:global|nonlocal) .*|if \S+ not in \w+:.*)$", read.source, re.M)
    if line:
        return line.group(1).strip()[:80]
    own = read.writes | set(read.parameters)
    for node in read.of(ast.Subscript, ast.Attribute):
        base = node.value
        if isinstance(node.ctx, ast.Store) and isinstance(base, ast.Name) and base.id not in own:
            return read.line(node)  # cache[...] = , or train_step.best =
    return next((read.line(node) for node in _grown(read) if _is_kept(read, node)), "")


def _grown(read: Text) -> Iterator[ast.AST]:
    """What gets a further entry: `seen.append(...)`, `cache[...] = ...`"""
    for node in read.of(ast.Call, ast.Subscript):
        at = node.func if isinstance(node, ast.Call) else node
        grows = ("append", "setdefault", "update", "add")
        called = isinstance(at, ast.Attribute) and at.attr in grows
        stored = isinstance(at, ast.Subscript) and isinstance(at.ctx, ast.Store)
        if (called or stored) and isinstance(at.value, ast.Name):
            yield at


def _is_kept(read: Text, at: ast.AST) -> bool:
    """Does it outlive the call, and is it read? A list that only grows (of costs) is harmless."""
    name, args = at.value.id, read.function.args
    positional = [*args.posonlyargs, *args.args]
    pairs = [
        *zip(positional[::-1], args.defaults[::-1], strict=False)
    ]  # made once, by the def line
    pairs += [*zip(args.kwonlyargs, args.kw_defaults, strict=True)]
    kept = {arg.arg for arg, default in pairs if isinstance(default, (ast.Dict, ast.List))}
    outside = name not in {*read.writes, *read.parameters, *LIBRARIES}
    used = [n for n in read.of(ast.Name) if n.id == name]
    return (outside or name in kept) and len(used) > 1
