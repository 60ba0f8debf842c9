"""Decoding in processes of its own, so that a hostile picture costs a worker and never the service.

Each worker is a process with a memory limit and an alarm clock, fed by one thread through one pipe: a worker
that dies takes nothing with it but the task in its hands, and another is started in its place.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import queue
import resource
import signal
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from extractor_service.descriptors.base import InputPlan
from extractor_service.errors import (
    EmptyImage,
    ImageSearchError,
    TooManyBytes,
    UndecodableImage,
    UnreadableFile,
)
from extractor_service.images import ImageLimits, Region, crop, decode, webp

T = TypeVar("T")

PREVIEW_LONG_SIDE_PX = 512
THUMBNAIL_LONG_SIDE_PX = 256


@dataclass(frozen=True, slots=True)
class QueryPicture:
    """A query, ready for the network."""

    width: int
    height: int
    """Size in pixels of the whole upright image."""
    network_input: NDArray[np.uint8]
    """As the plan prepares it, of the region alone where there is one."""
    preview: bytes
    """The whole upright image as WebP, long side at most 512 px; empty unless asked for."""


@dataclass(frozen=True, slots=True)
class IndexedPicture:
    """A file of the collection, ready for the network and for the store."""

    sha256: str
    """Of the file's bytes, hexadecimal."""
    size_bytes: int
    mtime_ns: int
    width: int
    height: int
    """Size in pixels of the upright image."""
    media_type: str
    network_input: NDArray[np.uint8]
    thumbnail: bytes
    """WebP, long side at most 256 px."""


def decode_query(
    data: bytes, limits: ImageLimits, region: Region | None, plan: InputPlan, preview: bool
) -> QueryPicture:
    """Raises whatever `images.decode` raises."""
    rgb = decode(data, limits).rgb
    height, width = rgb.shape[:2]
    wanted = rgb if region is None else crop(rgb, region)
    shown = webp(rgb, PREVIEW_LONG_SIDE_PX) if preview else b""
    return QueryPicture(width, height, plan.prepare(wanted), shown)


def decode_file(path: Path, limits: ImageLimits, plan: InputPlan) -> IndexedPicture:
    """Raises UnreadableFile, and whatever `images.decode` raises."""
    data, mtime_ns = _read(path, limits.max_bytes)
    image = decode(data, limits)
    height, width = image.rgb.shape[:2]
    return IndexedPicture(
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        mtime_ns=mtime_ns,
        width=width,
        height=height,
        media_type=image.media_type,
        network_input=plan.prepare(image.rgb),
        thumbnail=webp(image.rgb, THUMBNAIL_LONG_SIDE_PX),
    )


