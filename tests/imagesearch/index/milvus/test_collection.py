"""Collections in a real Milvus server, held against exact search on the same rows."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.errors import VectorsGone, VectorsUnavailable
from imagesearch.index import Index, MilvusAddress, open_index
from imagesearch.index.building import builder
from imagesearch.index.building.builder import build_index, extend_index
from imagesearch.index.building.collection import write_collection
from imagesearch.index.building.tuning import measure
from imagesearch.index.exact import ExactIndex
from imagesearch.index.files import IndexReport
from imagesearch.index.kinds import IndexPlan, no_facts
from imagesearch.index.matrix import DescriptorMatrix
from imagesearch.index.milvus.collection import MilvusCodes
from imagesearch.index.milvus.server import connected
from tests.imagesearch.index.test_builder import photos_like
from tests.milvus_server import MilvusServer, running_server

ROWS, DIM = 1_200, 64
ALL = photos_like(ROWS + 100, DIM, seed=5)
QUERIES = ALL[:50].astype(np.float32)
FIRST = DescriptorMatrix([ALL[:ROWS]])
GROWN = DescriptorMatrix([ALL[:ROWS], ALL[ROWS:]], np.arange(len(ALL), dtype=np.uint32))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusServer]:
    with running_server(tmp_path_factory.mktemp("milvus")) as server:
        yield server


@pytest.fixture(scope="module", autouse=True)
def few_samples() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builder, "SELF_TEST_SAMPLES", 40)
        patch.setattr(builder, "LEAST_SAMPLES", 20)
        yield


@pytest.fixture(scope="module")
def plan(server: MilvusServer) -> IndexPlan:
    return IndexPlan("milvus", milvus=server.address)


@pytest.fixture(scope="module")
def built(plan: IndexPlan, tmp_path_factory: pytest.TempPathFactory) -> tuple[IndexReport, Path]:
    directory = tmp_path_factory.mktemp("built")
    return build_index(plan, FIRST, directory), directory


def opened(directory: Path, descriptors: DescriptorMatrix, address: MilvusAddress) -> Index:
    return open_index("milvus", directory, descriptors, threads=1, milvus=address)


def recall_of(index: Index, descriptors: DescriptorMatrix) -> float:
    truth = ExactIndex(descriptors, threads=1).search(QUERIES, 10)
    return measure(index, QUERIES, truth.distances)[0]


def test_it_finds_what_exact_search_finds_at_the_recall_asked_for(
    built: tuple[IndexReport, Path], server: MilvusServer
) -> None:
    report, directory = built
    assert report.kind == "milvus"
    assert report.recall_at_10 is not None
    assert report.recall_at_10 >= 0.99
    assert recall_of(opened(directory, FIRST, server.address), FIRST) >= 0.98


def test_a_grown_snapshot_finds_new_rows_and_the_one_before_answers_as_it_did(
    built: tuple[IndexReport, Path], plan: IndexPlan, server: MilvusServer, tmp_path: Path
) -> None:
    report, directory = built
    before = opened(directory, FIRST, server.address)
    new = ALL[ROWS:].astype(np.float32)
    answers = before.search(new, 5).rows
    answered: list[NDArray[np.int64]] = []
    done = threading.Event()

    def search_meanwhile() -> None:
        while not done.is_set():
            answered.append(before.search(new, 5).rows)

    searching = threading.Thread(target=search_meanwhile)
    searching.start()
    grown = extend_index(plan, GROWN, report, ROWS, directory, tmp_path)
    done.set()
    searching.join()
    assert grown is not None
    assert grown.collection == report.collection
    after = opened(tmp_path, GROWN, server.address)
    assert (after.search(new, 1).rows[:, 0] == np.arange(ROWS, len(ALL))).mean() >= 0.98
    assert answered
    for rows in [*answered, before.search(new, 5).rows]:
        np.testing.assert_array_equal(rows, answers)


def test_deleted_rows_and_those_that_a_filter_leaves_out_are_not_found(
    built: tuple[IndexReport, Path], server: MilvusServer
) -> None:
    _, directory = built
    order = np.arange(100, ROWS, dtype=np.uint32)
    index = opened(directory, DescriptorMatrix([ALL[:ROWS]], order), server.address)
    assert index.search(QUERIES, 10).rows.min() >= 100
    even = np.arange(ROWS) % 2 == 0
    even[:100] = False
    rows = index.search(QUERIES, 10, even).rows
    assert even[rows[rows >= 0]].all()


def test_a_collection_that_somebody_changes_is_told_and_never_searched(server: MilvusServer) -> None:
    milvus = connected(server.address)
    codes = write_collection(milvus, "images", FIRST, no_facts)
    milvus.client.delete(codes.seen.name, filter="id in [3]")
    with pytest.raises(VectorsGone):
        MilvusCodes.opened(milvus, codes.seen, FIRST)
    milvus.client.drop_collection(codes.seen.name)
    with pytest.raises(VectorsGone):
        MilvusCodes.opened(milvus, codes.seen, FIRST)
    with pytest.raises(VectorsUnavailable):
        codes.candidates(QUERIES[0], 5, 16)


def test_vectors_of_another_collection_are_told_from_ones_own(
    built: tuple[IndexReport, Path], server: MilvusServer
) -> None:
    _, directory = built
    shuffled = DescriptorMatrix([np.ascontiguousarray(ALL[:ROWS][::-1])])
    with pytest.raises(VectorsGone):
        opened(directory, shuffled, server.address).search(QUERIES[:1], 5)


def test_without_a_server_or_its_address_it_says_so_at_once(built: tuple[IndexReport, Path]) -> None:
    _, directory = built
    for address in (None, MilvusAddress("http://127.0.0.1:9")):
        began = time.monotonic()
        with pytest.raises(VectorsUnavailable):
            open_index("milvus", directory, FIRST, 1, address)
        assert time.monotonic() - began < 20


def test_a_killed_server_loses_nothing_and_answers_again_by_itself(
    built: tuple[IndexReport, Path], server: MilvusServer
) -> None:
    _, directory = built
    index = opened(directory, FIRST, server.address)
    expected = index.search(QUERIES, 5).rows
    server.kill()
    with pytest.raises(VectorsUnavailable):
        index.search(QUERIES[:1], 5)
    began = time.monotonic()
    with pytest.raises(VectorsUnavailable):
        index.search(QUERIES[:1], 5)
    assert time.monotonic() - began < 0.5
    server.start()
    np.testing.assert_array_equal(first_answer(index, within_s=120), expected)


def first_answer(index: Index, within_s: float) -> NDArray[np.int64]:
    give_up_s = time.monotonic() + within_s
    while True:
        try:
            return index.search(QUERIES, 5).rows
        except VectorsUnavailable:
            assert time.monotonic() < give_up_s
            time.sleep(0.2)
