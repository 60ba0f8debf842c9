"""A worker of the cluster: it decodes and describes what it is given, and keeps nothing."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from imagesearch.descriptors.known_picture import describe_known
from imagesearch.errors import InvalidImage
from imagesearch.pictures.prepare import IndexedPicture
from imagesearch.store.ledger import FileState
from imagesearch.store.recipe import Recipe
from indexer.decoded import decode_ahead
from indexer.decoding import decoder
from indexer.describing import Described, describe
from indexer.network_source import Networks
from indexer.networks import Describer, load_describer
from indexer.settings import IndexerSettings

Found = tuple[IndexedPicture, Described] | InvalidImage
"""The picture without what the networks took, or why there is none."""
_NOTHING = np.empty((0, 0, 0, 0), np.uint8)


@dataclass(frozen=True, slots=True)
class Job:
    """What the workers of one build have in common."""

    key: str
    """Another one for each build."""
    settings: IndexerSettings
    recipe: Recipe
    networks: Networks
    known: NDArray[np.floating] | None
    """See `describe_known`."""


class Station:
    """The networks and the decoding processes of one job, for as long as this process lives. Thread-safe."""

    def __init__(self, job: Job) -> None:
        """Raises ModelError, and ModelDamaged where this machine describes otherwise than the indexer."""
        self.job = job
        self._lock = threading.Lock()
        self._parts = ExitStack()
        opening = decoder(job.settings, job.recipe, partial(_checked_describer, job))
        self._decode, self._describer = self._parts.enter_context(opening)

    def described(self, files: Sequence[FileState], folder: Path) -> list[Found]:
        """One a file, in their order."""
        with self._lock:
            outcomes = decode_ahead(files, lambda file: self._decode(folder / file.path), len(files))
            found = [outcome for _, outcome in outcomes]
            pictures = [each for each in found if isinstance(each, IndexedPicture)]
            described = iter(describe(self._describer, pictures) if pictures else [])
        return [
            (replace(each, network_input=_NOTHING, map_input=None), next(described))
            if isinstance(each, IndexedPicture)
            else each
            for each in found
        ]

    def close(self) -> None:
        self._parts.close()


_opening = threading.Lock()
_station: Station | None = None


def describe_files(
    job: Job, files: Sequence[FileState], contents: Sequence[bytes | None] | None
) -> list[Found]:
    """What a worker is asked for. contents: of the files where the folder cannot be seen from here."""
    station = _station_of(job)
    if contents is None:
        return station.described(files, job.settings.images_dir)
    with TemporaryDirectory() as folder:
        for file, content in zip(files, contents, strict=True):
            if content is not None:
                _write(Path(folder) / file.path, content, file.mtime_ns)
        return station.described(files, Path(folder))


def leave(key: str) -> None:
    """Ends the station of this job, if it is the one here."""
    global _station
    with _opening:
        if _station is not None and _station.job.key == key:
            _station.close()
            _station = None


def _station_of(job: Job) -> Station:
    global _station
    with _opening:
        if _station is None or _station.job.key != job.key:
            if _station is not None:
                _station.close()
            _station = Station(job)
        return _station


def _checked_describer(job: Job) -> Describer:
    describer = load_describer(job.recipe, job.networks)
    if describer.descriptor is not None:
        describe_known(describer.descriptor, job.known)
    return describer


def _write(path: Path, content: bytes, mtime_ns: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, ns=(mtime_ns, mtime_ns))
