"""One fresh kernel: started, given cells to run, ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import subprocess
import sys
from collections.abc import Awaitable
from pathlib import Path

import nbformat
import zmq
import zmq.asyncio
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

from classroom import Limits
from classroom.folder import kernel_environment, prepare_folder
from classroom.watch import Watch, kill_all

QUIET = logging.getLogger("nbclient.quiet")
QUIET.setLevel(logging.CRITICAL + 1)
PRINTED = ("stream", "display_data", "execute_result", "update_display_data")


class KernelFailed(Exception):
    """The grader's own kernel could not start: not the student's fault."""


class Kernel:
    """A fresh kernel in a folder of its own: `async with Kernel(folder, limits) as kernel`.

    `watch` counts what it takes, and ends it when that is too much.
    """

    def __init__(self, folder: Path, limits: Limits):
        self.folder, self.limits = folder, limits
        self.watch = Watch(limits, token=folder.name)
        self.error, self.printed = "", 0  # of the cell at work; bytes, of all cells

    async def __aenter__(self) -> Kernel:
        prepare_folder(self.folder, self.limits)
        self.client = _new_client(self)
        self.keeper = asyncio.create_task(self.watch.keep(self._interrupt))
        try:
            await self.client.async_start_new_kernel(
                cwd=str(self.folder / "work"),
                env=kernel_environment(self.folder),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            self.watch.pid = self.client.km.provisioner.pid
            await self.client.async_start_new_kernel_client()
        except Exception as error:
            await self.__aexit__()
            raise KernelFailed(f"the kernel did not start ({error})") from error
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        self.keeper.cancel()
        kill_all(self.watch.pid, self.watch.token)
        with contextlib.suppress(Exception):
            if self.client.kc is not None:
                self.client.kc.stop_channels()
            await self.client.km.shutdown_kernel(now=True)
            self.client.km.context.destroy(linger=0)

    def _interrupt(self) -> Awaitable:
        return self.client.km.interrupt_kernel()

    async def run(self, source: str) -> str:
        """Run one cell; "" if it worked, else the error in one line."""
        watch = self.watch
        if watch.dead:
            return watch.dead
        self.error = ""
        watch.start_cell()
        cell = nbformat.v4.new_code_cell(source)
        work = asyncio.create_task(self.client.async_execute_cell(cell, 0, store_history=False))
        work.add_done_callback(lambda done: done.cancelled() or done.exception())  # so no log line
        try:
            await asyncio.wait({work})  # nbclient itself takes Ctrl-C for the kernel's death
            work.result()
        except DeadKernelError:
            watch.dead = watch.dead or "it ended the kernel"
        except Exception as error:  # a broken message, for instance
            watch.end(f"the kernel sent something unreadable ({type(error).__name__})")
        finally:
            work.cancel()
            watch.cell_end = None
        if self.error.startswith("KeyboardInterrupt") and watch.late:
            self.error = f"it took more than {self.limits.cell_seconds:g} s and was stopped"
        return watch.dead or self.error

    def hear(self, kind: str, content: dict) -> bool:
        """Count what a kernel sends, end it when it is too much; True if nbclient may see it."""
        if kind == "error":
            text = f"{content.get('ename')}: {content.get('evalue')}"
            self.error = " ".join(text.split())[:300]
        if kind in PRINTED:
            data = content.get("data")
            parts = data.values() if isinstance(data, dict) else [content.get("text")]
            self.printed += 100 + sum(len(str(part)) for part in parts)
        if self.printed > self.limits.output_mb * 1e6:
            self.watch.end(f"it printed more than {self.limits.output_mb:g} MB")
        return kind == "status"


class _Client(NotebookClient):
    """nbclient's client, which here keeps no output."""

    def process_message(self, msg, cell, cell_index):
        if self.kernel.hear(msg["msg_type"], msg["content"]):
            return super().process_message(msg, cell, cell_index)
        return None


class _Specs(KernelSpecManager):
    """Knows one kernel, which needs not be installed: the one that `start.py` starts."""

    folder: Path

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        argv = [sys.executable, str(self.folder / "kernel_side/start.py"), "-f",
                "{connection_file}", "--HistoryManager.enabled=False"]  # fmt: skip
        return KernelSpec(argv=argv, display_name="grading", language="python")


def _new_client(kernel: Kernel) -> _Client:
    """A client that will start `kernel`, and take no message that is too long."""
    context, specs = zmq.asyncio.Context(), _Specs()
    context.setsockopt(zmq.MAXMSGSIZE, int(kernel.limits.output_mb * 1e6))
    specs.folder = kernel.folder
    client = _Client(
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell()]),
        km=AsyncKernelManager(
            context=context,
            kernel_spec_manager=specs,
            connection_file=str(kernel.folder / "connection.json"),
        ),
        timeout=None,  # see `Watch`
        startup_timeout=300,
        allow_errors=True,
        log=QUIET,
    )
    client.kernel = kernel
    return client
