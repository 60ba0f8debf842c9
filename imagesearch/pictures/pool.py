"""Processes for work on untrusted bytes: a hostile picture costs a worker and never the service.

Each worker is a process with a memory limit and an alarm clock, fed by one thread through one pipe. One that
dies is replaced, and what it had in hand is tried by a fresh one, for what came before may be to blame. One
that has grown is replaced as well: decoders seldom give back all that they took. One that a picture has taken
over can lie about pictures, but it is confined (`host.confinement`), and its answers are bytes that are
checked (`wire`): what is not an answer costs it its life.
"""

from __future__ import annotations

import logging
import multiprocessing
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Literal, TypeVar

from imagesearch.errors import TooCostly
from imagesearch.host.cpus import cpu_seconds
from imagesearch.host.memory import resident_bytes
from imagesearch.pictures import wire
from imagesearch.pictures.fair_queue import FairQueue
from imagesearch.pictures.worker import OUT_OF_MEMORY, serve

logger = logging.getLogger(__name__)

T = TypeVar("T")
Cause = Literal["memory", "time", "crash", "lie"]
OnDeath = Callable[[Cause], None]

PRELOADED = [
    "imagesearch.pictures.one_thread",
    "imagesearch.local_features.rootsift",
    "imagesearch.pictures.prepare",
    "imagesearch.pictures.worker",
]
"""Imported once by the server that workers are forked from, so that a new one starts in milliseconds and its
first photo takes no longer than the next."""
MAX_IDLE_BYTES = 256 << 20
"""Of a worker's resident memory between tasks. Photos of 12 megapixels leave 60 to 250 MB, larger ones up to
700; a fresh worker starts in 50 ms."""
PATIENCE_S = 30.0
"""Given to a worker on top of its own alarm clock, to start and to hand over; then it is ended from here."""


