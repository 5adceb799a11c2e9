"""A class on a Dask cluster: one task a notebook; who dies or stalls is replaced, twice."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib.metadata
import io
import logging
import secrets
import sys
import time
import warnings
import zipfile
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

import checkpoints
import classroom
from classroom import ClassroomError, Limits, worker_side
from classroom.attempt import ATTEMPTS
from classroom.batch import grade_all
from classroom.given import handout_text
from classroom.grade import nothing_graded
from classroom.submissions import Submission
from classroom.watch import WAITING

try:
    import distributed
except ImportError:
    distributed = None

TRIES = 3  # the first, and two more
FEWEST = 16  # notebooks that are sent at once, also to an empty cluster
MARGIN = worker_side.SECONDS_TO_END + 15  # after which a worker should have told that it gave up
LOOK = 2.0  # seconds between two looks at a notebook that is away
CONNECT_SECONDS = 5
FETCH_SECONDS = 120
PACKAGES = ("tensorflow", "keras", "numpy", "ipykernel", "nbclient", "matplotlib")
# The source itself is sent, not its functions: those would be pickled as bytecode, which a worker
# with another Python cannot run.
CALL = "exec(source, globals()) or grade_there(task, notebook)"


async def grade_on_cluster(
    address: str,
    entries: list[Submission],
    out: Path,
    limits: Limits,
    jobs: int,
    seed: int | None = None,
) -> list[dict]:
    """`grade_all` on the cluster whose scheduler is at `address`, which may be Dask's file of it.

    At least `jobs` notebooks are there at once. Raises ClassroomError.
    """
    async with Cluster(address) as cluster:
        # twice the room, so that no worker waits for the next; some, so that a small cluster grows
        jobs = max(jobs, FEWEST, 2 * sum(cluster.workers.values()))
        return await grade_all(entries, out, limits, jobs, seed, grader=cluster.grade)


async def expect_cluster(address: str) -> None:
    """Raises ClassroomError if there is no scheduler at `address`."""
    client = await connect(address)
    await client.close()


class Cluster:
    """A connection to a scheduler, which holds the course for its workers:

        async with Cluster("tcp://10.0.0.1:8786") as cluster:
            result = await cluster.grade(data, limits, seed)

    `workers` has their addresses, and how many notebooks each takes at once.
    """

    def __init__(self, address: str, course: bytes | None = None):
        self.address, self.course = address, course
        self.run = f"nst-{secrets.token_hex(8)}"  # what of the scheduler's memory is ours
        self.workers: dict[str, int] = {}
        self.unfit: dict[str, str] = {}  # worker -> why
        self.told: set[str] = set()  # lines that need no repeating

    async def __aenter__(self) -> Cluster:
        self.client = await connect(self.address)
        course = self.course or packed_course()
        self.digest = hashlib.sha256(course).hexdigest()
        await self.client.set_metadata([self.run, "course"], course)
        self.workers = await self.client.nthreads()
        self.keeper = asyncio.create_task(self._keep_looking())
        return self

    async def __aexit__(self, *error: object) -> None:
        self.keeper.cancel()
        with contextlib.suppress(Exception):
            if self.client.status == "running":
                await asyncio.wait_for(self.client.set_metadata([self.run], {}), 2)
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self.client.close(), 5)

    async def _keep_looking(self) -> None:
        """Know the workers; they come and go."""
        while True:
            if not self.workers:
                self._tell(f"{self.address} has no workers: start some with dask worker, or wait")
            await asyncio.sleep(LOOK)
            with contextlib.suppress(Exception):  # `_answer` tells when the scheduler is gone
                self.workers = await asyncio.wait_for(self.client.nthreads(), 10)

    def _tell(self, line: str) -> None:
        """Print a line above the bar, once."""
        if line not in self.told:
            self.told.add(line)
            tqdm.write(line, file=sys.stderr)

    async def grade(self, data: bytes, limits: Limits, seed: int) -> dict:
        """The result of `grade.grade_bytes`, from a worker.

        If the workers that tried have died or stalled, three of them, its status is "lost". One
        that failed by itself, with the status "failed", is tried elsewhere, too.
        """
        task = self._task(limits, seed)
        sent, reasons, tried = 0, [], []
        while True:
            future, sent = self._send(task, data, tried), sent + 1
            answer = await self._answer(future, task, tried)
            worker, result = answer.get("worker", ""), answer.get("result")
            tried = await self._tried_by(task)
            if result and answer["differs"]:
                self._tell(f"{worker} has {answer['differs']}")
            if result and result["status"] != "failed":
                return result
            if "unfit" in answer:
                sent -= 1
                self._note_unfit(worker, answer["unfit"])
            reasons += [answer["reason"]] if "reason" in answer else []
            if max(sent, len(tried)) >= TRIES:
                return result or _lost(seed, tried, reasons)

    def _task(self, limits: Limits, seed: int) -> dict:
        """What a worker needs to know, besides the notebook."""
        # a notebook that only waits is given 1 / WAITING times its seconds, and kernels need time
        patience = limits.seconds / WAITING + 60 * ATTEMPTS
        return {
            "id": secrets.token_hex(8),
            "run": self.run,
            "course": self.digest,
            "packages": {name: _version(name) for name in PACKAGES},
            "limits": asdict(limits),
            "seed": seed,
            "tries": TRIES,
            "patience": patience,
        }

    def _send(self, task: dict, data: bytes, tried: list[str]) -> distributed.Future:
        """Submit a try; not to a worker that failed before, if there is another one."""
        others = [w for w in self.workers if w not in self.unfit and w not in tried]
        # a worker that cannot grade says so at once, and would so draw all notebooks
        choose = others and (tried or self.unfit)
        elsewhere = {"workers": others, "allow_other_workers": True} if choose else {}
        source = Path(worker_side.__file__).read_text(encoding="utf-8")
        scope = {"__name__": "nst", "source": source, "task": task, "notebook": data}
        key = f"{self.run}-{task['id']}-{secrets.token_hex(4)}"
        return self.client.submit(eval, CALL, scope, key=key, pure=False, **elsewhere)

    async def _answer(self, future: distributed.Future, task: dict, before: list[str]) -> dict:
        """What `grade_there` answers; {} or {"reason": ...} if the worker has died or stalled."""
        error, since, tried = asyncio.ensure_future(future.exception()), 0.0, before
        error.add_done_callback(lambda done: done.cancelled() or done.exception())  # so no log line
        while not (await asyncio.wait({error}, timeout=LOOK))[0]:
            now = await self._tried_by(task)
            if now != tried:  # the scheduler has given it to a worker, or to the next one
                since, tried = time.monotonic(), now
            waited = time.monotonic() - since if tried != before else 0.0  # in a queue none counts
            if waited > task["patience"] + MARGIN:
                error.cancel()
                await self.client.cancel([future], force=True)
                return {"worker": tried[-1], "reason": f"{tried[-1]} stalled"}
        if future.status == "finished":
            try:  # the worker that has it may hang by now
                return await asyncio.wait_for(self.client.gather(future), FETCH_SECONDS)
            except Exception as why:
                return {"reason": f"its result could not be fetched ({type(why).__name__})"}
        if future.status != "error":
            raise self._gone()
        if isinstance(error.result(), distributed.KilledWorker):
            return {}
        return {"reason": f"{type(error.result()).__name__}: {error.result()}"}

    async def _tried_by(self, task: dict) -> list[str]:
        """The workers that have begun with a notebook, in their order."""
        try:
            return list(await self.client.get_metadata([self.run, task["id"]], []))
        except Exception:
            raise self._gone() from None

    def _note_unfit(self, worker: str, reason: str) -> None:
        """Tell once; raise ClassroomError if no worker is left."""
        self.unfit[worker] = reason
        self._tell(f"{worker} cannot grade: {reason}")
        if self.workers and not self.workers.keys() - self.unfit.keys():
            raise ClassroomError(f"no worker of {self.address} can grade: {reason}")

    def _gone(self) -> ClassroomError:
        return ClassroomError(
            f"the scheduler at {self.address} has gone; what is graded is kept: "
            "start it, and give the same command to go on"
        )


async def connect(address: str) -> distributed.Client:
    """A client of the scheduler at `address`. Raises ClassroomError, within seconds."""
    if distributed is None:
        raise ClassroomError(
            "--dask needs Dask, here and on the workers: pip install distributed. "
            "Without --dask the notebooks are graded on this machine."
        )
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters we say ourselves
    warnings.filterwarnings("ignore", module="distributed")  # on versions, and on large tasks
    place = {"scheduler_file": address} if Path(address).is_file() else {"address": address}
    client = None
    try:
        client = distributed.Client(
            **place, asynchronous=True, timeout=CONNECT_SECONDS, set_as_default=False
        )
        return await asyncio.wait_for(client, CONNECT_SECONDS + 2)
    except Exception as error:
        told = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        with contextlib.suppress(Exception):
            await client.close()
        raise ClassroomError(
            f"no Dask scheduler answers at {address} ({told}): give the address that "
            "`dask scheduler` prints, like tcp://10.0.0.1:8786, and see that it can be reached."
        ) from None


def packed_course() -> bytes:
    """A zip of what grading needs: both packages, and the notebook that students received.

    The solution is not in it.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for package in (checkpoints, classroom):
            folder = Path(package.__file__).parent
            for path in sorted(folder.rglob("*.py")):
                archive.write(path, path.relative_to(classroom.ROOT).as_posix())
        handout = classroom.HANDOUT.relative_to(classroom.ROOT).as_posix()
        archive.writestr(handout, handout_text())
    return packed.getvalue()


def _version(name: str) -> str:
    """The version of a package here; "" if it goes by another name, as tensorflow-cpu does."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(name)
    return ""


def _lost(seed: int, tried: list[str], reasons: list[str]) -> dict:
    """The result of a notebook whose workers have died or stalled."""
    workers = f" ({', '.join(tried)})" if tried else ""
    told = f"; the last one told: {reasons[-1]}" if reasons else ""
    reason = (
        f"{TRIES} workers died or stalled while they graded it{workers}{told}. "
        "It may be this notebook that ends them: try it alone, on one machine, with check"
    )
    return nothing_graded(seed) | {"status": "lost", "reason": reason}
