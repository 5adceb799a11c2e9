"""A student's cells, one after the other, and which of them is to blame."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from classroom import attempt
from classroom.grade import run_loop


class DiesAfter:
    """A kernel that is there until the cell after the one that ends it, or blocks it."""

    def __init__(self, late: bool):
        self.watch, self.ran = SimpleNamespace(dead="", late=False, worked=0), []
        self.limits, self.late = SimpleNamespace(seconds=100), late

    async def run(self, source):
        self.ran.append(source)
        if len(self.ran) > 1 and "stop()" in self.ran[-2]:
            self.watch.late = self.late
            self.watch.dead = "" if self.late else "it ended the kernel"
            return "it took more than 30 s and was stopped" if self.late else self.watch.dead
        self.watch.late = False
        return self.watch.dead


@pytest.mark.parametrize("late", [False, True])
def test_a_cell_whose_end_comes_after_it_is_the_one_to_blame(late):
    """As `asyncio.get_event_loop().stop()` and `sys.stdout = None`: the next one was, in vain."""
    one, found = DiesAfter(late), attempt.Attempt()
    cells = [(3, "x = 1"), (4, "asyncio.get_event_loop().stop()"), (5, "def f(): pass")]
    run_loop(attempt._run_cells(one, cells, found))
    assert found.costly == {4} and list(found.problems) == [4]
