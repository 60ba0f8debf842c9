"""Writing vectors into Milvus: a new collection, or more of them into one that is there."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from imagesearch.errors import VectorsUnavailable
from imagesearch.index.half_precision import widened
from imagesearch.index.matrix import DescriptorMatrix
from imagesearch.index.milvus.collection import (
    ANY_FOLDER,
    FOLDERS,
    ID,
    LOADING_S,
    MOST_FOLDERS,
    ROW_BITS,
    TAKEN,
    VECTOR,
    Facts,
    MilvusCodes,
    Seen,
    count,
)
from imagesearch.index.milvus.server import Milvus, typed_failures

GRAPH = {"M": 16, "efConstruction": 128}
BATCH_BYTES = 8 * 1024 * 1024
"""Of vectors in one request; a server takes 64 MiB by default."""
PATH_BYTES = 4_096
PATIENCE_S = 600.0
"""A server that builds no more of its graph for so long is given up."""
_POLL_S = 0.2


FactsOf = Callable[[Sequence[int]], Sequence[Facts]]
"""Of these rows."""


def write_collection(milvus: Milvus, name: str, descriptors: DescriptorMatrix, facts: FactsOf) -> MilvusCodes:
    """name: a prefix; the collection gets one of its own. Raises VectorsUnavailable."""
    seen = Seen(f"{name}_{secrets.token_hex(6)}", entities=len(descriptors))
    with typed_failures():
        _create(milvus, seen.name, descriptors.dim)
    _add_from(milvus, seen, descriptors, 0, facts)
    return _settled(milvus, seen, descriptors)


def grow_collection(
    codes: MilvusCodes,
    descriptors: DescriptorMatrix,
    first_row: int,
    facts: FactsOf,
    moved: NDArray[np.int64],
) -> MilvusCodes:
    """With the rows from `first_row` on, which begins a segment, and with older ones whose facts have become
    others. What a killed run had written of them is written over. Raises VectorsUnavailable."""
    before = codes.seen
    added = len(descriptors) - first_row + len(moved)
    seen = Seen(before.name, before.growth + 1, before.entities + added)
    _add_from(codes.milvus, seen, descriptors, first_row, facts)
    _add(codes.milvus, seen, moved, descriptors[moved], facts)
    return _settled(codes.milvus, seen, descriptors)


def _create(milvus: Milvus, name: str, dim: int) -> None:
    from pymilvus import DataType

    client = milvus.client
    schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field(ID, DataType.INT64, is_primary=True)
    schema.add_field(VECTOR, DataType.FLOAT_VECTOR, dim=dim)
    schema.add_field(
        FOLDERS,
        DataType.ARRAY,
        element_type=DataType.VARCHAR,
        max_length=PATH_BYTES,
        max_capacity=MOST_FOLDERS,
    )
    schema.add_field(TAKEN, DataType.INT64)
    index = client.prepare_index_params()
    index.add_index(VECTOR, index_type="HNSW", metric_type="L2", params=GRAPH)
    client.create_collection(name, schema=schema, index_params=index, timeout=LOADING_S)


def _add_from(
    milvus: Milvus, seen: Seen, descriptors: DescriptorMatrix, first_row: int, facts: FactsOf
) -> None:
    batch_rows = max(1, BATCH_BYTES // (4 * descriptors.dim))
    for start, block in descriptors.blocks(batch_rows):
        if start >= first_row:
            _add(milvus, seen, np.arange(start, start + len(block)), block, facts)


def _add(
    milvus: Milvus, seen: Seen, rows: NDArray[np.int64], vectors: NDArray[np.float16], facts: FactsOf
) -> None:
    if not len(rows):
        return
    entities = [
        {
            ID: seen.growth << ROW_BITS | row,
            VECTOR: vector,
            FOLDERS: list(each.folders) if len(each.folders) <= MOST_FOLDERS else [ANY_FOLDER],
            TAKEN: each.taken,
        }
        for row, vector, each in zip(rows.tolist(), widened(vectors), facts(rows.tolist()), strict=True)
    ]
    add = milvus.client.upsert if seen.growth else milvus.client.insert
    with typed_failures():
        add(seen.name, entities, timeout=LOADING_S)


def _settled(milvus: Milvus, seen: Seen, descriptors: DescriptorMatrix) -> MilvusCodes:
    """Once all of it is on disk there, indexed, loaded and counted."""
    with typed_failures():
        milvus.client.flush(seen.name, timeout=LOADING_S)
        _await_graph(milvus, seen.name)
        milvus.client.load_collection(seen.name, timeout=LOADING_S)
    if count(milvus, seen) != seen.entities:
        raise VectorsUnavailable("Milvus holds another number of vectors than were written; build again.")
    return MilvusCodes(milvus, seen, descriptors)


def _await_graph(milvus: Milvus, name: str) -> None:
    """Raises TimeoutError."""
    least, give_up_s = None, time.monotonic() + PATIENCE_S
    while pending := milvus.client.describe_index(name, VECTOR).get("pending_index_rows", 0):
        if least is None or pending < least:
            least, give_up_s = pending, time.monotonic() + PATIENCE_S
        if time.monotonic() > give_up_s:
            raise TimeoutError("the server builds no index")
        time.sleep(_POLL_S)
