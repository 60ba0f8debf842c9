"""Every kind of approximate index is held against exact search on the same rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.errors import InvalidOption, SnapshotDamaged
from imagesearch.index import open_index
from imagesearch.index.building.builder import build_index, extend_index
from imagesearch.index.building.tuning import measure
from imagesearch.index.exact import ExactIndex
from imagesearch.index.kinds import KINDS, IndexPlan, choose_kind
from imagesearch.index.matrix import DescriptorMatrix

LATENT_DIM = 24


def photos_like(count: int, dim: int, seed: int) -> NDArray[np.float16]:
    """Rows as descriptors are: non-negative, sparse, of few underlying dimensions, in loose clusters."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((200, LATENT_DIM))
    latent = centres[rng.integers(200, size=count)] + 0.4 * rng.standard_normal((count, LATENT_DIM))
    rows = np.maximum(latent @ rng.standard_normal((LATENT_DIM, dim)), 0)
    unit: NDArray[np.float64] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit.astype(np.float16)


ALL = photos_like(4_050, 64, seed=1)


@pytest.fixture(scope="module")
def descriptors() -> DescriptorMatrix:
    return DescriptorMatrix([ALL[:4_000]])


@pytest.mark.parametrize("kind", KINDS)
def test_a_built_index_finds_what_exact_search_finds(
    kind: str, descriptors: DescriptorMatrix, tmp_path: Path
) -> None:
    report = build_index(IndexPlan(kind, 0.95), descriptors, tmp_path)
    assert report.kind == kind
    index = open_index(report.kind, tmp_path, descriptors, threads=1)
    queries = ALL[4_000:].astype(np.float32)
    truth = ExactIndex(descriptors, threads=1).search(queries, 10)
    recall, _ = measure(index, queries, truth.distances)
    assert index.approximate
    assert recall >= 0.9


@pytest.mark.parametrize("kind", KINDS)
def test_distances_of_found_rows_are_exact_and_ascend(
    kind: str, descriptors: DescriptorMatrix, tmp_path: Path
) -> None:
    report = build_index(IndexPlan(kind, 0.5), descriptors, tmp_path)
    index = open_index(report.kind, tmp_path, descriptors, threads=1)
    query = descriptors[7].astype(np.float32)
    found = index.search(query[None], 20)
    rows, distances = found.rows[0], found.distances[0]
    assert rows[0] == 7
    assert (np.diff(distances) >= 0).all()
    expected = np.linalg.norm(descriptors[rows].astype(np.float64) - query, axis=1)
    np.testing.assert_allclose(distances, expected, atol=1e-5)


def test_equal_rows_come_in_ascending_order_of_row(tmp_path: Path) -> None:
    rows = photos_like(2_000, 64, seed=3)
    rows[[5, 900, 1_500]] = rows[42]
    descriptors = DescriptorMatrix([rows])
    report = build_index(IndexPlan("pq", 0.5), descriptors, tmp_path)
    found = open_index(report.kind, tmp_path, descriptors, threads=1).search(
        rows[42:43].astype(np.float32), 4
    )
    assert found.rows[0].tolist() == [5, 42, 900, 1_500]


