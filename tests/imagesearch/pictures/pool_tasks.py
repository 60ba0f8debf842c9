"""What the tests have the pool's workers do. Imported by every worker, so it imports little."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from imagesearch.errors import TooManyPixels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from imagesearch.local_features import LocalFeatures


T = TypeVar("T")


def echo(value: T) -> T:
    return value


def refuse(sentence: str) -> None:
    raise TooManyPixels(sentence)


def divide(dividend: int, divisor: int) -> int:
    return dividend // divisor


def die(signal_number: int) -> None:
    os.kill(os.getpid(), signal_number)


def exit_silently() -> None:
    os._exit(0)


def compute_for_ever() -> int:
    return sum(range(10**14))  # one call into C: no bytecode in between at which a handler could run


def compute(cpu_s: float) -> None:
    while time.process_time() < cpu_s:
        pass


def allocate(size_bytes: int) -> int:
    return len(bytes(size_bytes))


_hoard: list[bytearray] = []


def hoard(size_bytes: int) -> int:
    """Keeps it until the worker ends."""
    _hoard.append(bytearray(b"\x01") * size_bytes)
    return os.getpid()


def outlast_a_hoard(fate: str) -> int:
    """Goes well in a worker that hoards nothing, and ends by its fate in one that does."""
    if _hoard:
        {"memory": exhaust_memory, "time": compute_for_ever, "death": exit_silently}[fate]()
    return os.getpid()


def exhaust_memory() -> None:
    bytes(2**40)


def wait_for(gate: Path) -> int:
    while not gate.exists():
        time.sleep(0.005)
    return os.getpid()


def open_descriptors() -> str:
    """What each is, one a line, but for the one that lists them."""
    paths = list(Path("/proc/self/fd").iterdir())
    return "\n".join(str(path.readlink()) for path in paths if path.is_symlink())


def privileges_left() -> str:
    """What each thread of the worker says of them, one a line."""
    paths = Path("/proc/self/task").glob("*/status")
    lines = [line for path in paths for line in path.read_text().splitlines()]
    return "\n".join(line for line in lines if line.startswith("NoNewPrivs:"))


def answer_past_the_pool(written: bytes) -> None:
    """Writes to the pipe what it likes and stops its clock, as a worker that a picture has taken over."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    pipe = next(number for number in range(3, 32) if _is_socket(number))
    os.write(pipe, written)
    time.sleep(60)


def _is_socket(number: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(number).st_mode)
    except OSError:
        return False


def write(path: Path) -> None:
    path.write_bytes(b"written by a worker")


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"written by a worker")


def connect(port: int) -> None:
    socket.create_connection(("127.0.0.1", port), timeout=5)


def run_program() -> None:
    subprocess.run(["/bin/true"], check=True)


def kill(pid: int) -> None:
    os.kill(pid, 0)


def read_memory(pid: int) -> None:
    Path(f"/proc/{pid}/mem").read_bytes()


def open_files(count: int) -> None:
    for _ in range(count):
        os.open("/dev/null", os.O_RDONLY)


class Insatiable:
    """In place of a `RootSift`: takes more memory than any worker has."""

    long_side_px = 1024

    def extract(self, rgb: NDArray[np.uint8]) -> LocalFeatures:
        import cv2

        cv2.resize(rgb, (30_000, 30_000))
        raise AssertionError


def process_id_as_bytes() -> bytes:
    """Answers with a number, whatever it promises."""
    return os.getpid()  # type: ignore[return-value]


def has_imported(module: str) -> str:
    """Whether this worker has done so."""
    return str(module in sys.modules)
