"""Searching a collection in Milvus for candidates. Their distances come from the snapshot, as of all codes.

A collection is only ever added to, and snapshots that grow from one another share it. An entity's id is the
growth in which it came, counted from 0, and its row: `growth << ROW_BITS | row`. A snapshot of growth g sees
the ids below those of g + 1, so that an older one answers as before while a newer one is being written.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from imagesearch.errors import VectorsGone
from imagesearch.index.matrix import DescriptorMatrix
from imagesearch.index.milvus.server import ANSWER_S, GONE, Milvus, typed_failures

ROW_BITS = 32
ID, VECTOR, FOLDERS, TAKEN = "id", "vector", "folders", "taken"
MOST_CANDIDATES = 16_384
"""As many as Milvus gives at once."""
LOADING_S = 600.0
_TOLERANCE = 1e-3
"""Of squared distances, which are 4 at most: they are computed in float32 on both sides."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a snapshot sees of a collection."""

    name: str
    growth: int = 0
    entities: int = 0
    """Vectors that it sees; one that was added again when its image had moved counts twice."""

    @property
    def condition(self) -> str:
        return f"{ID} < {(self.growth + 1) << ROW_BITS}"


@dataclass(frozen=True, slots=True)
class Facts:
    """What filters ask of an image."""

    folders: Sequence[str] = ()
    """Every folder that it is in or below."""
    taken: int = 0
    """The day, as `date.toordinal` counts; 0 where it is not known."""


class Conditions(Protocol):
    """See `store.filters.Filter`."""

    @property
    def folder(self) -> str: ...

    @property
    def taken_from(self) -> date | None: ...

    @property
    def taken_to(self) -> date | None: ...


MOST_FOLDERS = 1_000
ANY_FOLDER = "*"
"""Stands for the folders of an image that is in more of them."""


def expression(where: Conditions) -> str:
    """In Milvus' language. What an image was moved by may be younger: whoever asks looks again."""
    found = []
    if where.folder:
        found.append(f"array_contains_any({FOLDERS}, {json.dumps([where.folder, ANY_FOLDER])})")
    if where.taken_from or where.taken_to:
        found.append(f"{TAKEN} >= {where.taken_from.toordinal() if where.taken_from else 1}")
    if where.taken_to:
        found.append(f"{TAKEN} <= {where.taken_to.toordinal()}")
    return " and ".join(found)


class MilvusCodes:
    """`Codes` of another machine. Thread-safe."""

    def __init__(
        self, milvus: Milvus, seen: Seen, descriptors: DescriptorMatrix, where: Conditions | None = None
    ) -> None:
        """descriptors: those of the snapshot, which every answer is held against. where: what Milvus looks
        among; None for all."""
        self.milvus = milvus
        self.seen = seen
        self._descriptors = descriptors
        self._where = where

    @classmethod
    def opened(cls, milvus: Milvus, seen: Seen, descriptors: DescriptorMatrix) -> MilvusCodes:
        """Has the collection loaded and counts what is in it. Raises VectorsUnavailable."""
        with typed_failures():
            client = milvus.client
            if not client.has_collection(seen.name, timeout=ANSWER_S):
                raise VectorsGone(GONE)
            fields = client.describe_collection(seen.name, timeout=ANSWER_S)["fields"]
            client.load_collection(seen.name, timeout=LOADING_S)
        dims = [int(field["params"]["dim"]) for field in fields if field["name"] == VECTOR]
        if dims != [descriptors.dim] or count(milvus, seen) != seen.entities:
            raise VectorsGone(GONE)
        return cls(milvus, seen, descriptors)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self._descriptors), self._descriptors.dim

    def within(self, where: Conditions) -> MilvusCodes:
        return MilvusCodes(self.milvus, self.seen, self._descriptors, where)

    def candidates(self, query: NDArray[np.float32], count: int, visits: int) -> NDArray[np.int64]:
        """See `Codes`. Raises VectorsUnavailable, also where what it finds is not what was written."""
        limit = min(count, MOST_CANDIDATES)
        found = self.milvus.search(
            self.seen.name,
            query,
            limit=limit,
            filter=self._filter,
            output_fields=[ID],
            search_params={"metric_type": "L2", "params": {"ef": max(visits, limit)}},
            consistency_level="Eventually",  # nothing is searched that was not counted when it was published
        )
        rows = np.array([hit[ID] & ((1 << ROW_BITS) - 1) for hit in found], np.int64)
        self._check(query, rows, found)
        _, first = np.unique(rows, return_index=True)
        return rows[np.sort(first)]

    def write(self, directory: Path) -> None:
        """Nothing: all of it is in Milvus."""

    @property
    def _filter(self) -> str:
        condition = self.seen.condition
        return f"{condition} and {expression(self._where)}" if self._where else condition

    def _check(
        self, query: NDArray[np.float32], rows: NDArray[np.int64], found: list[dict[str, Any]]
    ) -> None:
        """The nearest must be there, and as far away as its descriptor is."""
        if self._where and not len(rows):
            return
        if not len(rows) or rows.max() >= len(self._descriptors):
            raise VectorsGone(GONE)
        offset = self._descriptors[rows[0]].astype(np.float32) - query
        if abs(float(offset @ offset) - found[0]["distance"]) > _TOLERANCE:
            raise VectorsGone(GONE)


def count(milvus: Milvus, seen: Seen) -> int:
    """Entities that can be searched. Raises VectorsUnavailable."""
    with typed_failures():
        answer = milvus.client.query(
            seen.name,
            filter=seen.condition,
            output_fields=["count(*)"],
            consistency_level="Strong",
            timeout=LOADING_S,
        )
        return int(answer[0]["count(*)"])