class DecodePool:
    """A fixed number of worker processes, started at once. Thread-safe; a context manager."""

    def __init__(
        self,
        workers: int,
        task_timeout_s: float,
        memory_limit_bytes: int,
        on_death: OnDeath = lambda cause: None,
    ) -> None:
        """memory_limit_bytes: address space of one worker, its libraries (0.2 GiB) included. on_death: is
        told why a worker ended that was not ended from here."""
        self._tasks: FairQueue[_Task] = FairQueue()
        self._accepting = threading.Lock()
        self._fleet = _Fleet(task_timeout_s, memory_limit_bytes, on_death)
        self._threads = [
            threading.Thread(target=self._feed, args=(_Worker(self._fleet), takes), daemon=True)
            for takes in (workers == 1, *[True] * (workers - 1))
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> DecodePool:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def submit(self, kind: type[T], function: Callable[..., T], *args: Any, client: str = "") -> Future[T]:
        """Runs a module-level function in a worker.

        kind: of what the function returns, as `wire.unpack` takes it. client: for whom, see `FairQueue`. An
        InvalidImage that the function raises comes through, any other error as a RuntimeError that holds its
        traceback. Where a fresh worker dies, lies, runs out of memory or exceeds the time limit, it is
        TooCostly. Cancelling the future drops the task unless it has been started. Raises
        RuntimeError once the pool is closed.
        """
        future: Future[T] = Future()
        with self._accepting:
            if self._fleet.closed:
                raise RuntimeError("The decode pool is closed.")
            self._tasks.put(client, _Task(kind, function, args, future))
        return future

    @property
    def waiting(self) -> int:
        """Tasks that no worker has taken yet."""
        return len(self._tasks)

    def close(self) -> None:
        """Stops at once: waiting tasks are cancelled, running ones end in CancelledError, workers die."""
        with self._accepting:
            self._fleet.close()
            self._tasks.close()
        for thread in self._threads:
            thread.join()

    def _feed(self, worker: _Worker, costly_too: bool) -> None:
        """costly_too: False for a worker that is left to clients whose photos cost little."""
        while taken := self._tasks.take(costly_too):
            client, task = taken
            if self._fleet.closed:
                task.future.cancel()
            if not task.is_again and not task.future.set_running_or_notify_cancel():
                continue
            finish = self._attempt(worker, client, task)
            self._tasks.charge(client, worker.cost_s)
            finish()
            with suppress(CancelledError, OSError, EOFError):  # the next task tries again
                worker.renew()

    def _attempt(self, worker: _Worker, client: str, task: _Task) -> Callable[[], object]:
        """What is left to do: to hand over the result, or to wait for another try."""
        is_final = task.is_again or worker.is_fresh
        try:
            return partial(task.future.set_result, worker.run(task))
        except TooCostly as error:
            if is_final:
                return partial(task.future.set_exception, error)
            return partial(self._tasks.put, client, replace(task, is_again=True))
        except Exception as error:
            return partial(task.future.set_exception, error)


@dataclass(frozen=True, slots=True)
class _Task:
    kind: type[Any]
    function: Callable[..., Any]
    args: tuple[Any, ...]
    future: Future[Any]
    is_again: bool = False
    """Whether it has cost a worker its life that something had come before."""


class _Worker:
    """One process and the pipe to it, replaced whenever it dies. Used by one thread."""

    def __init__(self, fleet: _Fleet) -> None:
        self._fleet = fleet
        self._process, self._pipe = fleet.start()
        self.is_fresh = True
        """Whether nothing has come before."""
        self.cost_s = 0.0
        """Of the last task: what it has computed, for a busy machine must make nobody costly; where it cost
        the process its life, all the time that this took."""

    def run(self, task: _Task) -> Any:
        """Raises TooCostly where it costs the process its life; then a fresh one is in its place."""
        self._bury()
        if task.is_again and not self.is_fresh:
            self._replace()
        self.is_fresh = False
        started, computed_s = time.monotonic(), cpu_seconds(self._process.pid)
        try:
            return self._answer(task)
        finally:
            waited_s = time.monotonic() - started
            self.cost_s = waited_s if self.is_fresh else cpu_seconds(self._process.pid) - computed_s

    def _answer(self, task: _Task) -> Any:
        try:
            self._pipe.send((task.function, task.args))
            message = self._pipe.recv_bytes(wire.MAX_MESSAGE_BYTES)
        except (EOFError, OSError):
            raise self._died() from None
        try:
            return wire.unpack(message, task.kind)
        except ValueError:
            raise self._died("lie") from None

    def renew(self) -> None:
        """Between tasks: replaces the process where it is dead or has grown too large."""
        self._bury()
        if resident_bytes(self._process.pid) > MAX_IDLE_BYTES:
            self._replace()

    def _bury(self) -> None:
        """Replaces the process where it is dead: while no answer is due, something to read can only be the
        end of the pipe."""
        if self._pipe.poll():
            self._died()

    def _died(self, cause: Cause | None = None) -> TooCostly:
        """Replaces the process, and tells what its end says of its task. cause: None for its exit code's."""
        exit_code = self._replace()
        cause = cause or _cause(exit_code)
        logger.warning("a decoder has ended: %s (exit code %s)", cause, exit_code)
        self._fleet.on_death(cause)
        return TooCostly(_VERDICTS[cause])

    def _replace(self) -> int | None:
        exit_code = self._fleet.end_process(self._process)
        fresh = self._fleet.start()
        self._pipe.close()
        self._process, self._pipe = fresh
        self.is_fresh = True
        return exit_code


class _Fleet:
    """Starts and ends worker processes, one at a time: multiprocessing's bookkeeping is not thread-safe."""

    def __init__(self, task_timeout_s: float, memory_limit_bytes: int, on_death: OnDeath) -> None:
        self.on_death = on_death
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(PRELOADED)
        self._limits = (task_timeout_s, memory_limit_bytes)
        self._lock = threading.Lock()
        self._started: set[BaseProcess] = set()
        self.closed = False

    def start(self) -> tuple[BaseProcess, Connection]:
        """Raises CancelledError once the fleet is closed: that is how a running task ends then."""
        with self._lock:
            if self.closed:
                raise CancelledError
            ours, theirs = self._context.Pipe()
            _bound_waiting(ours, self._limits[0] + PATIENCE_S)
            process = self._context.Process(target=serve, args=(theirs, *self._limits), daemon=True)
            with _ctrl_c_held_back():
                process.start()
            theirs.close()
            self._started.add(process)
            return process, ours

    def end_process(self, process: BaseProcess) -> int | None:
        """Its exit code: negative for the signal it died of."""
        with self._lock:
            process.kill()
            process.join()
            self._started.discard(process)
            return process.exitcode

    def close(self) -> None:
        with self._lock:
            self.closed = True
            for process in self._started:
                process.kill()
            for process in self._started:
                process.join()


@contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """What is started inside never sees Ctrl-C, which a terminal sends to all: the mask is inherited."""
    resource_tracker.ensure_running()  # started inside, it would lift the mask for all that follow
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _bound_waiting(pipe: Connection, seconds: float) -> None:
    """Reading and writing raise BlockingIOError, an OSError, where nothing moves for so long: socket(7)."""
    timeval = struct.pack("ll", int(seconds), int(seconds % 1 * 1e6))
    with socket.fromfd(pipe.fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as same:
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            same.setsockopt(socket.SOL_SOCKET, option, timeval)


def _cause(exit_code: int | None) -> Cause:
    if exit_code == OUT_OF_MEMORY:
        return "memory"
    return "time" if exit_code == -signal.SIGALRM else "crash"


_BROUGHT_DOWN = "The image cannot be decoded: it brought its decoder down."
_VERDICTS: dict[Cause, str] = {
    "memory": "The image takes more memory to decode than is allowed.",
    "time": "The image takes longer to decode than is allowed.",
    "crash": _BROUGHT_DOWN,
    "lie": _BROUGHT_DOWN,
}
