"""The processes that decode: what kills one of them must reach neither the others nor the service."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from types import NoneType

import pytest

from imagesearch.errors import TooCostly, TooManyPixels, UndecodableImage
from imagesearch.pictures.pool import MAX_IDLE_BYTES, DecodePool
from tests.imagesearch.pictures.pool_tasks import (
    allocate,
    compute,
    compute_for_ever,
    die,
    divide,
    echo,
    exit_silently,
    has_imported,
    hoard,
    outlast_a_hoard,
    refuse,
    wait_for,
)
from tests.memory import own_bytes

GIB = 2**30
REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def pool() -> Iterator[DecodePool]:
    with DecodePool(workers=2, task_timeout_s=30, memory_limit_bytes=GIB) as pool:
        yield pool


@pytest.fixture
def lone_worker() -> Iterator[DecodePool]:
    with DecodePool(workers=1, task_timeout_s=30, memory_limit_bytes=GIB) as pool:
        yield pool


def exists(pid: int) -> bool:
    """A zombie that nobody has reaped yet does not count."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < give_up, "waited in vain"
        time.sleep(0.01)


def test_results_come_back_in_the_order_of_their_tasks(pool: DecodePool) -> None:
    futures = [pool.submit(int, echo, number) for number in range(200)]
    assert [future.result() for future in futures] == list(range(200))


def test_large_arguments_and_results_travel_whole(pool: DecodePool) -> None:
    data = os.urandom(20 * 2**20)
    assert pool.submit(bytes, echo, data).result() == data


def test_work_runs_in_other_processes_side_by_side(pool: DecodePool, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    futures = [pool.submit(int, wait_for, gate) for _ in range(2)]
    wait_until(lambda: all(future.running() for future in futures))
    gate.touch()
    assert len({future.result() for future in futures} | {os.getpid()}) == 3


def test_a_worker_has_at_hand_what_its_first_photo_needs(pool: DecodePool) -> None:
    assert pool.submit(str, has_imported, "cv2").result() == "True"


def test_typed_errors_come_through_unchanged(pool: DecodePool) -> None:
    with pytest.raises(TooManyPixels, match=r"^So it is\.$") as raised:
        pool.submit(NoneType, refuse, "So it is.").result()
    assert not hasattr(raised.value, "__notes__")


def test_a_defect_comes_through_with_the_place_it_happened(pool: DecodePool) -> None:
    with pytest.raises(RuntimeError) as raised:
        pool.submit(int, divide, 1, 0).result()
    assert "return dividend // divisor\n" in raised.value.__notes__[0]
    assert "ZeroDivisionError" in raised.value.__notes__[0]


def test_what_cannot_be_sent_fails_alone(pool: DecodePool) -> None:
    with pytest.raises((AttributeError, TypeError)):
        pool.submit(int, lambda: 1).result()
    assert pool.submit(int, echo, 1).result() == 1


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_a_dying_worker_fails_only_its_own_task(pool: DecodePool, signal_number: int) -> None:
    before = [pool.submit(int, echo, number) for number in range(20)]
    deaths = [pool.submit(NoneType, die, signal_number) for _ in range(4)]
    after = [pool.submit(int, echo, number) for number in range(20)]
    for death in deaths:
        with pytest.raises(UndecodableImage, match="brought its decoder down"):
            death.result()
    assert [future.result() for future in before + after] == [*range(20), *range(20)]


def test_a_worker_that_leaves_without_a_word_is_replaced(lone_worker: DecodePool) -> None:
    with pytest.raises(UndecodableImage):
        lone_worker.submit(NoneType, exit_silently).result()
    assert lone_worker.submit(int, echo, 1).result() == 1


def test_a_worker_killed_while_idle_costs_no_task(lone_worker: DecodePool) -> None:
    victim = lone_worker.submit(int, os.getpid).result()
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: not exists(victim))
    assert lone_worker.submit(int, os.getpid).result() != victim


