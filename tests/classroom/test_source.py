"""What a cell defines."""

from __future__ import annotations

import ast

from classroom.source import definitions, only_definitions


def test_of_a_costly_cell_only_definitions_run_again():
    source = "%time\nimport a\nx = 3\ny: int = f()\ndef g():\n    return f()\nf()\nz = lambda: f()"
    kept = definitions(source)
    z = ast.unparse(ast.parse("z = lambda: f()"))  # Python 3.10 writes "lambda : f()"
    assert kept == ["import a", "x = 3", "def g():\n    return f()", z]
    assert only_definitions("x = 3") == "", "it was this that took so long"
    f = "def f():\n    pass"
    for source in (f"{f}\nf?", f"y = !ls\n{f}", f"%%time\n{f}", f"if 1:\n    %time f()\n{f}"):
        assert definitions(source) == [f], source
    for source in (f"%%script false\n{f}", f"%%skip\n{f}", f"raise SystemExit\n{f}"):
        assert definitions(source) == [], "Jupyter does not run it either"


def test_what_changes_a_library_is_no_definition():
    """`sys.stdout = None` would end the kernel again."""
    source = "import sys\nsys.stdout = None\na, sys.stderr = 1, 2\ntf.x[0].y: int = 3\nb[0] = 1"
    assert definitions(source) == ["import sys", "b[0] = 1"]
