"""A decoding process's life: it takes a task from its pipe, answers, and lets go of it before the next."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from imagesearch.host.confinement import confine
from imagesearch.host.memory import be_first_to_go, keep_freed_memory
from imagesearch.pictures import wire

OUT_OF_MEMORY = 12
"""What it exits with when a task takes more memory than it has: ENOMEM."""
KEPT_BYTES = 64 << 20
"""Of its memory, for the next picture: to have it zeroed and mapped again takes a fifth of the time of
decoding a photo of 640 × 480, and of finding local features at 448 pixels, for which 32 MiB are too few."""


def serve(pipe: Connection, task_timeout_s: float, memory_limit_bytes: int) -> None:
    """Ends when the other end of the pipe closes, however the parent dies."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_limit_bytes, memory_limit_bytes))
    keep_freed_memory(KEPT_BYTES)
    be_first_to_go()
    confine(pipe.fileno())
    try:
        with suppress(EOFError, OSError):
            while True:
                _answer(pipe, task_timeout_s)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)  # at once: the parent takes a pipe that closes for an end that has come


def _answer(pipe: Connection, task_timeout_s: float) -> None:
    function, args = pipe.recv()
    # Nobody handles SIGALRM, so the kernel ends the process with it, even inside C code.
    signal.setitimer(signal.ITIMER_REAL, task_timeout_s)
    message = _message(function, args)
    signal.setitimer(signal.ITIMER_REAL, 0)
    pipe.send_bytes(message)


def _message(function: Callable[..., Any], args: tuple[Any, ...]) -> bytes:
    try:
        return wire.pack(function(*args))
    except MemoryError:
        raise
    except Exception as error:
        return wire.pack_error(error)