def _read(path: Path, max_bytes: int) -> tuple[bytes, int]:
    """The file's bytes and its mtime in nanoseconds; a file over the limit is not read."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            data = b"" if status.st_size > max_bytes else file.read(max_bytes + 1)
    except OSError as error:
        raise UnreadableFile("The file cannot be read: check its permissions and the disk.") from error
    if max(status.st_size, len(data)) > max_bytes:
        raise TooManyBytes(f"The file has {status.st_size:,} bytes; at most {max_bytes:,} are accepted.")
    if not data:
        raise EmptyImage("The file is empty.")
    return data, status.st_mtime_ns


class DecodePool:
    """A fixed number of worker processes, started at once. Thread-safe; a context manager."""

    def __init__(self, workers: int, task_timeout_s: float, memory_limit_bytes: int) -> None:
        """memory_limit_bytes: address space of one worker, its libraries included."""
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._fleet = _Fleet(task_timeout_s, memory_limit_bytes)
        self._threads = [
            threading.Thread(target=self._feed, args=(_Worker(self._fleet),), name=f"decode-{n}", daemon=True)
            for n in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> DecodePool:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def submit(self, function: Callable[..., T], *args: Any) -> Future[T]:
        """Runs a module-level function in a worker, first come, first served.

        What the function raises comes through; a worker that dies, runs out of memory or exceeds the time
        limit becomes UndecodableImage. Cancelling the future drops the task unless it has been started.
        Raises RuntimeError once the pool is closed.
        """
        if self._fleet.closed:
            raise RuntimeError("The decode pool is closed.")
        future: Future[T] = Future()
        self._tasks.put(_Task(function, args, future))
        return future

    def close(self) -> None:
        """Stops at once: waiting tasks are cancelled, running ones end in CancelledError, workers die."""
        self._fleet.close()
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads:
            thread.join()

    def _feed(self, worker: _Worker) -> None:
        while (task := self._tasks.get()) is not None:
            if self._fleet.closed:
                task.future.cancel()
            if not task.future.set_running_or_notify_cancel():
                continue
            try:
                result = worker.run(task.function, task.args)
            except BaseException as error:
                task.future.set_exception(CancelledError() if self._fleet.closed else error)
            else:
                task.future.set_result(result)


@dataclass(frozen=True, slots=True)
class _Task:
    function: Callable[..., Any]
    args: tuple[Any, ...]
    future: Future[Any]


class _Fleet:
    """Starts and ends worker processes, one at a time: multiprocessing's bookkeeping is not thread-safe."""

    def __init__(self, task_timeout_s: float, memory_limit_bytes: int) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([__name__])
        self._limits = (task_timeout_s, memory_limit_bytes)
        self._lock = threading.Lock()
        self._alive: set[BaseProcess] = set()
        self.closed = False

    def start(self) -> tuple[BaseProcess, Connection]:
        with self._lock:
            if self.closed:
                raise CancelledError
            ours, theirs = self._context.Pipe()
            process = self._context.Process(target=_serve, args=(theirs, *self._limits), daemon=True)
            process.start()
            theirs.close()
            self._alive.add(process)
            return process, ours

    def is_alive(self, process: BaseProcess) -> bool:
        with self._lock:
            return process.is_alive()

    def bury(self, process: BaseProcess) -> int | None:
        """Its exit code: negative for the signal it died of."""
        with self._lock:
            process.kill()
            process.join()
            self._alive.discard(process)
            return process.exitcode

    def close(self) -> None:
        with self._lock:
            self.closed = True
            for process in self._alive:
                process.kill()
            for process in self._alive:
                process.join()


class _Worker:
    """One process and the pipe to it, replaced whenever it dies. Used by one thread."""

    def __init__(self, fleet: _Fleet) -> None:
        self._fleet = fleet
        self._process, self._pipe = fleet.start()

    def run(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        if not self._fleet.is_alive(self._process):  # while it was idle: not the fault of this picture
            self._replace()
        try:
            self._pipe.send((function, args))
            result, error = self._pipe.recv()
        except (EOFError, OSError):
            raise _verdict(self._replace()) from None
        if error is not None:
            raise error
        return result

    def _replace(self) -> int | None:
        self._pipe.close()
        exit_code = self._fleet.bury(self._process)
        self._process, self._pipe = self._fleet.start()
        return exit_code


def _verdict(exit_code: int | None) -> UndecodableImage:
    if exit_code == -signal.SIGALRM:
        return UndecodableImage("The image takes longer to decode than is allowed.")
    return UndecodableImage("The image brought its decoder down: the file is damaged.")


def _serve(pipe: Connection, task_timeout_s: float, memory_limit_bytes: int) -> None:
    """A worker's life: ends when the other end of the pipe closes, which it does however the parent dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's affair
    resource.setrlimit(resource.RLIMIT_AS, (memory_limit_bytes, memory_limit_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(EOFError, OSError):
        while True:
            function, args = pipe.recv()
            signal.setitimer(
                signal.ITIMER_REAL, task_timeout_s
            )  # SIGALRM ends the process, even inside C code
            outcome = _outcome(function, args)
            signal.setitimer(signal.ITIMER_REAL, 0)
            pipe.send(outcome)


def _outcome(function: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, Exception | None]:
    try:
        return function(*args), None
    except ImageSearchError as error:
        return None, error
    except MemoryError:
        return None, UndecodableImage("The image takes more memory to decode than is allowed.")
    except Exception as error:
        error.add_note(traceback.format_exc())  # a traceback does not travel between processes, a note does
        return None, error