def test_a_task_that_takes_too_long_is_ended_even_inside_one_c_call() -> None:
    with DecodePool(workers=1, task_timeout_s=0.2, memory_limit_bytes=GIB) as pool:
        with pytest.raises(UndecodableImage, match="longer"):
            pool.submit(int, compute_for_ever).result()
        assert pool.submit(int, echo, 1).result() == 1


def test_each_death_is_counted_by_its_cause_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    deaths: list[str] = []
    with DecodePool(1, task_timeout_s=0.5, memory_limit_bytes=GIB, on_death=deaths.append) as pool:
        for task in ((NoneType, die, signal.SIGSEGV), (int, compute_for_ever), (int, allocate, 2 * GIB)):
            with pytest.raises(TooCostly):
                pool.submit(*task).result()
        victim = pool.submit(int, os.getpid).result()
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: not exists(victim))
        assert pool.submit(int, echo, 1).result() == 1
    assert deaths == ["crash", "time", "memory", "crash"]
    assert [line.getMessage() for line in caplog.records if "decoder" in line.getMessage()] == [
        "a decoder has ended: crash (exit code -11)",
        "a decoder has ended: time (exit code -14)",
        "a decoder has ended: memory (exit code 12)",
        "a decoder has ended: crash (exit code -9)",
    ]


def test_the_time_limit_is_for_one_task_and_not_for_all() -> None:
    with DecodePool(workers=1, task_timeout_s=1, memory_limit_bytes=GIB) as pool:
        worker = pool.submit(int, os.getpid).result()
        for future in [pool.submit(NoneType, time.sleep, 0.1) for _ in range(12)]:
            assert future.result() is None
        time.sleep(1.2)  # nor does it run while the worker is idle
        assert pool.submit(int, os.getpid).result() == worker


