"""Writing vectors into Milvus: a new collection, or more of them into one that is there."""

from __future__ import annotations

import secrets
import time

import numpy as np

from imagesearch.errors import VectorsUnavailable
from imagesearch.index.half_precision import widened
from imagesearch.index.matrix import DescriptorMatrix
from imagesearch.index.milvus.collection import ID, LOADING_S, ROW_BITS, VECTOR, MilvusCodes, Seen, count
from imagesearch.index.milvus.server import Milvus, typed_failures

GRAPH = {"M": 16, "efConstruction": 128}
BATCH_BYTES = 8 * 1024 * 1024
"""Of vectors in one request; a server takes 64 MiB by default."""
PATIENCE_S = 600.0
"""A server that builds no more of its graph for so long is given up."""
_POLL_S = 0.2


def write_collection(milvus: Milvus, name: str, descriptors: DescriptorMatrix) -> MilvusCodes:
    """name: a prefix; the collection gets one of its own. Raises VectorsUnavailable."""
    seen = Seen(f"{name}_{secrets.token_hex(6)}", entities=len(descriptors))
    with typed_failures():
        _create(milvus, seen.name, descriptors.dim)
    _add(milvus, seen, descriptors, 0)
    return _settled(milvus, seen, descriptors)


def grow_collection(codes: MilvusCodes, descriptors: DescriptorMatrix, first_row: int) -> MilvusCodes:
    """With the rows from `first_row` on, which begins a segment. What a killed run had written of them is
    written over. Raises VectorsUnavailable."""
    before = codes.seen
    seen = Seen(before.name, before.growth + 1, before.entities + len(descriptors) - first_row)
    _add(codes.milvus, seen, descriptors, first_row)
    return _settled(codes.milvus, seen, descriptors)


def _create(milvus: Milvus, name: str, dim: int) -> None:
    from pymilvus import DataType

    client = milvus.client
    schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field(ID, DataType.INT64, is_primary=True)
    schema.add_field(VECTOR, DataType.FLOAT_VECTOR, dim=dim)
    index = client.prepare_index_params()
    index.add_index(VECTOR, index_type="HNSW", metric_type="L2", params=GRAPH)
    client.create_collection(name, schema=schema, index_params=index, timeout=LOADING_S)


def _add(milvus: Milvus, seen: Seen, descriptors: DescriptorMatrix, first_row: int) -> None:
    batch_rows = max(1, BATCH_BYTES // (4 * descriptors.dim))
    for start, block in descriptors.blocks(batch_rows):
        if start < first_row:
            continue
        ids = seen.growth << ROW_BITS | np.arange(start, start + len(block))
        entities = [{ID: int(each), VECTOR: vector} for each, vector in zip(ids, widened(block), strict=True)]
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
