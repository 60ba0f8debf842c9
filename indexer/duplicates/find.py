"""Comparing each new image with those that it may be akin to, in blocks that a kill cannot undo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import numpy as np
from threadpoolctl import threadpool_limits

from imagesearch.host.cpus import available_cpus
from imagesearch.index.base import Neighbours
from imagesearch.index.exact import ExactIndex
from imagesearch.local_features.votes import most_voted
from imagesearch.ranking.kinship import Kinship
from imagesearch.store.duplicates import Duplicates, Pair, read_duplicates, write_duplicates
from imagesearch.store.layout import StoreLayout
from imagesearch.store.snapshot import Snapshot
from indexer.duplicates.judge import Judge
from indexer.progress import ShowProgress
from indexer.settings import IndexerSettings

METHOD = "2"
"""Of comparing; another one begins anew."""
NEAREST = 5
NEAREST_BY_FEATURES = 4
"""Each image is compared with so many others: the nearest by descriptor, among which are copies that were
compressed, scaled, toned or mirrored, and by local features, among which are those turned or cut."""
VOTING_FEATURES = 100
"""The strongest of each image: a copy shares most of them."""
BLOCK = 1_024
"""Images between two savings."""


def find_duplicates(layout: StoreLayout, settings: IndexerSettings, show_progress: ShowProgress) -> None:
    """Brings the store's duplicates up to its live snapshot. Raises StoreError."""
    with Snapshot.open(layout) as snapshot:
        made_by = _made_by(snapshot)
        before = read_duplicates(layout)
        ids = _ids_by_row(snapshot)
        known = (before if before.made_by == made_by else Duplicates(made_by)).among(set(ids.values()))
        new = [row for row, image_id in ids.items() if image_id not in known.compared]
        if new or known != before:
            threads = settings.threads or available_cpus()
            with (
                show_progress(len(new)) as advance,
                _Finder(layout, snapshot, threads) as finder,
                # For products this small its threads wait longer than they work.
                threadpool_limits(1, "blas"),
            ):
                for block in _blocks(new):
                    known.pairs.update(finder.pairs_of(block))
                    known.compared.update(ids[row] for row in block)
                    write_duplicates(layout, known)
                    advance(len(block))
            if not new:
                write_duplicates(layout, known)


def _made_by(snapshot: Snapshot) -> str:
    manifest = snapshot.manifest
    return f"{METHOD} {manifest.model.digest} {manifest.descriptor} {snapshot.local_features is not None}"


def _ids_by_row(snapshot: Snapshot) -> dict[int, str]:
    rows = snapshot.descriptors.order.tolist()
    return {
        row: record.image_id
        for block in _blocks(rows)
        for row, record in zip(block, snapshot.records(block), strict=True)
    }


def _blocks(rows: Sequence[int]) -> Iterator[Sequence[int]]:
    yield from (rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK))


class _Finder:
    def __init__(self, layout: StoreLayout, snapshot: Snapshot, threads: int) -> None:
        self._snapshot = snapshot
        self._judge = Judge(layout, snapshot)
        self._pool = ThreadPoolExecutor(threads, "duplicates")
        self._threads = threads

    def __enter__(self) -> _Finder:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def pairs_of(self, rows: Sequence[int]) -> dict[Pair, Kinship]:
        """Of these images with any others."""
        pairs = sorted(self._candidates(rows))
        rows = sorted({row for pair in pairs for row in pair})
        records = dict(zip(rows, self._snapshot.records(rows), strict=True))
        descriptors = self._snapshot.descriptors

        def judged(pair: tuple[int, int]) -> Kinship | None:
            left, right = descriptors[list(pair)].astype(np.float32)
            distance = float(np.linalg.norm(left - right))
            return self._judge.kinship(pair, (records[pair[0]], records[pair[1]]), distance)

        found = zip(pairs, self._pool.map(judged, pairs), strict=True)
        return {_pair(*(records[row].image_id for row in pair)): kind for pair, kind in found if kind}

    def _candidates(self, rows: Sequence[int]) -> set[tuple[int, int]]:
        """Pairs of rows, the smaller first."""
        nearest = self._nearest(rows).rows.tolist()
        alike = self._pool.map(self._alike, rows)
        return {
            (min(row, other), max(row, other))
            for row, *found in zip(rows, nearest, alike, strict=True)
            for others in found
            for other in others
            if other not in (row, -1)
        }

    def _nearest(self, rows: Sequence[int]) -> Neighbours:
        descriptors = self._snapshot.descriptors
        with closing(ExactIndex(descriptors, self._threads)) as index:
            return index.search(descriptors[rows].astype(np.float32), NEAREST + 1)

    def _alike(self, row: int) -> list[int]:
        """The rows that share most local features with it, perhaps itself among them."""
        lists, table = self._snapshot.cell_lists, self._snapshot.local_features
        if lists is None or table is None:
            return []
        strongest = table.features(row).first(VOTING_FEATURES)
        live = self._snapshot.descriptors.live
        rows: list[int] = most_voted(lists, [strongest], NEAREST_BY_FEATURES + 1, live).tolist()
        return rows


def _pair(left: str, right: str) -> Pair:
    return (left, right) if left < right else (right, left)