@pytest.mark.parametrize("kind", KINDS)
def test_deleted_rows_are_not_found_even_where_they_crowd_around_the_query(kind: str, tmp_path: Path) -> None:
    """All images near the query are deleted but one."""
    rows = photos_like(3_000, 64, seed=8)
    near = np.argsort(-(rows.astype(np.float32) @ rows[42].astype(np.float32)))[:700]
    deleted = set(near.tolist()) - {42}
    order = np.array([row for row in range(3_000) if row not in deleted], np.uint32)
    descriptors = DescriptorMatrix([rows], order)
    report = build_index(IndexPlan(kind, 0.5), descriptors, tmp_path)
    index = open_index(report.kind, tmp_path, descriptors, threads=1)
    found = index.search(rows[42:43].astype(np.float32), 5)
    assert len(index) == 3_000 - 699
    assert found.rows[0, 0] == 42
    assert not deleted & set(found.rows[0].tolist())
    if kind in ("pq", "opq"):  # the others may run out of what they visit
        assert (found.rows[0] >= 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_rows_that_may_be_found_are_found_among_others_that_may_not(
    kind: str, descriptors: DescriptorMatrix, tmp_path: Path
) -> None:
    report = build_index(IndexPlan(kind, 0.95), descriptors, tmp_path)
    index = open_index(report.kind, tmp_path, descriptors, threads=1)
    among = np.random.default_rng(4).random(4_000) < 0.3
    queries = ALL[4_000:].astype(np.float32)
    found = index.search(queries, 10, among)
    truth = ExactIndex(descriptors, threads=1).search(queries, 10, among)
    assert among[found.rows[found.rows >= 0]].all()
    agreeing = (found.distances <= truth.distances[:, -1:] + 1e-5).mean()
    assert agreeing >= (0.8 if kind in ("ivf", "flann") else 0.9)  # these may run out of what they visit


@pytest.mark.parametrize("kind", ["pq", "opq", "ivf", "hnsw"])
def test_a_grown_index_finds_new_rows_without_training_anew(kind: str, tmp_path: Path) -> None:
    plan = IndexPlan(kind, 0.9)
    (tmp_path / "grown").mkdir()
    before = build_index(plan, DescriptorMatrix([ALL[:3_700]]), tmp_path)
    descriptors = DescriptorMatrix([ALL[:3_700], ALL[3_700:]])
    grown = extend_index(plan, descriptors, before, 3_700, tmp_path, tmp_path / "grown")
    assert grown is not None
    assert (grown.kind, grown.requested) == (kind, kind)
    assert grown.recall_at_10 is not None and grown.recall_at_10 >= 0.9
    index = open_index(kind, tmp_path / "grown", descriptors, threads=1)
    queries = ALL[3_700:].astype(np.float32)
    truth = ExactIndex(descriptors, threads=1).search(queries, 10)
    assert measure(index, queries, truth.distances)[0] >= 0.85


def test_an_index_that_has_drifted_out_of_reach_is_not_extended(tmp_path: Path) -> None:
    """Codes trained where half of the values is zero have no component left for that half."""
    old, new = (photos_like(2_000, 300, seed) for seed in (9, 10))
    old, new = np.pad(old, ((0, 0), (0, 300))), np.pad(new, ((0, 0), (300, 0)))
    plan = IndexPlan("pq", 0.99)
    before = build_index(plan, DescriptorMatrix([old]), tmp_path)
    assert before.kind == "pq"
    (tmp_path / "grown").mkdir()
    descriptors = DescriptorMatrix([old, new])
    assert extend_index(plan, descriptors, before, 2_000, tmp_path, tmp_path / "grown") is None
    assert not list((tmp_path / "grown").iterdir())


@pytest.mark.parametrize("plan", [IndexPlan("flann", 0.5), IndexPlan("auto", 0.5), IndexPlan("hnsw", 0.5)])
def test_only_codes_that_can_grow_and_are_still_wanted_are_extended(plan: IndexPlan, tmp_path: Path) -> None:
    kind = "flann" if plan.kind == "flann" else "pq"
    before = build_index(IndexPlan(kind, 0.5), DescriptorMatrix([ALL[:3_700]]), tmp_path)
    descriptors = DescriptorMatrix([ALL[:3_700], ALL[3_700:]])
    assert extend_index(plan, descriptors, before, 3_700, tmp_path, tmp_path) is None


def test_a_target_out_of_reach_falls_back_to_exact_and_says_so(tmp_path: Path) -> None:
    noise = np.random.default_rng(4).standard_normal((3_000, 256))
    noise = (noise / np.linalg.norm(noise, axis=1, keepdims=True)).astype(np.float16)
    report = build_index(IndexPlan("ivf", 1.01), DescriptorMatrix([noise]), tmp_path)
    assert report.kind == "exact"
    assert "searched exactly" in report.note
    assert not list(tmp_path.iterdir())


def test_fifty_images_are_searched_exactly_whatever_was_asked_for(tmp_path: Path) -> None:
    report = build_index(IndexPlan("pq", 0.99), DescriptorMatrix([photos_like(50, 64, seed=5)]), tmp_path)
    assert report.kind == "exact"
    assert "too few" in report.note


def test_auto_takes_exact_for_a_holiday_and_codes_for_a_shop() -> None:
    assert choose_kind("auto", 811, 4096)[0] == "exact"
    assert choose_kind("auto", 100_000, 4096)[0] == "pq"
    assert choose_kind("auto", 200_000, 4096)[0] == "ivf"
    assert choose_kind("auto", 5_000_000, 512)[0] == "ivf"


def test_codes_that_disagree_with_the_descriptors_are_damage(
    descriptors: DescriptorMatrix, tmp_path: Path
) -> None:
    report = build_index(IndexPlan("pq", 0.5), descriptors, tmp_path)
    with pytest.raises(SnapshotDamaged):
        open_index(report.kind, tmp_path, DescriptorMatrix([ALL[:3_999]]), threads=1)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InvalidOption, match="auto, exact"):
        choose_kind("annoy", 811, 512)
