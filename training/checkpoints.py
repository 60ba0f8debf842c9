"""Checkpoints: all that a run needs to go on as if it had not stopped, in one file, whole or absent."""

from __future__ import annotations

import errno
import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.errors import CheckpointDamaged, DiskFull

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state after a step."""

    state: dict[str, Any]
    """What JSON can hold: the step, the best measurement so far, the fingerprints."""
    arrays: Arrays


@contextmanager
def disk_full_told(unfinished: Path) -> Iterator[None]:
    """Nothing unfinished stays behind a failure. Raises DiskFull."""
    try:
        yield
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise DiskFull(
                f"The disk is full: {unfinished.parent} has no room for what training writes. The last whole "
                "checkpoint is kept; free some space, and the same command goes on from there."
            ) from error
        raise


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """An .npz file, under its name only once it is whole and on the disk. Raises DiskFull."""
    unfinished = path.with_name(f".{path.name}.tmp")
    with disk_full_told(unfinished):
        with unfinished.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]  # numpy's stub takes allow_pickle for a name
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Replaces the one before. Raises DiskFull, and then that one is still there."""
    state = np.frombuffer(json.dumps(checkpoint.state).encode(), np.uint8)
    write_arrays(path, {"state": state, **checkpoint.arrays})


def load_checkpoint(path: Path) -> Checkpoint:
    """Raises CheckpointDamaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        return Checkpoint(json.loads(arrays.pop("state").tobytes()), arrays)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise CheckpointDamaged(f"{path} is not a readable checkpoint; delete it to begin anew.") from error
