"""Who asks: which request of which client is being answered in this task."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Caller:
    """Both empty where nobody said."""

    client: str = ""
    """Tells clients apart, and nothing more."""
    request_id: str = ""


NOBODY = Caller()
current_caller: ContextVar[Caller] = ContextVar("current_caller", default=NOBODY)


async def in_thread(threads: Executor, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """In the context of the call, by which logs and traces know it."""
    work = partial(copy_context().run, function, *args, **kwargs)
    return await asyncio.wrap_future(threads.submit(work))
