"""Groups concurrent descriptions into one run of the network.

An idle network takes an image at once; while it is busy, images queue up and the next run takes them
together. Nobody ever waits for a batch to fill.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from extractor_service.metrics import BATCH_SIZE, WAITING

waiting = WAITING.labels("network")

Describe = Callable[[Sequence[NDArray[np.uint8]]], Iterable[NDArray[np.float32]]]
"""Of each image an array."""


@dataclass(frozen=True, slots=True)
class _Job:
    network_input: NDArray[np.uint8]
    result: asyncio.Future[NDArray[np.float32]]


class Batcher:
    """Runs `describe` in a thread of its own. Its callers share one event loop.

    `max_batch` bounds memory, and how long the first image of a run waits for the others' computation.
    """

    def __init__(self, describe: Describe, max_batch: int) -> None:
        self._describe = describe
        self._max_batch = max_batch
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="network", daemon=True)
        self._thread.start()

    async def describe(self, network_input: NDArray[np.uint8]) -> NDArray[np.float32]:
        """One image's item of what `describe` returns.

        Cancelled before its turn, it costs no network time. Raises what the network raises.
        """
        result: asyncio.Future[NDArray[np.float32]] = asyncio.get_running_loop().create_future()
        waiting.inc()
        self._jobs.put(_Job(network_input, result))
        return await result

    def close(self) -> None:
        """Finishes what is queued, then ends the thread. Nothing may be described afterwards."""
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        closing = False
        while not closing:
            jobs = self._take()
            closing = None in jobs
            taken = [job for job in jobs if job is not None]
            waiting.dec(len(taken))
            wanted = [job for job in taken if not job.result.cancelled()]
            if wanted:
                self._answer(wanted)

    def _take(self) -> list[_Job | None]:
        """Waits for one job, then adds those already there."""
        jobs = [self._jobs.get()]
        while len(jobs) < self._max_batch and jobs[-1] is not None:
            try:
                jobs.append(self._jobs.get_nowait())
            except queue.Empty:
                break
        return jobs

    def _answer(self, jobs: list[_Job]) -> None:
        answers: Sequence[NDArray[np.float32]] | Exception
        try:
            answers = list(self._describe([job.network_input for job in jobs]))
        except Exception as error:
            # Each caller gets it; the thread must go on for the next ones.
            answers = error
        BATCH_SIZE.observe(len(jobs))
        # All at once: to wake the event loop for each took as long as a small network itself.
        with suppress(RuntimeError):  # the event loop is closed: nobody waits any more
            jobs[0].result.get_loop().call_soon_threadsafe(_settle, jobs, answers)


def _settle(jobs: Sequence[_Job], answers: Sequence[NDArray[np.float32]] | Exception) -> None:
    for place, job in enumerate(jobs):
        if job.result.done():  # cancelled meanwhile
            continue
        if isinstance(answers, Exception):
            job.result.set_exception(answers)
        else:
            job.result.set_result(answers[place])
