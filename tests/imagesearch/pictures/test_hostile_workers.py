"""Workers that a picture has taken over: what they say is not believed, what they may do is little."""

from __future__ import annotations

import ctypes
import os
import pickle
import re
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from types import NoneType

import pytest

from imagesearch.errors import TooCostly
from imagesearch.pictures.pool import DecodePool
from tests.imagesearch.pictures.pool_tasks import (
    answer_past_the_pool,
    append,
    connect,
    kill,
    open_descriptors,
    open_files,
    privileges_left,
    process_id_as_bytes,
    read_memory,
    run_program,
    write,
)

GIB = 2**30


@pytest.fixture
def lone_worker() -> Iterator[DecodePool]:
    with DecodePool(workers=1, task_timeout_s=30, memory_limit_bytes=GIB) as pool:
        yield pool


class Trap:
    """Touches a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self._path,)


def framed(message: bytes) -> bytes:
    """As a `Connection` sends it."""
    return struct.pack("!i", len(message)) + message


ENDLESS = struct.pack("!iQ", -1, 2**40)


def test_an_answer_that_is_a_pickle_is_not_loaded(lone_worker: DecodePool, tmp_path: Path) -> None:
    pickled = framed(pickle.dumps((Trap(tmp_path / "loaded"), None)))
    with pytest.raises(TooCostly, match="brought its decoder down"):
        lone_worker.submit(NoneType, answer_past_the_pool, pickled).result()
    assert not (tmp_path / "loaded").exists()


@pytest.mark.parametrize("lie", [framed(b""), framed(b"\x00" * 5), struct.pack("!i", -7), ENDLESS])
def test_a_worker_that_lies_is_replaced(lone_worker: DecodePool, lie: bytes) -> None:
    liar = lone_worker.submit(int, os.getpid).result()
    with pytest.raises(TooCostly, match="brought its decoder down"):
        lone_worker.submit(NoneType, answer_past_the_pool, lie).result()
    assert lone_worker.submit(int, os.getpid).result() != liar


def test_a_worker_that_answers_something_else_is_replaced(lone_worker: DecodePool) -> None:
    liar = lone_worker.submit(int, os.getpid).result()
    with pytest.raises(TooCostly):
        lone_worker.submit(bytes, process_id_as_bytes).result()
    assert lone_worker.submit(int, os.getpid).result() != liar


def test_a_worker_that_stops_in_the_middle_of_its_answer_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imagesearch.pictures.pool.PATIENCE_S", 1.0)
    with DecodePool(workers=1, task_timeout_s=1, memory_limit_bytes=GIB) as pool:
        worker = pool.submit(int, os.getpid).result()
        with pytest.raises(TooCostly):
            pool.submit(NoneType, answer_past_the_pool, struct.pack("!i", 100)).result(timeout=10)
        assert pool.submit(int, os.getpid).result() != worker


def test_a_worker_has_only_its_pipe_and_stderr(lone_worker: DecodePool) -> None:
    found = lone_worker.submit(str, open_descriptors).result().splitlines()
    assert found[:2] == ["/dev/null", "/dev/null"]
    assert [name.partition(":")[0] for name in found[2:]].count("socket") <= 2  # stderr may be one
    assert len(found) == 4


def test_no_thread_of_a_worker_can_gain_privileges(lone_worker: DecodePool) -> None:
    assert lone_worker.submit(str, privileges_left).result().splitlines() == ["NoNewPrivs:\t1"]


def landlock_version() -> int:
    return int(ctypes.CDLL(None).syscall(444, None, 0, 1))


needs_landlock = pytest.mark.skipif(landlock_version() < 6, reason="needs Landlock, version 6 (Linux 6.12)")


def assert_denied(pool: DecodePool, function: Callable[..., None], *args: object) -> None:
    with pytest.raises(RuntimeError) as raised:
        pool.submit(NoneType, function, *args).result()
    assert re.search(r"\n(\w*Error): \[Errno", raised.value.__notes__[0])


def test_a_worker_writes_no_file(lone_worker: DecodePool, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_bytes(b"before")
    assert_denied(lone_worker, append, there)
    assert_denied(lone_worker, write, tmp_path / "new")
    assert there.read_bytes() == b"before"


@needs_landlock
def test_a_worker_neither_empties_nor_makes_nor_removes_files(
    lone_worker: DecodePool, tmp_path: Path
) -> None:
    there = tmp_path / "there"
    there.write_bytes(b"before")
    assert_denied(lone_worker, write, there)
    assert_denied(lone_worker, Path.touch, tmp_path / "new")
    assert_denied(lone_worker, Path.unlink, there)
    assert_denied(lone_worker, Path.mkdir, tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
    assert there.read_bytes() == b"before"


@needs_landlock
def test_a_worker_reaches_no_network_and_no_other_process(lone_worker: DecodePool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert_denied(lone_worker, connect, server.getsockname()[1])
    assert_denied(lone_worker, kill, os.getpid())
    assert_denied(lone_worker, read_memory, os.getpid())
    assert_denied(lone_worker, run_program)


def test_a_worker_opens_few_files_at_once(lone_worker: DecodePool) -> None:
    assert_denied(lone_worker, open_files, 100)
