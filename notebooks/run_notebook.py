"""Run a notebook from the first cell to the last, and show how it goes.

python notebooks/run_notebook.py NOTEBOOK -o OUT

On a terminal one line shows which cell runs, how many there are, and what the notebook printed
last; elsewhere each cell gets a line. When a cell fails, it is shown with its message, and OUT has
what was run until then. The exit code is 0, 1 after an error, or 130 after Ctrl-C. `jupyter
nbconvert --execute` runs it the same way, but is silent for minutes and ends in its own traceback.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import re
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHECK = Path(__file__).resolve().with_name("check_environment.py")
try:
    import nbformat
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError
    from tqdm import tqdm
except ModuleNotFoundError as wanting:
    sys.exit(f"{wanting.name} is not installed for {sys.executable}. What to do: run {CHECK}")

COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
BAR = "{n_fmt} of {total_fmt} cells |{bar:12}| {elapsed}  {desc}"
BEAT = 1.0  # seconds between two drawings of the line: its clock shows that the run is alive
PATIENCE = 15.0  # seconds without a line, where nothing can be drawn anew


class Progress:
    """Which cell runs, how many there are, and the last line that the notebook printed."""

    def __init__(self, total: int, stream: Any) -> None:
        self.total, self.stream, self.done, self.section, self.said = total, stream, 0, "", ""
        self.drawn = stream.isatty()
        columns, rows = shutil.get_terminal_size()  # a terminal of size 0 0 gets 80 24
        size = {"ncols": columns - 1, "nrows": rows}
        self.bar = tqdm(total=total, bar_format=BAR, file=stream, disable=not self.drawn, **size)
        self._ended, self._last = threading.Event(), time.monotonic()
        self._heart = threading.Thread(target=self._beat, daemon=True)
        self._heart.start()

    def starts(self, section: str) -> None:
        """A cell begins, below the heading `section`."""
        self.section = section
        self._draw()

    def says(self, text: str) -> None:
        """The notebook printed `text`; the last of its lines that is not empty is kept."""
        lines = re.split(r"[\r\n]+", COLOURS.sub("", text))
        self.said = next((line.strip() for line in reversed(lines) if line.strip()), self.said)

    def ends(self) -> None:
        """The cell is done."""
        self.done += 1
        self.bar.update()
        if not self.drawn:
            self._print(self.done)

    def close(self) -> None:
        """Leave the line as it is; no beat after this."""
        self._ended.set()
        self._heart.join()
        self.bar.close()

    def _beat(self) -> None:
        while not self._ended.wait(BEAT):
            if self.drawn:
                self._draw()
            elif time.monotonic() - self._last > PATIENCE:
                self._print(self.done + 1)

    def _draw(self) -> None:
        self.bar.set_description_str(": ".join(filter(None, [self.section, self.said])))

    def _print(self, number: int) -> None:
        self._last = time.monotonic()
        line = f"cell {number} of {self.total}  {self.section}".rstrip()
        print(": ".join(filter(None, [line, self.said])), file=self.stream, flush=True)
        self.said = ""


class Watched(NotebookClient):
    """A client that tells what the notebook prints while it prints it."""

    progress: Progress

    def process_message(self, msg: dict, cell: Any, cell_index: int) -> Any:
        """As the client's own; text is also shown."""
        if msg["msg_type"] == "stream":
            self.progress.says(msg["content"]["text"])
        return super().process_message(msg, cell, cell_index)


def code_cells(notebook: nbformat.NotebookNode) -> Iterator[tuple[int, Any, str]]:
    """(index, cell, heading above it) of each cell that will be run."""
    heading = ""
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            found = re.findall(r"^#+ (.+)$", cell.source, re.MULTILINE)
            heading = found[-1].strip() if found else heading
        elif cell.cell_type == "code" and cell.source.strip():
            yield index, cell, heading


def run(notebook: nbformat.NotebookNode, folder: Path, stream: Any = sys.stderr) -> str:
    """Run `notebook` in place, its kernel in `folder`; give what went wrong, "" if nothing did.

    Outputs of an earlier run are removed first. Raises KeyboardInterrupt after Ctrl-C; what was
    run until then is in `notebook`.
    """
    cells = list(code_cells(notebook))
    for _, cell, _ in cells:
        cell.outputs, cell.execution_count = [], None
    with _kernel(notebook, folder, Progress(len(cells), stream)) as (client, words):
        for number, (index, cell, heading) in enumerate(cells, 1):
            client.progress.starts(heading)
            try:
                client.execute_cell(cell, index, execution_count=number)
            except CellExecutionError as error:
                return _failure(number, len(cells), cell, heading, error)
            except DeadKernelError:
                words.seek(0)
                return _death(number, len(cells), heading, words.read().decode(errors="replace"))
            client.progress.ends()
        client.set_widgets_metadata()
    return ""