def test_a_task_that_takes_too_much_memory_is_refused(lone_worker: DecodePool) -> None:
    with pytest.raises(TooCostly, match="memory"):
        lone_worker.submit(int, allocate, 2 * GIB).result()
    assert lone_worker.submit(int, allocate, GIB // 4).result() == GIB // 4


def test_a_client_is_costly_by_what_is_computed_and_not_by_what_a_busy_machine_makes_of_it() -> None:
    with DecodePool(workers=2, task_timeout_s=30, memory_limit_bytes=GIB) as pool:
        pool.submit(NoneType, time.sleep, 1.2, client="starved").result()
        pool.submit(NoneType, compute, 1.2, client="hostile").result()
        held = pool.submit(NoneType, time.sleep, 60, client="hostile")
        wait_until(held.running)
        waiting = pool.submit(int, echo, 1, client="hostile")
        assert pool.submit(int, echo, 1, client="starved").result(timeout=20) == 1
        assert not waiting.done()


def test_where_memory_ends_a_worker_goes_before_the_service(lone_worker: DecodePool) -> None:
    worker = lone_worker.submit(int, os.getpid).result()
    scores = [int(Path(f"/proc/{pid}/oom_score").read_text()) for pid in (worker, os.getpid())]
    assert scores[0] > scores[1]
    assert Path(f"/proc/{worker}/oom_score_adj").read_text() == "1000\n"


@pytest.mark.parametrize("fate", ["memory", "time", "death"])
def test_what_a_worker_fails_at_for_what_came_before_is_done_by_a_fresh_one(fate: str) -> None:
    with DecodePool(workers=1, task_timeout_s=1, memory_limit_bytes=GIB) as pool:
        used = pool.submit(int, hoard, 1).result()
        assert pool.submit(int, outlast_a_hoard, fate).result() != used


def test_a_worker_that_has_grown_is_replaced_before_the_next_task(lone_worker: DecodePool) -> None:
    grown = lone_worker.submit(int, hoard, MAX_IDLE_BYTES).result()
    wait_until(lambda: not exists(grown))
    assert lone_worker.submit(int, os.getpid).result() != grown


def test_a_worker_that_has_not_grown_much_stays(lone_worker: DecodePool) -> None:
    worker = lone_worker.submit(int, hoard, MAX_IDLE_BYTES // 2).result()
    assert lone_worker.submit(int, os.getpid).result() == worker


def test_an_idle_worker_has_let_go_of_its_last_task(lone_worker: DecodePool) -> None:
    size = 100_000_000
    worker = lone_worker.submit(int, os.getpid).result()
    before = own_bytes(worker)
    assert lone_worker.submit(bytes, echo, bytes(size)).result() == bytes(size)
    wait_until(lambda: own_bytes(worker) < before + size // 2)


def test_a_cancelled_task_is_not_run(lone_worker: DecodePool, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    running = lone_worker.submit(int, wait_for, gate)
    deadly = lone_worker.submit(NoneType, exit_silently)
    assert deadly.cancel()
    gate.touch()
    assert lone_worker.submit(int, os.getpid).result() == running.result()


def test_closing_leaves_no_worker_and_no_future_open(tmp_path: Path) -> None:
    pool = DecodePool(workers=2, task_timeout_s=60, memory_limit_bytes=GIB)
    never = tmp_path / "never"
    running = [pool.submit(int, wait_for, never) for _ in range(2)]
    waiting = [pool.submit(int, echo, n) for n in range(10)]
    wait_until(lambda: all(future.running() for future in running))
    workers = multiprocessing.active_children()
    assert len(workers) == 2
    pool.close()
    assert not any(worker.pid and exists(worker.pid) for worker in workers)
    assert all(future.cancelled() for future in waiting)
    for future in running:
        with pytest.raises(CancelledError):
            future.result(timeout=10)
    with pytest.raises(RuntimeError):
        pool.submit(int, echo, 1)
    pool.close()


PARENT = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # also where the tests run in the background
sys.path.insert(0, {repository!r})
from imagesearch.pictures.pool import DecodePool
from tests.imagesearch.pictures.pool_tasks import compute_for_ever

if __name__ == "__main__":
    try:
        pool = DecodePool(workers=2, task_timeout_s=2, memory_limit_bytes=2**30)
        {busy}
        print("started", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        {finish}
"""


def start_parent(tmp_path: Path, busy: str = "pass", finish: str = "pool.close()") -> subprocess.Popen[str]:
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(repository=str(REPOSITORY), busy=busy, finish=finish))
    return subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=REPOSITORY,
    )


def members_of_session(session: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and exists(int(entry.name)):
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[3]) == session:
                found.append(int(entry.name))
    return found


@pytest.mark.parametrize("busy", ["pass", "pool.submit(int, compute_for_ever)"])
def test_nothing_outlives_a_killed_parent(tmp_path: Path, busy: str) -> None:
    with start_parent(tmp_path, busy) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "started\n"
        assert len(members_of_session(parent.pid)) >= 3
        parent.kill()
        parent.wait()
        wait_until(lambda: not members_of_session(parent.pid))


WORKERS_SERVE = "[task.result() for task in [pool.submit(type(None), time.sleep, 0.3) for _ in range(2)]]"


@pytest.mark.parametrize("before", ["pass", WORKERS_SERVE], ids=["while starting", "once they serve"])
@pytest.mark.parametrize("finish", ["pool.close()", WORKERS_SERVE, "pass"], ids=["close", "go on", "exit"])
def test_ctrl_c_is_the_parents_affair_alone(tmp_path: Path, before: str, finish: str) -> None:
    with start_parent(tmp_path, before, finish) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "started\n"
        os.killpg(parent.pid, signal.SIGINT)
        _, complaints = parent.communicate(timeout=30)
        assert complaints == ""
        assert parent.returncode == 0
        wait_until(lambda: not members_of_session(parent.pid))
