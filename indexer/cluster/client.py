"""The indexer's end of a Dask cluster: files go out in chunks, what they are described as comes back."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from imagesearch.errors import ModelError
from imagesearch.store.ledger import FileState, Ledger
from indexer.cluster.station import Found, Job, describe_files, leave
from indexer.errors import ClusterUnavailable
from indexer.network_source import Networks
from indexer.settings import IndexerSettings

logger = logging.getLogger(__name__)

CHUNK = 32
"""Files that one task describes."""
AHEAD_PER_THREAD = 3
"""Tasks that are out at once: one that runs, those that wait for it to end."""
RETRIES = 20
"""Of a task whose workers die. A photo cannot bring one down: it is decoded in a process of its own."""
CONNECT_S = 10.0


class Cluster:
    """A scheduler and its workers."""

    def __init__(self, client: Any, networks: Networks) -> None:
        """client: a `distributed.Client`."""
        self._client = client
        self._networks = networks

    def described(
        self, settings: IndexerSettings, ledger: Ledger, files: Sequence[FileState]
    ) -> Iterator[tuple[FileState, Found]]:
        """Every file with what became of it, in the order given. Raises ClusterUnavailable and ModelError."""
        job = Job(secrets.token_hex(8), settings, ledger.recipe, self._networks, ledger.known)
        with _typed_failures():
            try:
                yield from self._described(job, files)
            finally:
                with suppress(Exception):  # workers that are gone have nothing to leave
                    self._client.run(leave, job.key)

    def _described(self, job: Job, files: Sequence[FileState]) -> Iterator[tuple[FileState, Found]]:
        by_path = self._sees(job.settings.images_dir)
        waiting: deque[tuple[Sequence[FileState], Any]] = deque()
        most = AHEAD_PER_THREAD * max(1, sum(self._client.nthreads().values()))
        for start in range(0, len(files), CHUNK):
            chunk = files[start : start + CHUNK]
            contents = None if by_path else [_content(job.settings.images_dir / file.path) for file in chunk]
            task = self._client.submit(
                describe_files, job, chunk, contents, pure=False, retries=RETRIES, key=f"{job.key}-{start}"
            )
            waiting.append((chunk, task))
            if len(waiting) > most:
                yield from _answers(*waiting.popleft())
        while waiting:
            yield from _answers(*waiting.popleft())

    def _sees(self, folder: Path) -> bool:
        """Whether every worker does. Raises ClusterUnavailable where there is no worker."""
        if not self._client.nthreads():
            raise ClusterUnavailable("The Dask cluster has no workers; start some, then build again.")
        answers = self._client.run(folder.is_dir, on_error="ignore")  # of those that die just now
        return all(answers.values())


@contextmanager
def connected(address: str, networks: Networks) -> Iterator[Cluster | None]:
    """The cluster; None without an address. Raises ClusterUnavailable."""
    if not address:
        yield None
        return
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise ClusterUnavailable("--dask needs the packages of requirements/dask.txt.") from error
    with _typed_failures():
        client = Client(address, timeout=CONNECT_S, set_as_default=False)
    with client:
        workers = len(client.nthreads())
        logger.info("Describing on %d workers; the dashboard is at %s.", workers, client.dashboard_link)
        yield Cluster(client, networks)


def _answers(files: Sequence[FileState], task: Any) -> Iterator[tuple[FileState, Found]]:
    yield from zip(files, task.result(), strict=True)


def _content(path: Path) -> bytes | None:
    """None for a file that cannot be read, of which the worker then says so."""
    try:
        return path.read_bytes()
    except OSError:
        return None


@contextmanager
def _typed_failures() -> Iterator[None]:
    """Dask raises errors of the tasks as they are; its own become ClusterUnavailable."""
    try:
        yield
    except (ClusterUnavailable, ModelError, GeneratorExit):
        raise
    except (Exception, asyncio.CancelledError) as error:
        logger.warning("Dask: %r", error)
        if "deserializ" in str(error):
            raise ClusterUnavailable(
                "Dask's scheduler and workers need this package, of the same version, in their Python."
            ) from error
        raise ClusterUnavailable(
            "The Dask cluster cannot be reached, or was lost. What is described is kept; the same command "
            "goes on from there."
        ) from error