@contextmanager
def _kernel(notebook: nbformat.NotebookNode, folder: Path, progress: Progress) -> Iterator:
    """A client with its kernel, and the file that gets what the kernel's process prints itself."""
    client = Watched(
        notebook, timeout=None, kernel_name="python3", record_timing=False,
        resources={"metadata": {"path": str(folder)}},
    )  # fmt: skip
    client.progress = progress
    env = os.environ | {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}  # its warnings are no last words
    try:
        with (
            tempfile.TemporaryFile() as words,
            client.setup_kernel(stdout=words, stderr=words, env=env),
        ):
            reply = client.wait_for_reply(client.kc.kernel_info())
            notebook.metadata["language_info"] = reply["content"]["language_info"]
            yield client, words
    finally:
        progress.close()


def _failure(number: int, total: int, cell: Any, heading: str, error: CellExecutionError) -> str:
    """The cell, an arrow at the line that failed if that is known, and the message."""
    frames = COLOURS.sub("", error.traceback)
    line = re.search(rf"Cell In\[{cell.execution_count or number}\], line (\d+)", frames)
    failed = int(line[1]) if line else 0
    source = cell.source.splitlines()
    shown = [f"{'-->' if k == failed else '':4}{text}" for k, text in enumerate(source, 1)]
    title = f"Cell {number} of {total} failed ({heading}):"
    message = f"{error.ename}: {COLOURS.sub('', error.evalue)}"
    return "\n".join([title, "", *shown, "", message])


def _death(number: int, total: int, heading: str, words: str) -> str:
    """What to say when the kernel's process ended by itself."""
    last = [line for line in words.splitlines() if line.strip() and "IPKernelApp" not in line][-3:]
    return "\n".join(
        [
            f"The kernel died in cell {number} of {total} ({heading}).", *last,
            f"Often the memory was used up: close other programs. {CHECK} says how much is free.",
        ]
    )  # fmt: skip


def write(notebook: nbformat.NotebookNode, path: Path) -> None:
    """Write whole or not at all."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8", newline="\n")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def kept(notebook: nbformat.NotebookNode, path: Path) -> Path:
    """Write to `path`, or beside it: Windows replaces no file that another program has open."""
    try:
        write(notebook, path)
    except OSError as error:
        other = path.with_name(f"{path.stem}-{time.strftime('%H%M%S')}{path.suffix}")
        print(f"{path} cannot be written ({error.strerror}).", file=sys.stderr)
        write(notebook, other)
        return other
    return path


def _opened(path: Path, out: Path) -> nbformat.NotebookNode:
    """Read the notebook; end with a sentence if it or its target is of no use."""
    if out.is_dir() or not out.parent.is_dir():
        sys.exit(f"-o {out}: give the name of a file in a folder that exists.")
    try:
        notebook = nbformat.read(path, as_version=4)
        write(notebook, out.with_name(f".{out.name}.try"))  # before minutes are spent
        out.with_name(f".{out.name}.try").unlink()
    except ValueError:
        sys.exit(f"{path} is not a notebook, or is damaged: get it again.")
    except OSError as error:
        sys.exit(f"{error.filename or path}: {error.strerror}.")
    return notebook


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("notebook", type=Path)
    parser.add_argument("-o", dest="out", type=Path, required=True, help="the executed notebook")
    options = parser.parse_args()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # a terminal may not know every letter
    if sys.platform == "win32":  # as nbconvert does: ZeroMQ wants this loop
        asyncio.set_event_loop_policy(asyncio.WindowsSelectorEventLoopPolicy())
    logging.getLogger("asyncio").disabled = True  # after Ctrl-C: tracebacks of tasks that it left
    notebook = _opened(options.notebook, options.out)
    begin, code = time.monotonic(), 1
    try:
        fault = run(notebook, options.notebook.resolve().parent)
        code = int(bool(fault))
    except KeyboardInterrupt:
        fault, code = "Stopped.", 130
    except NoSuchKernel:
        fault = f"No kernel for Python is installed. What to do: run {CHECK}"
    if fault:
        print(f"\n{fault}\n", file=sys.stderr)
    if fault and options.out.resolve() == options.notebook.resolve():
        print(f"{options.out} is left as it was.")
    else:
        path = kept(notebook, options.out)
        print(f"written{' so far' if fault else ''}: {path}  ({time.monotonic() - begin:.0f} s)")
    return code


if __name__ == "__main__":
    sys.exit(main())
